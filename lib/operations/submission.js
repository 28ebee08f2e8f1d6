'use strict'

const { setImmediate } = require('../timers.js')

/**
 * Makes the addon begin calls, those of one turn of the event loop together: beginning wakes another thread, which costs
 * more than the call itself.
 */
class Submission {
  #submit
  /** Whether there are calls that the addon has not begun. */
  #waiting = false
  #held = false

  /** @param {() => void} submit makes the addon begin */
  constructor(submit) {
    this.#submit = submit
  }

  /** Begins the calls later in this turn of the event loop. */
  later() {
    if (this.#waiting) return
    this.#waiting = true
    if (!this.#held) setImmediate(() => this.now())
  }

  /** Begins the calls, if there are any. */
  now() {
    if (!this.#waiting) return
    this.#waiting = false
    this.#submit()
  }

  /** From now on, calls wait for `now`. */
  hold() {
    this.#held = true
  }

  /** Ends what `hold` began. */
  release() {
    this.#held = false
  }
}

module.exports = { Submission }
