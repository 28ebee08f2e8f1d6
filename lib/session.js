'use strict'

const { instant } = require('./cookie-expiry.js')
const { SessionStoreError, dataError } = require('./error.js')
const { isName, isObject, isPromise, reasonOf, typeName } = require('./values.js')

/** @typedef {Record<string, unknown>} Session */

/** The last instant whose year has four digits: a longer year would break the comparison of dates as text. */
const MAX_EXPIRES_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/**
 * The time at which a session expires, in ms since the epoch: by the given lifetime, by its cookie, or by default.
 * @param {unknown} session
 * @param {number} expiration default lifetime in ms
 * @param {number | undefined} cookie when the cookie of the session expires: see `cookieExpiry`
 * @param {unknown} [ttl] lifetime in ms, as koa-session passes it
 * @param {number} [now] in ms since the epoch
 * @returns {number}
 */
function expiresAt(session, expiration, cookie, ttl, now = Date.now()) {
  const given = typeof ttl === 'number' && !Number.isNaN(ttl) ? now + ttl : (cookie ?? lifetimeEnd(session, now))
  const ms = given ?? now + numberOf(expiration)
  // The options of a store are live, so the application may have set this one to anything.
  if (!Number.isFinite(ms)) {
    const got = typeof expiration === 'number' ? String(expiration) : typeName(expiration)
    throw new SessionStoreError(
      'ERR_SESSION_OPTIONS',
      `expected option \`expiration\` to be a number of milliseconds, got ${got}`
    )
  }
  return Math.trunc(Math.min(Math.max(ms, 0), MAX_EXPIRES_MS))
}

/**
 * The time at which a session expires whose cookie does not say it, in ms since the epoch: by the lifetime of the cookie, or
 * by the property in which koa-session keeps it.
 * @param {unknown} session
 * @param {number} now
 * @returns {number | undefined}
 */
function lifetimeEnd(session, now) {
  try {
    const { cookie, _expire } = /** @type {{ cookie?: unknown, _expire?: unknown }} */ (session ?? {})
    const { maxAge } = /** @type {{ maxAge?: unknown }} */ (cookie ?? {})
    if (typeof maxAge === 'number' && !Number.isNaN(maxAge)) return now + maxAge
    return instant(_expire)
  } catch (cause) {
    throw dataError(`the expiry of the session cannot be read: ${reasonOf(cause)}`, cause)
  }
}

/** @param {unknown} value */
function numberOf(value) {
  try {
    return Number(value)
  } catch {
    return Number.NaN
  }
}

/**
 * The text of a session. Made during the call of `set`, so that later changes to the session are not saved.
 * @param {Session} session
 * @param {import('../index.js').Serializer<Session>} serializer
 * @returns {string}
 */
function serialize(session, serializer) {
  /** @type {unknown} */
  let data
  try {
    data = serializer.stringify(session)
  } catch (cause) {
    throw dataError(`the session cannot be serialized: ${reasonOf(cause)}`, cause)
  }
  if (isPromise(data)) throw promiseError(data, '`stringify` of option `serializer`', 'a string')
  if (typeof data !== 'string') {
    throw dataError(`expected \`stringify\` of option \`serializer\` to return a string, got ${typeName(data)}`)
  }
  return data
}

/** @param {unknown} session */
function checkSession(session) {
  if (!isObject(session)) throw dataError(`expected the session to be an object, got ${typeName(session)}`)
}

/**
 * The session of a text, or undefined if the text does not hold an object. Throws if the serializer is asynchronous.
 * @param {unknown} data
 * @param {import('../index.js').Serializer<Session>} serializer
 * @returns {Session | undefined}
 */
function parse(data, serializer) {
  /** @type {unknown} */
  let session
  let then
  try {
    session = serializer.parse(/** @type {string} */ (data))
    // Resolving a promise with the session reads this property, so it must not throw there.
    then = /** @type {{ then?: unknown } | null | undefined} */ (session)?.then
  } catch {
    return undefined
  }
  if (typeof then === 'function') {
    throw promiseError(/** @type {PromiseLike<unknown>} */ (session), '`parse` of option `serializer`', 'an object')
  }
  return isObject(session) ? session : undefined
}

/**
 * Whether a session has a cookie, without which express-session would throw.
 * @param {Session} session
 */
function hasCookie(session) {
  try {
    return isObject(session.cookie)
  } catch {
    return false
  }
}

/**
 * The error for a function of the application that returned a promise.
 * @param {PromiseLike<unknown>} promise
 * @param {string} name
 * @param {string} expected
 */
function promiseError(promise, name, expected) {
  // Its rejection must not end the process: the caller hears of the mistake from this error.
  Promise.resolve(promise).catch(() => {})
  return dataError(`expected ${name} to return ${expected}, got a promise; it must not be asynchronous`)
}

/**
 * Refuses a session id that some database could not tell from another one.
 * @param {unknown} sid
 */
function checkSid(sid) {
  if (isName(sid)) return
  throw new SessionStoreError(
    'ERR_SESSION_SID',
    `expected the session id to be a non-empty string of valid Unicode without NUL characters, got ${typeName(sid)}`
  )
}

module.exports = {
  checkSession,
  checkSid,
  expiresAt,
  hasCookie,
  parse,
  promiseError,
  serialize
}
