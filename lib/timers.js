'use strict'

const timers = require('node:timers')

// Taken when the module is loaded, and from `node:timers`: tests that fake the clock replace the global functions, which
// would stop every store.
const setImmediate = genuine(timers.setImmediate, 'setImmediate')
const setInterval = genuine(timers.setInterval, 'setInterval')
const nextTick = genuine(process.nextTick, 'nextTick')

/**
 * The function in whose place there may be a fake, of tests that faked the clock before they loaded the store. Jest, Sinon.JS and
 * Vitest use one library for that, whose fakes have a clock that keeps what they replaced.
 * @template {Function} T
 * @param {T} timer
 * @param {string} name
 * @returns {T}
 */
function genuine(timer, name) {
  const { clock } = /** @type {{ clock?: Record<string, unknown> }} */ (/** @type {unknown} */ (timer))
  const replaced = clock?.[`_${name}`]
  return typeof replaced === 'function' ? /** @type {T} */ (/** @type {unknown} */ (replaced)) : timer
}

/** The longest delay that Node's timers take, in ms; a longer one would mean 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1

module.exports = { MAX_TIMER_MS, nextTick, setImmediate, setInterval }
