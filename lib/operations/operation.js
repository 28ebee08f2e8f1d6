'use strict'

const { AsyncResource } = require('node:async_hooks')

/**
 * @typedef {import('../error.js').SessionStoreError} SessionStoreError
 * @typedef {(error: SessionStoreError | null, value?: any) => void} Callback
 * @typedef {import('../binding.js').OutcomeType} OutcomeType
 * @typedef {(type: OutcomeType, value: any, detail: any) => any} Read turns an outcome into what the caller gets; may
 *   throw a SessionStoreError
 * @typedef {CallbackOperation | PromiseOperation} Operation
 */

/** A call by callback, which runs in the asynchronous context of its caller, as AsyncLocalStorage shows it. */
class CallbackOperation extends AsyncResource {
  /**
   * @param {Callback} callback
   * @param {Read} read
   */
  constructor(callback, read) {
    super('RustSequelizeStore')
    this.callback = callback
    this.read = read
    /** @type {Promise<any> | undefined} */
    this.promise = undefined
  }

  /**
   * @param {SessionStoreError | null} error
   * @param {any} [value]
   */
  settle(error, value) {
    this.runInAsyncScope(this.callback, undefined, error, value)
  }
}

/** A call by promise. */
class PromiseOperation {
  /** @param {Read} read */
  constructor(read) {
    this.read = read
    /** @type {Promise<any>} */
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  /**
   * @param {SessionStoreError | null} error
   * @param {any} [value]
   */
  settle(error, value) {
    if (error === null) {
      this.resolve?.(value)
      return
    }
    // Mark the rejection as handled: express-session ignores the promise from `destroy()`, and an unhandled rejection
    // would end the process.
    this.promise.catch(() => {})
    this.reject?.(error)
  }
}

/**
 * @param {Callback | undefined} callback
 * @param {Read} [read]
 * @returns {Operation}
 */
function operationFor(callback, read = nothing) {
  return callback ? new CallbackOperation(callback, read) : new PromiseOperation(read)
}

function nothing() {}

module.exports = { operationFor }
