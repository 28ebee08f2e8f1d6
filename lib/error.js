'use strict'

/**
 * @typedef {'ERR_SESSION_OPTIONS' | 'ERR_SESSION_CONNECTION' | 'ERR_SESSION_TABLE' | 'ERR_SESSION_TIMEOUT'
 *   | 'ERR_SESSION_QUEUE_FULL' | 'ERR_SESSION_CLOSED' | 'ERR_SESSION_DATABASE' | 'ERR_SESSION_SID'
 *   | 'ERR_SESSION_DATA' | 'ERR_SESSION_INTERNAL'} Code
 */

/** An error of the store. To be recognized by its `code`: the message may change between versions. */
class SessionStoreError extends Error {
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
 * The error that the addon throws or describes.
 * @param {{ code?: string, message: string, cause?: any }} failure
 */
function fromAddon({ code, message, cause }) {
  const inner = cause && Object.assign(new Error(cause.message), cause.code ? { code: cause.code } : {})
  // An error of napi has a code of its own. It means that the addon was called with values of the wrong type.
  const ours = /** @type {Code} */ (String(code).startsWith('ERR_SESSION_') ? code : 'ERR_SESSION_INTERNAL')
  return new SessionStoreError(ours, message, inner)
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
    if (error instanceof SessionStoreError) throw error
    const { code, message } = /** @type {any} */ (error)
    throw fromAddon({ code, message })
  }
}

module.exports = { SessionStoreError, fromAddon, translated }
