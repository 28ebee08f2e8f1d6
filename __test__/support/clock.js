'use strict'

/** Everything that Jest can fake but the date. */
const REAL = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout'
]

/** Registers a clock for each test of a suite, which stands still where it is set, in ms from now. */
function withClock() {
  let start

  beforeEach(() => {
    start = Date.now()
    jest.useFakeTimers({ doNotFake: REAL, now: start })
  })

  afterEach(() => jest.useRealTimers())

  return (ms) => jest.setSystemTime(start + ms)
}

module.exports = { withClock }
