'use strict'

const { databases } = require('./databases')
const { peers } = require('./peers')

// How much slower than the other build a cell may be before it is listed.
const TOLERANCE = 0.05

/** One object for the trials of each cell, with the medians of its rounds, in the order in which they were first measured. */
function figuresOf(trials) {
  return grouped(trials, (trial) => `${caseOf(trial)},${trial.peer}`).map((group) => {
    const done = group.filter((trial) => !trial.error)
    const names = Object.keys(done[0] ?? {}).filter((name) => typeof done[0][name] === 'number')
    const medians = names.map((name) => [name, median(done.map((trial) => trial[name]))])
    const failure = group.find((trial) => trial.error ?? trial.firstError)
    return { ...group[0], ...Object.fromEntries(medians), done, failure: failure?.error ?? failure?.firstError }
  })
}

/** What the cells of the stores that are compared with each other have in common. */
function caseOf({ suite, database, rows, expired, workload, callers }) {
  return [suite, database, rows, expired, workload, callers].join()
}

function grouped(items, id) {
  const groups = new Map()
  for (const item of items) groups.set(id(item), [...(groups.get(id(item)) ?? []), item])
  return [...groups.values()]
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** How many times as fast `one` is as `other`: of each round, since the trials of a round follow one another. */
function ratio(one, other) {
  const ratios = one.done.flatMap(({ round, rate }) => {
    const twin = other.done.find((trial) => trial.round === round)
    return twin ? [rate / twin.rate] : []
  })
  if (one === other || ratios.length === 0) return undefined
  const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`
  return { median: median(ratios), range }
}

/** What people look at first: on each database a panel for each workload with most callers, and for Express. */
function overviewOf(figures) {
  const most = Math.max(...figures.filter(({ suite }) => suite === 'store').map(({ callers }) => callers))
  const shown = figures.filter(({ suite, callers }) => suite === 'express' || (suite === 'store' && callers === most))
  return grouped(shown, ({ database }) => database).map((all) => {
    const panels = grouped(all, caseOf).map((cells) => {
      const [{ suite, workload, callers }] = cells
      return suite === 'express'
        ? { title: `Express: ${workload}`, load: `${callers} connections to Express`, cells }
        : { title: workload, load: `${callers} callers`, cells }
    })
    return { database: all[0].database, title: databases[all[0].database].title, panels }
  })
}

async function summary(figures) {
  const parts = overviewOf(figures).map(async ({ title, panels }) => {
    const columns = panels.map(({ title, cells }) => {
      const value = (peer) => {
        const cell = cells.find((one) => one.peer === peer)
        const faster = cell && ratio(cells[0], cell)
        return cell && rateOf(cell) + (faster ? ` (${faster.median.toFixed(faster.median < 10 ? 1 : 0)}×)` : '')
      }
      return [title, value]
    })
    const stores = new Set(panels.flatMap(({ cells }) => cells.map(({ peer }) => peer)))
    const loads = new Set(panels.map(({ load }) => load))
    const rows = await table([...stores], [['Store', (peer) => peers[peer].name], ...columns], 1)
    return `### ${title}, ${[...loads].join(', ')}\n\n${rows}`
  })
  if (parts.length === 0) return ''
  const { name } = peers[figures[0].peer]
  const legend = `Operations or requests per second, and in parentheses how many times as fast ${name} is.`
  return [legend, ...(await Promise.all(parts))].join('\n\n')
}

/** The cells in which the build of this checkout is slower than the other one. */
function comparison(figures) {
  const others = figures.filter(({ peer }) => peer === 'against')
  if (others.length === 0) return ''
  const slower = others.flatMap((other) => {
    const cell = figures.find((one) => one.peer === 'ours' && caseOf(one) === caseOf(other))
    const found = cell && ratio(cell, other)
    return found?.median < 1 - TOLERANCE ? [`- ${nameOf(cell)}: ${found.median.toFixed(2)} (${found.range})`] : []
  })
  const head = `Slower than the other build by more than ${TOLERANCE * 100} %: ${slower.length} of ${others.length} cells`
  return `${head}\n\n${slower.join('\n')}`
}

