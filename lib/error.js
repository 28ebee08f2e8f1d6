'use strict'

const { reasonOf } = require('./values.js')

const CODES = /** @type {const} */ ([
  'ERR_SESSION_OPTIONS',
  'ERR_SESSION_CONNECTION',
  'ERR_SESSION_TABLE',
  'ERR_SESSION_TIMEOUT',
  'ERR_SESSION_QUEUE_FULL',
  'ERR_SESSION_CLOSED',
  'ERR_SESSION_DATABASE',
  'ERR_SESSION_SID',
  'ERR_SESSION_DATA',
  'ERR_SESSION_INTERNAL'
])

/** @typedef {(typeof CODES)[number]} Code */

/** An error of the store. To be recognized by its `code`: the message may change between versions. */
class SessionStoreError extends Error {
  #ours = true

  /**
   * Whether the value is an error of the store, as the store makes them. Unlike `instanceof`, it never throws.
   * @param {unknown} value
   * @returns {value is SessionStoreError}
   */
  static is(value) {
    return typeof value === 'object' && value !== null && #ours in value && isCode(read(value).code)
  }

  /**
   * @param {Code} code
   * @param {string} message
   * @param {unknown} [cause]
   */
  constructor(code, message, cause) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'SessionStoreError'
    this.code = code
  }
}

/**
 * The error for whatever a call threw: an error of the store, one of the addon, or anything that the application's own code
 * throws, which becomes the cause.
 * @param {unknown} thrown
 */
function errorOf(thrown) {
  if (SessionStoreError.is(thrown)) return thrown
  const { code, message } = read(thrown)
  if (isCode(code)) return fromAddon({ code, message: String(message) })
  return new SessionStoreError(
    'ERR_SESSION_DATA',
    `the session or the options cannot be read: ${reasonOf(thrown)}`,
    thrown
  )
}

/**
 * @param {unknown} thrown
 * @returns {{ code?: unknown, message?: unknown }}
 */
function read(thrown) {
  try {
    const { code, message } = /** @type {any} */ (thrown)
    return { code, message: String(message) }
  } catch {
    return {}
  }
}

/**
 * @param {unknown} code
 * @returns {code is Code}
 */
function isCode(code) {
  return CODES.includes(/** @type {Code} */ (code))
}

/**
 * The error for a session, or for a value of its row, that cannot be stored.
 * @param {string} message
 * @param {unknown} [cause]
 */
function dataError(message, cause) {
  return new SessionStoreError('ERR_SESSION_DATA', message, cause)
}

/**
 * The error that an engine throws or describes.
 * @param {{ code?: string, message: string, cause?: any }} failure
 */
function fromAddon(failure) {
  if (SessionStoreError.is(failure)) return failure
  const { code, message, cause } = failure
  const inner = cause && Object.assign(new Error(cause.message), cause.code ? { code: cause.code } : {})
  // An error of napi has a code of its own. It means that the addon was called with values of the wrong type.
  return new SessionStoreError(isCode(code) ? code : 'ERR_SESSION_INTERNAL', message, inner)
}

/**
 * Makes a call into the addon; an error that it throws becomes a SessionStoreError.
 * @template T
 * @param {() => T} call
 * @returns {T}
 */
function translated(call) {
  try {
    return call()
  } catch (error) {
    if (SessionStoreError.is(error)) throw error
    const { code, message } = /** @type {any} */ (error)
    throw fromAddon({ code, message })
  }
}

module.exports = { SessionStoreError, dataError, errorOf, fromAddon, translated }
