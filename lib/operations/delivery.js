'use strict'

const { OUTCOME_STRIDE } = require('../addon.js')
const { nextTick, setImmediate } = require('../timers.js')

/**
 * After this number of outcomes, the addon begins what their callers have called meanwhile, so that the database works
 * while the others are settled.
 */
const STEP = 8

/** An outcome with a text of more characters counts as a step of its own, since its caller has a lot to parse. */
const LARGE = 16_384

/** After this time, in ms, the event loop turns before the other outcomes are settled. */
const TURN_MS = 0.5

/**
 * Hands out the outcomes that the addon has, each on a tick of its own. Takes a bounded number of bytes from the addon at a
 * time, and the next when these are settled.
 *
 * @typedef {(ticket: number, type: import('../binding.js').OutcomeType, value: any, detail: any) => void} Settle
 */
class Delivery {
  /**
   * What was taken from the addon, and the position of the next outcome in it.
   * @type {any[]}
   */
  #outcomes = []
  #at = 0
  /** Number of outcomes handed out in this turn of the event loop. */
  #count = 0
  /** When this turn should end. */
  #deadline = 0
  /** Whether the last outcome was large. */
  #large = false
  #take
  #settle
  #submission
  #next = () => this.#settleNext()

  /**
   * @param {() => any[] | null} take the next outcomes of the addon
   * @param {import('./submission.js').Submission} submission
   * @param {Settle} settle
   */
  constructor(take, submission, settle) {
    this.#take = take
    this.#settle = settle
    this.#submission = submission
  }

  /**
   * Hands out outcomes until the addon has none, beginning in a turn of the event loop. Not at once: Node calls functions
   * from other threads as long as there are any, so callers that call again in their callbacks would keep the event loop
   * from turning.
   */
  arrived() {
    setImmediate(() => this.#begin())
  }

  #begin() {
    if (!this.#takes()) return
    this.#submission.hold()
    this.#count = 0
    this.#large = false
    this.#deadline = performance.now() + TURN_MS
    this.#settleNext()
  }

  /** Takes the next outcomes of the addon, if those that were taken before are settled. Returns whether there are any. */
  #takes() {
    if (this.#at < this.#outcomes.length) return true
    this.#at = 0
    this.#outcomes = this.#take() ?? []
    return this.#outcomes.length > 0
  }

  #settleNext() {
    const stepDone = ++this.#count % STEP === 0 || this.#large
    if (stepDone) {
      this.#submission.now()
      if (performance.now() > this.#deadline) {
        this.#submission.release()
        this.arrived()
        return
      }
    }
    if (this.#at >= this.#outcomes.length) {
      this.#submission.now()
      this.#submission.release()
      if (this.#takes()) this.arrived()
      return
    }
    // First, so that a callback that throws does not stop the others.
    nextTick(this.#next)
    const at = this.#at
    this.#at += OUTCOME_STRIDE
    const outcomes = this.#outcomes
    const value = outcomes[at + 2]
    // Numbers and errors have no length. A page has one, but is no more than its caller can take.
    this.#large = value?.length > LARGE
    this.#settle(outcomes[at], outcomes[at + 1], value, outcomes[at + 3])
  }
}

module.exports = { Delivery }
