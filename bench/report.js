'use strict'

const { TITLES } = require('./databases')
const { peers, findPeer } = require('./peers')
const { suites } = require('./suites')

// How much slower than the other build a cell may be before it is listed.
const TOLERANCE = 0.05

/** One object for the trials of each cell, with the medians of its rounds: by database, suite, workload, size and store, each in the order of its registry. */
function figuresOf(/** @type {any[]} */ trials) {
  const figures = grouped(
    [...trials].sort((a, b) => a.round - b.round),
    keyOf
  ).map((group) => {
    const done = group.filter((trial) => !trial.error)
    const names = Object.keys(done[0] ?? {}).filter((name) => typeof done[0][name] === 'number')
    const medians = names.map((name) => [name, median(done.map((trial) => trial[name]))])
    const failure = group.find((trial) => trial.error ?? trial.firstError)
    return { ...group[0], ...Object.fromEntries(medians), done, failure: failure?.error ?? failure?.firstError }
  })
  const ranks = new Map(figures.map((cell) => [cell, rankOf(cell)]))
  const order = (a, b) => a.map((rank, index) => rank - b[index]).find((difference) => difference !== 0) ?? 0
  return figures.sort((a, b) => order(ranks.get(a), ranks.get(b)))
}

function keyOf({ suite, database, rows, workload, callers, peer }) {
  return [suite, database, rows, workload, callers, peer].join()
}

function rankOf({ suite, database, rows = 0, workload, callers, peer }) {
  return [
    Object.keys(TITLES).indexOf(database),
    Object.keys(suites).indexOf(suite),
    suites[suite].lists.workload.indexOf(workload),
    rows,
    callers,
    peers.findIndex(({ alias }) => alias === peer)
  ]
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
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) }
}

/** What people look at first: each store on a database with most callers, and Express. */
function panelsOf(figures, database) {
  const callers = Math.max(...figures.filter(({ suite }) => suite === 'store').map((cell) => cell.callers))
  const shown = figures.filter(
    (cell) =>
      cell.database === database && (cell.suite === 'express' || (cell.suite === 'store' && cell.callers === callers))
  )
  return grouped(shown, ({ suite, workload }) => `${suite} ${workload}`).map((cells) => {
    const [{ suite, workload, callers }] = cells
    const express = suite === 'express'
    return { title: express ? `Express: ${workload}` : workload, callers, express, cells }
  })
}

async function summary(/** @type {any} */ result) {
  const figures = figuresOf(result.trials)
  const lines = []
  for (const [database, title] of Object.entries(TITLES)) {
    const panels = panelsOf(figures, database)
    if (panels.length === 0) continue
    const stores = grouped(
      panels.flatMap(({ cells }) => cells),
      ({ peer }) => peer
    ).map(([{ peer }]) => peer)
    const rows = stores.map((peer) => [
      findPeer(peer).name,
      ...panels.map(({ cells }) => {
        const cell = cells.find((one) => one.peer === peer)
        const faster = cell && ratio(cells[0], cell)
        return cell ? `${rateOf(cell)}${faster ? ` (${times(faster.median)})` : ''}` : ''
      })
    ])
    const callers = [
      ...new Set(panels.map((panel) => `${panel.callers} ${panel.express ? 'connections to Express' : 'callers'}`))
    ]
    lines.push(
      `### ${title}, ${callers.join(', ')}`,
      '',
      await table(['Store', ...panels.map((panel) => panel.title)], rows, 1),
      ''
    )
  }
  if (lines.length > 0) {
    const name = findPeer(figures[0].peer).name
    lines.unshift(`Operations or requests per second, and in parentheses how many times as fast ${name} is.`, '')
  }
  return [...lines, ...(await scaleOf(figures)), ...(await pruningOf(figures))].join('\n')
}

async function scaleOf(figures) {
  const cells = figures.filter(({ suite }) => suite === 'scale')
  const sizes = [...new Set(cells.map(({ rows }) => rows))].sort((a, b) => a - b)
  if (sizes.length < 2) return []
  const lines = grouped(cells, ({ database, workload, peer }) => [database, workload, peer].join()).map((group) => {
    const [{ database, workload, peer }] = group
    const rates = sizes.map((rows) => group.find((cell) => cell.rows === rows))
    return [TITLES[database], workload, findPeer(peer).name, ...rates.map((cell) => (cell ? rateOf(cell) : ''))]
  })
  const heads = sizes.map((rows) => `${count(rows)} sessions`)
  return [
    '### Operations/s by the size of the table',
    '',
    await table(['Database', 'Workload', 'Store', ...heads], lines, 3),
    ''
  ]
}

async function pruningOf(figures) {
  const cells = figures.filter(({ suite }) => suite === 'prune')
  if (cells.length === 0) return []
  const lines = cells.map((cell) => [
    TITLES[cell.database],
    findPeer(cell.peer).name,
    ...(cell.done.length === 0
      ? ['failed']
      : [
          count(cell.rateBefore),
          count(cell.rate),
          digits(cell.p99Before),
          digits(cell.p99),
          digits(cell.loopDelayMax),
          digits(cell.pruneSeconds)
        ])
  ])
  const head = [
    'Database',
    'Store',
    'get/s before',
    'while',
    'p99 µs before',
    'while',
    'Longest loop delay ms',
    'Pruning s'
  ]
  return [`### get while ${count(cells[0].expired)} expired sessions are removed`, '', await table(head, lines, 2), '']
}

