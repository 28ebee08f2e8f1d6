'use strict'

const { MAX_TIMER_MS } = require('./timers.js')

/**
 * Starts the timer that removes the expired sessions of a store once and starts the next one.
 * @param {{ startExpiringSessions(): void, clearExpiredSessions(callback: () => void): unknown }} store
 * @param {number} interval in ms
 * @returns {NodeJS.Timeout}
 */
function startPruneTimer(store, interval) {
  // Half to one and a half times the interval, so that processes that start together do not prune together.
  const delay = Math.min(interval * (0.5 + Math.random()), MAX_TIMER_MS)
  // The timer must not keep a store alive that nothing else references.
  const held = new WeakRef(store)
  const timer = setTimeout(() => {
    held.deref()?.startExpiringSessions()
    // An error has been counted and logged by then, and the next run tries again.
    held.deref()?.clearExpiredSessions(() => {})
  }, delay)
  timer.unref?.()
  return timer
}

module.exports = { startPruneTimer }
