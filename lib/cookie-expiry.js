'use strict'

const { instant } = require('./session.js')
const { isObject } = require('./values.js')

/**
 * When the cookie of a session expires, in ms since the epoch; undefined if it has no valid date.
 * @param {{ cookie?: unknown }} session
 * @returns {number | undefined}
 */
function cookieExpiry(session) {
  const { cookie } = session
  const at = isObject(cookie) ? instant(cookie.expires) : undefined
  return Number.isNaN(at) ? undefined : at
}

/**
 * Gives the cookie of a session the expiry of its row where that is later: a touch moves the row only, and a session that is
 * saved with its old expiry would be lost.
 * @param {import('./session.js').Session} session
 * @param {number | undefined} expires when the row expires, in ms
 * @returns {number | undefined} when the cookie expires now, as `cookieExpiry`
 */
function raiseCookieExpiry(session, expires) {
  let at
  try {
    at = cookieExpiry(session)
    if (at === undefined || expires === undefined || expires <= at) return at
    const cookie = /** @type {Record<string, unknown>} */ (session.cookie)
    const { originalMaxAge } = cookie
    cookie.expires = likewise(cookie.expires, expires)
    // A cookie of a class may take a new expiry for a new lifetime.
    if (cookie.originalMaxAge !== originalMaxAge) cookie.originalMaxAge = originalMaxAge
  } catch {
    // What the application's serializer yields may be frozen, or throw when it is read.
    return at
  }
  return expires
}

/**
 * An instant in the form of another.
 * @param {unknown} form
 * @param {number} ms
 */
function likewise(form, ms) {
  if (typeof form === 'number') return ms
  return typeof form === 'string' ? new Date(ms).toISOString() : new Date(ms)
}

module.exports = { cookieExpiry, raiseCookieExpiry }
