'use strict'

/**
 * A map of the entries that were set last. It has no more than `limit` of them, and drops the oldest by halves, which costs
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

  /** @param {string} key */
  get(key) {
    return this.#newer.get(key) ?? this.#older.get(key)
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

  /** @param {string} key */
  delete(key) {
    this.#newer.delete(key)
    this.#older.delete(key)
  }
}

module.exports = { RecentMap }
