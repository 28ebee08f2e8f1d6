'use strict'

/**
 * @typedef {'ERR_SESSION_OPTIONS' | 'ERR_SESSION_CONNECTION' | 'ERR_SESSION_TABLE' | 'ERR_SESSION_TIMEOUT'
 *   | 'ERR_SESSION_QUEUE_FULL' | 'ERR_SESSION_CLOSED' | 'ERR_SESSION_DATABASE' | 'ERR_SESSION_SID'
 *   | 'ERR_SESSION_DATA' | 'ERR_SESSION_INTERNAL'} Code
 */

/** Every error of the store. Told apart by `code`; the text of the message may change between versions. */
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
 * The error that the addon describes.
 * @param {{ code: string, message: string, cause?: { code?: string | null, message: string } }} failure
 */
function fromAddon({ code, message, cause }) {
  const inner = cause && Object.assign(new Error(cause.message), cause.code ? { code: cause.code } : {})
  return new SessionStoreError(/** @type {Code} */ (code), message, inner)
}

module.exports = { SessionStoreError, fromAddon }
