'use strict'

const { quantile } = require('./measure')

/** What several processes of one trial did together. CPU times are per operation, delays and memory of the worst process. */
function joinProcesses(results) {
  const sum = (key) => results.reduce((total, one) => total + one[key], 0)
  const most = (key) => Math.max(...results.map((one) => one[key]))
  const latency = results.flatMap((one) => one.latency)
  const operations = sum('operations')
  const first = results[0]
  const siblings = (sum('processCpu') - first.processCpu) / first.seconds / 1e6
  return {
    operations,
    seconds: most('seconds'),
    rate: results.reduce((rate, one) => rate + one.operations / one.seconds, 0),
    p50: quantile(latency, 0.5),
    p99: quantile(latency, 0.99),
    mainCpu: first.mainCpu === null ? null : sum('mainCpu') / operations,
    processCpu: sum('processCpu') / operations,
    otherCores: first.otherCores === null ? null : Math.max(0, first.otherCores - siblings),
    stolenCores: first.stolenCores,
    loopDelayP99: most('loopDelayP99'),
    loopDelayMax: most('loopDelayMax'),
    rss: most('rss'),
    stats: first.stats
  }
}

function median(values) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b)
  if (sorted.length === 0) return null
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Medians over the rounds of one peer in one cell. `spread` is the fastest round by the slowest. */
function summarize(trials) {
  const done = trials.filter((trial) => !trial.error)
  if (done.length === 0) return { error: trials[0]?.error ?? 'not run' }
  const of = (key) => median(done.map((trial) => trial[key]))
  const rates = done.map((trial) => trial.rate)
  return {
    rounds: done.length,
    failures: trials.length - done.length,
    rate: of('rate'),
    spread: Math.max(...rates) / Math.min(...rates),
    p50: of('p50'),
    p99: of('p99'),
    mainCpu: of('mainCpu'),
    processCpu: of('processCpu'),
    otherCores: of('otherCores'),
    loopDelayP99: of('loopDelayP99'),
    loopDelayMax: Math.max(...done.map((trial) => trial.loopDelayMax)),
    rss: of('rss')
  }
}

/** How many times faster `one` is than `other`, or null if the rounds do not allow to say. */
function ratio(one, other, limit) {
  if (one.error || other.error) return null
  const settled = (cell) => cell.rounds > 1 && cell.failures === 0 && cell.spread <= limit
  return settled(one) && settled(other) ? one.rate / other.rate : null
}

module.exports = { joinProcesses, summarize, ratio, median }
