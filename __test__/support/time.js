'use strict'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * How long tests wait for something that has to happen, in milliseconds: far beyond what it takes, so that no test depends on how fast
 * the machine is. What never happens is reported then.
 */
const PATIENCE = 60_000

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until a condition, which something else brings about, is true. */
async function until(condition) {
  const deadline = Date.now() + PATIENCE
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE} ms in vain for ${condition}`)
    await sleep(5)
  }
}

/** How far two dates are apart, in milliseconds. */
const apart = (one, other) => Math.abs(Number(one) - Number(other))

module.exports = { DAY, HOUR, MINUTE, PATIENCE, apart, sleep, until }