/** The tables of each suite on each database, with all that was measured. */
async function details(figures) {
  const parts = grouped(figures, ({ suite, database }) => `${suite} ${database}`).map(async (cells) => {
    const [{ suite, database, rounds, seconds, warmup }] = cells
    const failed = cells.filter((cell) => cell.failure)
    return [
      `## ${databases[database].title}: ${suite}\n`,
      `${rounds} rounds of ${seconds} s after ${warmup} s of warm-up.\n`,
      await detailed(cells),
      '',
      ...failed.map((cell) => `- ${nameOf(cell)}: ${cell.failure.split('\n')[0]}`)
    ].join('\n')
  })
  return (await Promise.all(parts)).map((part) => part.trim()).join('\n\n')
}

function detailed(cells) {
  const faster = (cell) => {
    const first = cells.find((one) => caseOf(one) === caseOf(cell))
    const found = ratio(first, cell)
    return found && `${found.median.toFixed(2)} (${found.range})`
  }
  const columns = [
    ['Workload', (cell) => cell.workload],
    ['Store', (cell) => peers[cell.peer].name],
    ['Sessions', (cell) => digits(cell.rows)],
    ['Expired', (cell) => digits(cell.expired)],
    ['Callers', (cell) => cell.callers],
    ['Operations/s', rateOf],
    ['before pruning', (cell) => digits(cell.rateBefore)],
    [`${peers[cells[0].peer].name} is … times as fast (rounds)`, faster],
    ['p50 µs', (cell) => digits(cell.p50)],
    ['p99 µs', (cell) => digits(cell.p99)],
    ['before pruning', (cell) => digits(cell.p99Before)],
    ['CPU µs/op, main thread', (cell) => digits(cell.mainCpu)],
    ['CPU µs/op, process', (cell) => digits(cell.processCpu)],
    ['Loop delay ms, p99', (cell) => digits(cell.loopDelayP99)],
    ['max', (cell) => digits(cell.loopDelayMax)],
    ['RSS MB', (cell) => digits(cell.rss / 2 ** 20)],
    ['Pruning s', (cell) => cell.expired && digits(cell.workSeconds)]
  ]
  return table(cells, columns, 2)
}

/** Everything that was measured, as Markdown. */
async function report(result, figures) {
  const { date, machine, node, packages, builds, servers, args, changed } = result
  const options = Object.entries(args).map(([name, value]) => ` --${name} ${name === 'against' ? '…' : value}`)
  const parts = [
    '# Figures',
    `${date}, ${machine}, Node.js ${node}. How they are measured is in [README.md](../README.md).`,
    `\`npm run bench${options.length > 0 ? ' --' : ''}${options.join('')}\``,
    [...servers, [...builds, ...packages].join(', ')].map((line) => `- ${line}`).join('\n'),
    changed && '**A build was replaced during the run: the figures are of no use.**',
    await summary(figures),
    comparison(figures).trim(),
    await details(figures)
  ]
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

/** Columns have a head and a function of a row; the first `texts` are aligned to the left, and those without a value are left out. */
async function table(rows, columns, texts) {
  const { markdownTable } = await import('markdown-table')
  const used = columns.filter(([, value]) => rows.some(value))
  const cells = rows.map((row) => used.map(([, value]) => String(value(row) ?? '')))
  return markdownTable([used.map(([head]) => head), ...cells], {
    align: used.map((_, index) => (index < texts ? 'l' : 'r'))
  })
}

function nameOf({ database, suite, workload, callers, peer }) {
  return `${databases[database].title}, ${suite}: ${workload} × ${callers}, ${peers[peer].name}`
}

function rateOf({ done, rate, failure }) {
  if (done.length === 0) return 'failed'
  return `${digits(rate)}${failure ? ' (errors)' : ''}`
}

/** Three digits, or all before the point. */
function digits(value) {
  const options = { maximumSignificantDigits: 3, maximumFractionDigits: 0, roundingPriority: 'morePrecision' }
  return Number.isFinite(value) ? value.toLocaleString('en-US', options) : ''
}

module.exports = { grouped, figuresOf, overviewOf, summary, comparison, details, report, nameOf, rateOf }