/** The build of this checkout and the other one. */
async function comparison(/** @type {any} */ result) {
  const figures = figuresOf(result.trials)
  const pairs = figures.flatMap((cell) => {
    const other = figures.find((one) => keyOf(one) === keyOf({ ...cell, peer: 'against' }))
    const found = cell.peer === 'ours' && other ? ratio(cell, other) : undefined
    return found ? [{ cell, other, found }] : []
  })
  if (pairs.length === 0) return ''
  const whereOf = ({ database, suite, workload, callers, rows }) => [
    TITLES[database],
    suite === 'express' ? `Express: ${workload}` : workload,
    rows ? count(rows) : '',
    callers
  ]
  const rows = pairs.map(({ cell, other, found }) => [
    ...whereOf(cell),
    rateOf(cell),
    rateOf(other),
    found.median.toFixed(3),
    `${found.low.toFixed(2)}–${found.high.toFixed(2)}`,
    (cell.p50 / other.p50).toFixed(2)
  ])
  const slower = pairs.filter(({ found }) => found.median < 1 - TOLERANCE)
  const heads = [
    'Database',
    'Workload',
    'Sessions',
    'Callers',
    'This build',
    'Other build',
    'Ratio',
    'Rounds',
    'p50 ratio'
  ]
  return [
    '### This build and the other one, operations/s',
    '',
    await table(heads, rows, 2),
    '',
    `Slower by more than ${TOLERANCE * 100} %: ${slower.map(({ cell }) => `${TITLES[cell.database]} ${cell.suite} ${cell.workload} × ${cell.callers}`).join('; ') || 'none'}.`,
    ''
  ].join('\n')
}

/** Everything that was measured, as Markdown. */
async function details(/** @type {any} */ result) {
  const { environment, versions, databases, args, trials } = result
  const figures = figuresOf(trials)
  const options = Object.entries(args).map(([name, value]) =>
    name === 'against' ? '--against …' : `--${name} ${value}`
  )
  const lines = [
    '# Figures',
    '',
    `${environment.date}, ${environment.machine}, Node.js ${environment.node}. How they are measured is in [README.md](../README.md).`,
    '',
    `\`npm run bench${options.length > 0 ? ` -- ${options.join(' ')}` : ''}\``,
    '',
    ...databases.map((line) => `- ${line}`),
    `- ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    '',
    ...(result.changed ? ['**A package was replaced during the run: the figures are of no use.**', ''] : []),
    await summary(result),
    await comparison(result)
  ]
  for (const group of grouped(figures, ({ suite, database }) => `${suite} ${database}`)) {
    const [{ suite, database, rounds, seconds, warmup }] = group
    lines.push(
      `## ${TITLES[database]}: ${suites[suite].meaning}`,
      '',
      `${rounds} rounds of ${seconds} s after ${warmup} s of warm-up.`,
      '',
      await detailed(group),
      ''
    )
    for (const cell of group.filter((one) => one.failure)) {
      lines.push(`- ${cell.workload} × ${cell.callers}, ${findPeer(cell.peer).name}: ${cell.failure.split('\n')[0]}`)
    }
  }
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`
}

async function detailed(cells) {
  const first = findPeer(cells[0].peer).name
  const columns = [
    ['Workload', (cell) => cell.workload],
    ['Store', (cell) => findPeer(cell.peer).name],
    ['Sessions', (cell) => cell.rows && count(cell.rows)],
    ['Callers', (cell) => cell.callers],
    ['Operations/s', rateOf],
    [`${first} is … times as fast (rounds)`, (cell) => faster(cell, cells)],
    ['p50 µs', (cell) => digits(cell.p50)],
    ['p99 µs', (cell) => digits(cell.p99)],
    ['CPU µs/op, main thread', (cell) => digits(cell.mainCpu)],
    ['CPU µs/op, process', (cell) => digits(cell.processCpu)],
    ['Loop delay ms, p99', (cell) => digits(cell.loopDelayP99)],
    ['max', (cell) => digits(cell.loopDelayMax)],
    ['RSS MB', (cell) => digits(cell.rss / 2 ** 20)]
  ]
  const heads = columns.map(([head]) => head)
  const rows = cells.map((cell) => columns.map(([, value]) => value(cell)))
  return table(heads, rows, 2)
}

function faster(cell, cells) {
  const base = cells.find((one) => keyOf({ ...one, peer: '' }) === keyOf({ ...cell, peer: '' }))
  const found = ratio(base, cell)
  return found ? `${found.median.toFixed(2)} (${found.low.toFixed(2)}–${found.high.toFixed(2)})` : ''
}

/** @param {number} texts how many of the columns are texts, which are aligned to the left */
async function table(head, rows, texts) {
  const { markdownTable } = await import('markdown-table')
  const cells = [head, ...rows].map((row) => row.map((value) => String(value ?? '')))
  return markdownTable(cells, { align: head.map((_, index) => (index < texts ? 'l' : 'r')) })
}

function rateOf({ done, rate, failure }) {
  if (done.length === 0) return 'failed'
  return `${count(rate)}${failure ? ' (errors)' : ''}`
}

function times(value) {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}×`
}

function count(value) {
  return Math.round(value).toLocaleString('en-US')
}

function digits(value) {
  if (!Number.isFinite(value)) return ''
  if (value >= 100) return count(value)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

module.exports = { figuresOf, panelsOf, ratio, summary, comparison, details, rateOf }
