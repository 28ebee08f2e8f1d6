'use strict'

const { dataError } = require('./error.js')
const { isObject, reasonOf } = require('./values.js')

/**
 * When the cookie of a session expires, in ms since the epoch; undefined if it has no valid date.
 * @param {unknown} session
 * @returns {number | undefined}
 */
function cookieExpiry(session) {
  try {
    const { cookie } = /** @type {{ cookie?: unknown }} */ (session ?? {})
    return isObject(cookie) ? instant(cookie.expires) : undefined
  } catch (cause) {
    throw dataError(`the expiry of the session cannot be read: ${reasonOf(cause)}`, cause)
  }
}

/**
 * @param {unknown} value Date, number of ms, or date as text
 * @returns {number | undefined} ms since the epoch, undefined if the value is not a date
 */
function instant(value) {
  if (value === null || value === undefined || typeof value === 'boolean') return undefined
  // Parsing is the same for both, but the second makes an object.
  const ms = typeof value === 'string' ? Date.parse(value) : new Date(/** @type {number} */ (value)).getTime()
  return Number.isNaN(ms) ? undefined : ms
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

module.exports = { cookieExpiry, instant, raiseCookieExpiry }
