'use strict'

const fs = require('node:fs')
const { monitorEventLoopDelay } = require('node:perf_hooks')

// Milliseconds; the finest step of the monitor. It is part of each value and is subtracted.
const RESOLUTION = 1

/** CPU time and event loop delay of this process, from its construction to `end()`. */
class Usage {
  constructor() {
    this.delay = monitorEventLoopDelay({ resolution: RESOLUTION })
    this.delay.enable()
    this.begin = performance.now()
    this.process = processCpu()
    this.main = mainThreadCpu()
  }

  /** Waits until the monitor has ticked: a delay that began before its next tick is counted from there only. */
  async tick() {
    const before = this.delay.count
    while (this.delay.count === before) await new Promise((resolve) => setImmediate(resolve))
  }

  /** CPU times are in microseconds, delays in milliseconds, `rss` in bytes. */
  end() {
    const main = mainThreadCpu()
    this.delay.disable()
    const delay = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION)
    return {
      seconds: (performance.now() - this.begin) / 1000,
      mainCpu: main === null ? null : main - this.main,
      processCpu: processCpu() - this.process,
      loopDelayP99: delay(this.delay.percentile(99)),
      loopDelayMax: delay(this.delay.max),
      rss: process.memoryUsage.rss()
    }
  }
}

function processCpu() {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Null where the system does not tell. */
function mainThreadCpu() {
  if (typeof process.threadCpuUsage === 'function') {
    const { user, system } = process.threadCpuUsage()
    return user + system
  }
  try {
    const times = fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8')
    return Number(times.split(' ')[0]) / 1000
  } catch {
    return null
  }
}

module.exports = { Usage }
