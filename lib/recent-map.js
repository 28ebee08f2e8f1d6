'use strict'

/**
 * A map of the entries that were used last. It has no more than `limit` of them, and drops the oldest by halves, which costs
 * less than keeping them in order.
 * @template Value
 */
class RecentMap {
  /** @type {Map<string, Value>} */
  #newer = new Map()
  /** @type {Map<string, Value>} */
  #older = new Map()
  #half

  /** @param {number} limit */
  constructor(limit) {
    this.#half = limit / 2
  }

  /**
   * Counts as setting the entry again.
   * @param {string} key
   */
  get(key) {
    const newer = this.#newer.get(key)
    if (newer !== undefined) return newer
    const older = this.#older.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  /**
   * @param {string} key
   * @param {Value} value
   */
  set(key, value) {
    this.#newer.set(key, value)
    if (this.#newer.size < this.#half) return
    this.#older = this.#newer
    this.#newer = new Map()
  }
}

module.exports = { RecentMap }
