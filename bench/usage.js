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
    this.process = sum(process.cpuUsage())
    this.main = mainThreadCpu()
  }

  /** Waits until the monitor has ticked: a delay that began before its next tick is counted from there only. */
  async tick() {
    const before = this.delay.count
    while (this.delay.count === before) await new Promise((resolve) => setImmediate(resolve))
  }

  /** CPU times are in microseconds for each of the operations, delays in milliseconds, `rss` in bytes. */
  end(operations) {
    const main = mainThreadCpu()
    const seconds = (performance.now() - this.begin) / 1000
    this.delay.disable()
    const delay = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION)
    return {
      rate: operations / seconds,
      mainCpu: main && (main - this.main) / operations,
      processCpu: (sum(process.cpuUsage()) - this.process) / operations,
      loopDelayP99: delay(this.delay.percentile(99)),
      loopDelayMax: delay(this.delay.max),
      rss: process.memoryUsage.rss()
    }
  }
}

const sum = ({ user, system }) => user + system

/** Undefined where neither Node.js nor the system tells. */
function mainThreadCpu() {
  if (process.threadCpuUsage) return sum(process.threadCpuUsage())
  const file = `/proc/self/task/${process.pid}/schedstat`
  return fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8').split(' ')[0]) / 1000 : undefined
}

module.exports = { Usage }
