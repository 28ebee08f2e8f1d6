'use strict'

const { SessionStoreError } = require('./error.js')

/** The last instant whose year has four digits: a longer one would break the comparison of dates as text. */
const MAX_EXPIRES_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/**
 * The instant at which a session expires, in ms since the epoch: by the given lifetime, by its cookie, or by default.
 * @param {any} session
 * @param {number} expiration default lifetime in ms
 * @param {unknown} [ttl] lifetime in ms, as koa-session gives it
 * @returns {number}
 */
function expiresAt(session, expiration, ttl) {
  const now = Date.now()
  const cookie = session?.cookie
  const candidates = [
    typeof ttl === 'number' ? now + ttl : undefined,
    instant(cookie?.expires),
    typeof cookie?.maxAge === 'number' ? now + cookie.maxAge : undefined,
    instant(session?._expire)
  ]
  const ms =
    candidates.find((candidate) => candidate !== undefined && !Number.isNaN(candidate)) ?? now + Number(expiration)
  // The options of a store are live, so this one may have become anything.
  if (!Number.isFinite(ms)) {
    throw new SessionStoreError('ERR_SESSION_OPTIONS', 'expected option `expiration` to be a number of milliseconds')
  }
  return Math.trunc(Math.min(Math.max(ms, 0), MAX_EXPIRES_MS))
}

/**
 * @param {unknown} value Date, number of ms, or date as text
 * @returns {number | undefined} NaN if it is no instant
 */
function instant(value) {
  if (value === null || value === undefined || typeof value === 'boolean') return undefined
  return value instanceof Date ? value.getTime() : new Date(/** @type {any} */ (value)).getTime()
}

/**
 * Session to text. Done at the call of `set`, so that later changes to the session change nothing.
 * @param {unknown} session
 * @param {{ stringify(session: any): string }} serializer
 * @returns {string}
 */
function serialize(session, serializer) {
  checkSession(session)
  let data
  try {
    data = serializer.stringify(session)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SessionStoreError('ERR_SESSION_DATA', `the session cannot be serialised: ${reason}`, cause)
  }
  if (typeof data !== 'string') {
    throw new SessionStoreError(
      'ERR_SESSION_DATA',
      `expected the session to serialise to a string, got ${kindOf(data)}`
    )
  }
  return data
}

/** @param {unknown} session */
function checkSession(session) {
  if (!isObject(session)) {
    throw new SessionStoreError('ERR_SESSION_DATA', `expected the session to be an object, got ${kindOf(session)}`)
  }
}

/**
 * Text to session; `undefined` if it is not the text of an object.
 * @param {string} data
 * @param {{ parse(data: string): any }} serializer
 * @returns {any}
 */
function parse(data, serializer) {
  try {
    const session = serializer.parse(data)
    return isObject(session) ? session : undefined
  } catch {
    return undefined
  }
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Refuses a sid that the databases could not keep apart from others.
 * @param {unknown} sid
 * @returns {asserts sid is string}
 */
function checkSid(sid) {
  if (typeof sid !== 'string') {
    throw new SessionStoreError('ERR_SESSION_SID', `expected the session id to be a string, got ${kindOf(sid)}`)
  }
  if (sid === '' || sid.includes('\0') || !isWellFormed(sid)) {
    throw new SessionStoreError(
      'ERR_SESSION_SID',
      'expected the session id to be a non-empty string of valid Unicode without NUL characters'
    )
  }
}

/** @param {string} text */
function isWellFormed(text) {
  // `String.prototype.isWellFormed` is newer than the oldest type library that we check against.
  return /** @type {any} */ (text).isWellFormed()
}

/**
 * What a value is, for messages; never its content.
 * @param {unknown} value
 */
function kindOf(value) {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : typeof value
}

module.exports = { checkSession, checkSid, expiresAt, isObject, isWellFormed, kindOf, parse, serialize }
