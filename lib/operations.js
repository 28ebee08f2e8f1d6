'use strict'

const { AsyncResource } = require('node:async_hooks')
const { setImmediate, setInterval } = require('node:timers')

const { SessionStoreError, fromAddon } = require('./error.js')

/** What an outcome is; the numbers of `src/binding/outcome.rs`. */
const OUTCOME = Object.freeze({ done: 0, missing: 1, unreadable: 2, session: 3, count: 4, page: 5, failed: 6 })

/** Values per outcome in the flat array that the addon delivers: ticket, kind, value, expires. */
const STRIDE = 4

/**
 * After how many outcomes the addon begins what their callers have called meanwhile, so that the database works while
 * the others are settled; and after how many ms the event loop turns in between.
 */
const STEP = 8
const TURN_MS = 0.5

/** The longest period that Node's timers take; a longer one would mean 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * @typedef {(error: SessionStoreError | null, value?: any) => void} Callback
 * @typedef {(kind: number, value: any, expires: number | undefined) => any} Read turns an outcome into what the caller
 *   gets; may throw a SessionStoreError
 */

// Taken now, and from the module above: tests that fake the clock replace the global ones, and would stop every store.
const { nextTick } = process

/** Holds the event loop while any store has something pending. Referenced then, and only then. */
const keepAlive = setInterval(() => {}, MAX_TIMER_MS)
keepAlive.unref()
let pendingInAll = 0

/** A call by callback. Keeps the asynchronous context of its caller, as AsyncLocalStorage shows it. */
class CallbackOperation extends AsyncResource {
  /**
   * @param {Callback} callback
   * @param {Read} read
   */
  constructor(callback, read) {
    super('RustSequelizeStore')
    this.callback = callback
    this.read = read
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
    // Who does not wait for the promise must not lose the process: `req.session.destroy()` drops it.
    this.promise.catch(() => {})
    this.reject?.(error)
  }
}

/**
 * The calls under way, each with a ticket by which its outcome finds it.
 *
 * Holds no reference to the addon's store: the addon keeps this alive, so such a reference would keep a store that
 * nobody holds any more from being collected.
 */
class Operations {
  /** @type {(CallbackOperation | PromiseOperation | undefined)[]} */
  #operations = []
  /** @type {number[]} */
  #free = []
  /**
   * The outcomes that are still to be settled, in batches, and the place in the first of them.
   * @type {any[][]}
   */
  #arrived = []
  #at = 0
  /** How many outcomes were settled in this turn of the event loop, and until when there may be more. */
  #settled = 0
  #deadline = 0
  #settling = false
  /** Whether there are calls that the addon has not begun. */
  #called = false
  #next = () => this.#settleNext()
  /** Has the addon begin what was called. Set when there is an addon. */
  submit = () => {}
  /** @type {(error: SessionStoreError) => void} */
  #failed

  /** @param {(error: SessionStoreError) => void} failed is told of every error */
  constructor(failed) {
    this.#failed = failed
  }

  /**
   * Starts a call.
   * @param {Callback | undefined} callback
   * @param {(ticket: number) => void} start hands the call to the addon; what it throws becomes the outcome
   * @param {Read} [read]
   * @returns {Promise<any> | undefined} a promise if there is no callback
   */
  start(callback, start, read = nothing) {
    const operation = callback ? new CallbackOperation(callback, read) : new PromiseOperation(read)
    const ticket = this.#free.pop() ?? this.#operations.length
    this.#operations[ticket] = operation
    try {
      start(ticket)
      if (pendingInAll++ === 0) keepAlive.ref()
      this.#submitLater()
    } catch (error) {
      this.#release(ticket)
      nextTick(() => this.#fail(operation, error))
    }
    return operation instanceof PromiseOperation ? operation.promise : undefined
  }

  /**
   * A call that is made of others.
   * @param {Callback | undefined} callback
   * @param {Promise<any>} promise
   * @returns {Promise<any> | undefined}
   */
  adopt(callback, promise) {
    const operation = callback ? new CallbackOperation(callback, nothing) : new PromiseOperation(nothing)
    promise.then(
      (value) => nextTick(() => operation.settle(null, value)),
      (error) => nextTick(() => operation.settle(error))
    )
    return operation instanceof PromiseOperation ? operation.promise : undefined
  }

  /**
   * Takes the outcomes of a batch, to be settled in a turn of the event loop. Not at once: Node delivers batches as
   * long as there are any, and callers that ask again in their callbacks would keep it at that, and the event loop from
   * turning.
   * @param {any[]} outcomes
   */
  arrive(outcomes) {
    this.#arrived.push(outcomes)
    if (this.#arrived.length === 1) setImmediate(() => this.#settle())
  }

  /** Begins to settle what has arrived, each outcome on a tick of its own. */
  #settle() {
    this.#settling = true
    this.#settled = 0
    this.#deadline = performance.now() + TURN_MS
    this.#settleNext()
  }

  #settleNext() {
    const outcomes = this.#arrived[0]
    const stepDone = ++this.#settled % STEP === 0
    if (stepDone || !outcomes) this.#submit()
    if (!outcomes || (stepDone && performance.now() > this.#deadline)) {
      this.#settling = false
      if (outcomes) setImmediate(() => this.#settle())
      return
    }
    // First, since what a callback throws is the caller's, and stops no other callback.
    nextTick(this.#next)
    const at = this.#at
    this.#at += STRIDE
    if (this.#at >= outcomes.length) {
      this.#arrived.shift()
      this.#at = 0
    }
    const operation = this.#release(outcomes[at])
    if (!operation) return
    if (--pendingInAll === 0) keepAlive.unref()
    const kind = outcomes[at + 1]
    if (kind === OUTCOME.failed) this.#fail(operation, fromAddon(outcomes[at + 2]))
    else this.#finish(operation, kind, outcomes[at + 2], outcomes[at + 3])
  }

  /**
   * Has the addon begin a call together with the others of this turn of the event loop: to begin means to wake up
   * another thread, which costs more than the call itself.
   */
  #submitLater() {
    if (this.#called) return
    this.#called = true
    if (!this.#settling) setImmediate(() => this.#submit())
  }

  #submit() {
    if (!this.#called) return
    this.#called = false
    this.submit()
  }

  /**
   * @param {CallbackOperation | PromiseOperation} operation
   * @param {number} kind
   * @param {any} value
   * @param {number | undefined} expires
   */
  #finish(operation, kind, value, expires) {
    let result
    try {
      result = operation.read(kind, value, expires)
    } catch (error) {
      this.#fail(operation, error)
      return
    }
    operation.settle(null, result)
  }

  /**
   * @param {CallbackOperation | PromiseOperation} operation
   * @param {any} error
   */
  #fail(operation, error) {
    const ours = error instanceof SessionStoreError ? error : fromAddon({ code: error.code, message: error.message })
    this.#failed(ours)
    operation.settle(ours)
  }

  /** @param {number} ticket */
  #release(ticket) {
    const operation = this.#operations[ticket]
    this.#operations[ticket] = undefined
    if (operation) this.#free.push(ticket)
    return operation
  }
}

function nothing() {}

module.exports = { MAX_TIMER_MS, OUTCOME, Operations }
