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
    errors: sum('errors'),
    firstError: results.find((one) => one.firstError)?.firstError,
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
    errors: done.reduce((sum, trial) => sum + trial.errors, 0),
    firstError: done.find((trial) => trial.firstError)?.firstError ?? trials.find((trial) => trial.error)?.error,
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

/** Slope of a line, with twice its standard error. */
function regression(xs, ys) {
  const n = xs.length
  const mean = (values) => values.reduce((sum, one) => sum + one, 0) / n
  const [mx, my] = [mean(xs), mean(ys)]
  const sxx = xs.reduce((sum, x) => sum + (x - mx) ** 2, 0)
  const sxy = xs.reduce((sum, x, i) => sum + (x - mx) * (ys[i] - my), 0)
  const slope = sxy / sxx
  const rest = ys.reduce((sum, y, i) => sum + (y - my - slope * (xs[i] - mx)) ** 2, 0)
  return { slope, error: 2 * Math.sqrt(rest / (n - 2) / sxx) }
}

module.exports = { joinProcesses, summarize, median, regression }
