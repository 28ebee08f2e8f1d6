'use strict'

const fs = require('node:fs')
const { monitorEventLoopDelay } = require('node:perf_hooks')

// 200 buckets to a factor of e: each is half a percent wide.
const PRECISION = 200
const BUCKETS = 26 * PRECISION

/** Counts durations in buckets of half a percent, in 42 KB however many there are. */
class Histogram {
  constructor() {
    this.buckets = new Float64Array(BUCKETS)
  }

  add(/** @type {number} */ milliseconds) {
    const nanoseconds = milliseconds * 1e6
    this.buckets[nanoseconds < 1 ? 0 : (Math.log(nanoseconds) * PRECISION) | 0]++
  }

  /** The filled buckets, to be sent to another process. */
  entries() {
    return [...this.buckets.entries()].filter(([, count]) => count > 0)
  }
}

/**
 * @param {[number, number][]} entries of one histogram, or of several one after the other
 * @param {number} fraction
 * @returns {number} microseconds
 */
function quantile(entries, fraction) {
  const sorted = [...entries].sort(([a], [b]) => a - b)
  const total = sorted.reduce((sum, [, count]) => sum + count, 0)
  let seen = 0
  for (const [bucket, count] of sorted) {
    seen += count
    if (seen >= total * fraction) {
      return Math.exp((bucket + 0.5) / PRECISION) / 1000
    }
  }
  return Number.NaN
}

/** CPU time of the main thread in microseconds, null where the system does not tell it. */
function mainThreadCpu() {
  if (typeof process.threadCpuUsage === 'function') {
    const { user, system } = process.threadCpuUsage()
    return user + system
  }
  const times = read(`/proc/self/task/${process.pid}/schedstat`)
  return times ? Number(times.split(' ')[0]) / 1000 : null
}

function processCpu() {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Time in which all processors were busy, or taken by the host of a virtual machine, in microseconds. */
function machineCpu() {
  const line = read('/proc/stat')?.split('\n', 1)[0]
  if (!line) return null
  const [user, nice, system, , , irq, softirq, steal] = line
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) * 10000)
  return { busy: user + nice + system + irq + softirq, steal }
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

/** What a process uses from now on. Call `end()` for the difference. */
class Usage {
  constructor() {
    // The finest step of the timer; it is part of each value and is taken off again.
    this.resolution = 1
    this.delay = monitorEventLoopDelay({ resolution: this.resolution })
    this.delay.enable()
    this.begin = performance.now()
    this.machine = machineCpu()
    this.process = processCpu()
    this.main = mainThreadCpu()
  }

  /** Waits until the timer has fired: before it has for the first time, a delay is not seen. */
  async tick() {
    const before = this.delay.count
    while (this.delay.count === before) await new Promise((resolve) => setImmediate(resolve))
  }

  end() {
    const main = mainThreadCpu()
    const own = processCpu() - this.process
    const machine = machineCpu()
    const seconds = (performance.now() - this.begin) / 1000
    this.delay.disable()
    const delay = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - this.resolution)
    return {
      seconds,
      mainCpu: main === null ? null : main - this.main,
      processCpu: own,
      otherCores: machine ? Math.max(0, machine.busy - this.machine.busy - own) / seconds / 1e6 : null,
      stolenCores: machine ? (machine.steal - this.machine.steal) / seconds / 1e6 : null,
      loopDelayP99: delay(this.delay.percentile(99)),
      loopDelayMax: delay(this.delay.max),
      rss: process.memoryUsage.rss()
    }
  }
}

module.exports = { Histogram, quantile, machineCpu, Usage }
