'use strict'

const { NativeOutcomes, NativeStore, OutcomeType } = require('../addon.js')
const { errorOf, fromAddon, translated } = require('../error.js')
const { debug } = require('../log.js')
const { Delivery } = require('./delivery.js')
const { operationFor } = require('./operation.js')
const { Submission } = require('./submission.js')
const { Tickets } = require('./tickets.js')
const { nextTick, setImmediate } = require('../timers.js')

/**
 * @typedef {import('../error.js').SessionStoreError} SessionStoreError
 * @typedef {import('./operation.js').Callback} Callback
 * @typedef {import('./operation.js').Read} Read
 * @typedef {import('./operation.js').Operation} Operation
 */

/** The calls under way on one store. */
class Operations {
  #tickets = new Tickets()
  #submission
  #delivery
  #failed
  /**
   * The errors that were counted.
   * @type {WeakSet<SessionStoreError>}
   */
  #seen = new WeakSet()

  /**
   * @param {() => void} submit makes the addon begin what was called
   * @param {() => any[] | null} take the next outcomes of the addon
   * @param {(error: SessionStoreError) => void} failed is called with every error
   */
  constructor(submit, take, failed) {
    this.#failed = failed
    this.#submission = new Submission(submit)
    this.#delivery = new Delivery(take, this.#submission, (ticket, type, value, detail) => {
      const operation = this.#tickets.redeem(ticket)
      if (!operation) return
      if (type === OutcomeType.Failed) this.#fail(operation, fromAddon(value))
      else this.#finish(operation, type, value, detail)
    })
  }

  /**
   * Starts a call.
   * @param {Callback | undefined} callback
   * @param {(ticket: number) => void} start hands the call to the addon; an error thrown by it becomes the outcome
   * @param {Read} [read]
   * @returns {Promise<any> | undefined} a promise if there is no callback
   */
  start(callback, start, read) {
    const operation = operationFor(callback, read)
    const ticket = this.#tickets.issue(operation)
    try {
      start(ticket)
      this.#submission.later()
    } catch (error) {
      this.#tickets.redeem(ticket)
      // Not in this turn of the event loop: a caller that tries again in its callback would keep the loop from turning.
      setImmediate(() => this.#fail(operation, error))
    }
    return operation.promise
  }

  /**
   * Gives a callback or promise the result of a call that is made of others.
   * @param {Callback | undefined} callback
   * @param {Promise<any>} promise
   * @returns {Promise<any> | undefined}
   */
  adopt(callback, promise) {
    const operation = operationFor(callback)
    promise.then(
      (value) => nextTick(() => operation.settle(null, value)),
      (error) => setImmediate(() => this.#fail(operation, error))
    )
    return operation.promise
  }

  /** To be called when the addon has outcomes. */
  arrived() {
    this.#delivery.arrived()
  }

  /**
   * @param {Operation} operation
   * @param {import('../binding.js').OutcomeType} type
   * @param {any} value
   * @param {any} detail
   */
  #finish(operation, type, value, detail) {
    let result
    try {
      result = operation.read(type, value, detail)
    } catch (error) {
      this.#fail(operation, error)
      return
    }
    operation.settle(null, result)
  }

  /**
   * @param {Operation} operation
   * @param {unknown} error
   */
  #fail(operation, error) {
    const ours = errorOf(error)
    // A call that is made of others fails with the error of one of them.
    if (!this.#seen.has(ours)) {
      this.#seen.add(ours)
      this.#failed(ours)
    }
    operation.settle(ours)
  }
}

/**
 * Opens the addon's store, and makes what its calls need.
 *
 * The addon's store keeps `arrived` alive, and so the operations and `failed`. These must not keep the addon's store alive in turn,
 * or one that the application has dropped would never be garbage-collected and closed: so the operations refer to it
 * weakly, and `failed` must refer neither to it nor to anything that does.
 * @param {import('../binding.js').StoreOptions} options
 * @param {(error: SessionStoreError) => void} failed is called with the error of every call that fails
 */
function openNative(options, failed) {
  const outcomes = new NativeOutcomes()
  /** @type {NativeStore | undefined} */
  let silent
  const submit = () => {
    // Not before, so that a store that is never used leaves nothing open.
    silent?.listen(arrived)
    silent = undefined
    reference.deref()?.submit()
  }
  const operations = new Operations(submit, () => outcomes.take(), failed)
  const arrived = () => {
    const note = debug.enabled ? reference.deref()?.takeNote() : null
    if (note) debug('%s', note)
    operations.arrived()
  }
  const native = translated(() => new NativeStore(options, outcomes))
  const reference = new WeakRef(native)
  silent = native
  return { native, operations }
}

module.exports = { Operations, openNative }
