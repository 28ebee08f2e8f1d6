'use strict'

const { SessionStoreError } = require('./error.js')
const { isName, isObject, reasonOf, typeName } = require('./values.js')

/** @typedef {Record<string, unknown>} Session */

/** The last instant whose year has four digits: a longer year would break the comparison of dates as text. */
const MAX_EXPIRES_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/**
 * The time at which a session expires, in ms since the epoch: by the given lifetime, by its cookie, or by default.
 * @param {unknown} session
 * @param {number} expiration default lifetime in ms
 * @param {unknown} [ttl] lifetime in ms, as koa-session passes it
 * @param {number} [now] in ms since the epoch
 * @returns {number}
 */
function expiresAt(session, expiration, ttl, now = Date.now()) {
  const { cookie, _expire } = /** @type {{ cookie?: unknown, _expire?: unknown }} */ (session ?? {})
  const { expires, maxAge } = /** @type {{ expires?: unknown, maxAge?: unknown }} */ (cookie ?? {})
  const candidates = [
    typeof ttl === 'number' ? now + ttl : undefined,
    instant(expires),
    typeof maxAge === 'number' ? now + maxAge : undefined,
    instant(_expire)
  ]
  const ms =
    candidates.find((candidate) => candidate !== undefined && !Number.isNaN(candidate)) ?? now + Number(expiration)
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
 * @param {unknown} value Date, number of ms, or date as text
 * @returns {number | undefined} ms since the epoch, NaN if the value is not a date, undefined if it is absent
 */
function instant(value) {
  if (value === null || value === undefined || typeof value === 'boolean') return undefined
  return value instanceof Date ? value.getTime() : new Date(/** @type {string | number} */ (value)).getTime()
}

/**
 * The text of a session. Made during the call of `set`, so that later changes to the session are not saved.
 * @param {Session} session
 * @param {import('../index.js').Serializer<Session>} serializer
 * @returns {string}
 */
function serialize(session, serializer) {
  checkSession(session)
  /** @type {unknown} */
  let data
  try {
    data = serializer.stringify(session)
  } catch (cause) {
    throw dataError(`the session cannot be serialized: ${reasonOf(cause)}`, cause)
  }
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
 * The session of a text, or undefined if the text does not hold an object.
 * @param {unknown} data
 * @param {import('../index.js').Serializer<Session>} serializer
 * @returns {Session | undefined}
 */
function parse(data, serializer) {
  try {
    const session = serializer.parse(/** @type {string} */ (data))
    return isObject(session) ? session : undefined
  } catch {
    return undefined
  }
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

/**
 * The error for a session, or for a value of its row, that cannot be stored.
 * @param {string} message
 * @param {unknown} [cause]
 */
function dataError(message, cause) {
  return new SessionStoreError('ERR_SESSION_DATA', message, cause)
}

module.exports = { checkSession, checkSid, dataError, expiresAt, instant, parse, serialize }
