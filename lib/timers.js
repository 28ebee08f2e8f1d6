'use strict'

// Taken when the module is loaded, and from `node:timers`: tests that fake the clock replace the global functions, which
// would stop every store.
const { setImmediate, setInterval } = require('node:timers')
const { nextTick } = process

/** The longest delay that Node's timers take, in ms; a longer one would mean 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1

module.exports = { MAX_TIMER_MS, nextTick, setImmediate, setInterval }
