'use strict'

const { MAX_TIMER_MS, setInterval } = require('../timers.js')

/** Keeps the event loop alive while any store has something pending: it is referenced then, and only then. */
const keepAlive = setInterval(() => {}, MAX_TIMER_MS)
keepAlive.unref()

/** Tickets in use in all stores of this thread. */
let inUse = 0

/** The operations under way, each with a number by which its outcome finds it. */
class Tickets {
  /** @type {(import('./operation.js').Operation | undefined)[]} */
  #operations = []
  /** @type {number[]} */
  #free = []

  /**
   * @param {import('./operation.js').Operation} operation
   * @returns {number}
   */
  issue(operation) {
    const ticket = this.#free.pop() ?? this.#operations.length
    this.#operations[ticket] = operation
    if (inUse++ === 0) keepAlive.ref()
    return ticket
  }

  /**
   * Frees a ticket.
   * @param {number} ticket
   * @returns the operation that had it
   */
  redeem(ticket) {
    const operation = this.#operations[ticket]
    if (!operation) return undefined
    this.#operations[ticket] = undefined
    this.#free.push(ticket)
    if (--inUse === 0) keepAlive.unref()
    return operation
  }
}

module.exports = { Tickets }
