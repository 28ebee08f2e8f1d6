'use strict'

const { AsyncResource } = require('node:async_hooks')

/**
 * The calls under way on one session: the last write, and the reads called after it.
 * @typedef {{ write: Promise<void> | undefined, reads: Set<Promise<void>> }} SessionCalls
 */

/**
 * The order of the calls on a table, as docs/api.md promises it. A call begins at once if nothing before it is in its way.
 * What a call runs must not reject.
 */
class CallOrder {
  /** @type {Set<Promise<void>>} */
  #all = new Set()
  /** @type {Map<string, SessionCalls>} */
  #sessions = new Map()
  /**
   * The last call that all later ones wait for.
   * @type {Promise<void> | undefined}
   */
  #barrier
  #isFree

  /**
   * @param {() => boolean} isFree whether the current call need not wait: in a transaction of the application, whose
   *   connection has an order of its own, it could wait for a call that waits for this transaction
   */
  constructor(isFree) {
    this.#isFree = isFree
  }

  /**
   * After the writes of this session.
   * @param {string} sid
   * @param {() => Promise<void>} run
   */
  read(sid, run) {
    const calls = this.#callsOf(sid)
    const done = this.#begin([calls.write], run)
    calls.reads.add(done)
    this.#end(done, () => {
      calls.reads.delete(done)
      this.#forget(sid, calls)
    })
  }

  /**
   * After all calls on this session.
   * @param {string} sid
   * @param {() => Promise<void>} run
   */
  write(sid, run) {
    const calls = this.#callsOf(sid)
    const done = this.#begin([calls.write, ...calls.reads], run)
    calls.write = done
    calls.reads = new Set()
    this.#end(done, () => {
      if (calls.write === done) calls.write = undefined
      this.#forget(sid, calls)
    })
  }

  /**
   * Waits for no session.
   * @param {() => Promise<void>} run
   */
  beside(run) {
    this.#end(this.#begin([], run))
  }

  /**
   * After all writes called before.
   * @param {() => Promise<void>} run
   */
  afterWrites(run) {
    const writes = [...this.#sessions.values()].map(({ write }) => write)
    this.#end(this.#begin(writes, run))
  }

  /**
   * After all calls, and before all later ones.
   * @param {() => Promise<void>} run
   */
  alone(run) {
    const done = this.#begin([...this.#all], run)
    this.#barrier = done
    this.#end(done, () => {
      if (this.#barrier === done) this.#barrier = undefined
    })
  }

  /** @param {string} sid */
  #callsOf(sid) {
    let calls = this.#sessions.get(sid)
    if (!calls) {
      calls = { write: undefined, reads: new Set() }
      this.#sessions.set(sid, calls)
    }
    return calls
  }

  /**
   * @param {string} sid
   * @param {SessionCalls} calls
   */
  #forget(sid, calls) {
    if (!calls.write && calls.reads.size === 0 && this.#sessions.get(sid) === calls) this.#sessions.delete(sid)
  }

  /**
   * @param {(Promise<void> | undefined)[]} before
   * @param {() => Promise<void>} run
   * @returns {Promise<void>}
   */
  #begin(before, run) {
    const waits = [this.#barrier, ...before].filter((each) => each !== undefined)
    if (waits.length === 0 || this.#isFree()) return run()
    // In the caller's asynchronous context, by which Sequelize finds a transaction.
    return Promise.all(waits).then(AsyncResource.bind(run))
  }

  /**
   * @param {Promise<void>} done
   * @param {() => void} [then]
   */
  #end(done, then) {
    this.#all.add(done)
    done.then(() => {
      this.#all.delete(done)
      then?.()
    })
  }
}

module.exports = { CallOrder }
