'use strict'

const { OUTCOME_STRIDE } = require('../addon.js')
const { nextTick, setImmediate } = require('../timers.js')

/**
 * After this number of outcomes, the addon begins what their callers have called meanwhile, so that the database works
 * while the others are settled.
 */
const STEP = 8

/** After this time, in ms, the event loop turns before the other outcomes are settled. */
const TURN_MS = 0.5

/**
 * Hands out the outcomes that the addon delivers, each on a tick of its own.
 *
 * @typedef {(ticket: number, type: import('../binding.js').OutcomeType, value: any, detail: any) => void} Settle
 */
class Delivery {
  /**
   * Batches that were not handed out yet, and the position in the first of them.
   * @type {any[][]}
   */
  #batches = []
  #at = 0
  /** Number of outcomes handed out in this turn of the event loop. */
  #count = 0
  /** When this turn should end. */
  #deadline = 0
  #settle
  #submission
  #next = () => this.#settleNext()

  /**
   * @param {Settle} settle
   * @param {import('./submission.js').Submission} submission
   */
  constructor(settle, submission) {
    this.#settle = settle
    this.#submission = submission
  }

  /**
   * Takes the outcomes of a batch, to be handed out in a turn of the event loop. Not at once: Node delivers batches as
   * long as there are any, so callers that call again in their callbacks would keep the event loop from turning.
   * @param {any[]} outcomes
   */
  arrive(outcomes) {
    this.#batches.push(outcomes)
    if (this.#batches.length === 1) setImmediate(() => this.#begin())
  }

  #begin() {
    this.#submission.hold()
    this.#count = 0
    this.#deadline = performance.now() + TURN_MS
    this.#settleNext()
  }

  #settleNext() {
    const outcomes = this.#batches[0]
    const stepDone = ++this.#count % STEP === 0
    if (stepDone || !outcomes) this.#submission.now()
    if (!outcomes || (stepDone && performance.now() > this.#deadline)) {
      this.#submission.release()
      if (outcomes) setImmediate(() => this.#begin())
      return
    }
    // First, so that a callback that throws does not stop the others.
    nextTick(this.#next)
    const at = this.#at
    this.#at += OUTCOME_STRIDE
    if (this.#at >= outcomes.length) {
      this.#batches.shift()
      this.#at = 0
    }
    this.#settle(outcomes[at], outcomes[at + 1], outcomes[at + 2], outcomes[at + 3])
  }
}

module.exports = { Delivery }
