'use strict'

// Measures stores and draws what it found: npm run bench -- --help

require('./lib/install').install()

const fs = require('node:fs')
const path = require('node:path')
const { isDeepStrictEqual } = require('node:util')
const { charts } = require('./lib/charts')
const { Databases } = require('./lib/databases')
const { environment, versions } = require('./lib/environment')
const { bench, list, number, readOptions } = require('./lib/options')
const { key, makePlan } = require('./lib/plan')
const { Progress } = require('./lib/progress')
const { resultText } = require('./lib/result')
const { goals } = require('./goals')
const { kinds } = require('./kinds')
const { findPeer } = require('./peers')
const { suites } = require('./suites')

const OPTIONS = /** @type {const} */ ({
  suite: ['', `of ${Object.keys(suites).join(', ')}`],
  database: ['', 'of sqlite, postgres, mysql'],
  durability: ['', 'of normal, full: SQLite with synchronous=…'],
  workload: ['', 'of get, set-new, set-existing, touch, mix; set is both'],
  callers: ['', 'operations under way at a time'],
  peers: ['', 'stores by alias, ours@folder for another build'],
  rows: ['', 'sessions in the table'],
  size: ['', 'bytes of the JSON of a session'],
  processes: ['', 'Node.js processes at a time on one database'],
  request: ['', 'to Express, of read (get and touch), write (get and set)'],
  connections: ['', 'to Express, each with its own session'],
  expired: ['', 'of the rows, to be pruned'],
  minutes: ['', 'for which memory is looked at'],
  rounds: ['', 'how often each cell is measured'],
  seconds: ['', 'of one measurement'],
  warmup: ['', 'seconds before it'],
  base: ['', 'the store to which others are compared, the first if absent'],
  pool: ['', "connections, each store's own default if absent"],
  rate: ['500', 'requests/s to Express when its memory is measured'],
  spread: ['1.25', 'widest spread of rounds from which to conclude'],
  quiet: ['', 'cores that other programs may use: waits for it, and repeats trials'],
  directory: [path.join(bench, '.data'), 'for SQLite files'],
  name: ['', 'of the files in bench/results']
})

function usage() {
  const meanings = Object.entries(suites).map(([name, { meaning }]) => `  ${name.padEnd(11)} ${meaning}`)
  return `npm run bench -- [options]

Without --suite: store, express, scale, prune and memory, or only store if there is --workload, --callers, --rows, --size or --processes.

${meanings.join('\n')}

Words and numbers are lists with commas. What is not named is that of the suite, see suites.js.`
}

async function main() {
  const options = readOptions(OPTIONS, usage())
  const plan = makePlan(options)
  const settings = {
    base: options.base,
    spread: number(options, 'spread'),
    rate: number(options, 'rate'),
    pool: options.pool ? number(options, 'pool') : undefined,
    quiet: options.quiet ? number(options, 'quiet') : undefined
  }
  const databases = new Databases(options.directory)
  const progress = new Progress(plan)
  const run = { databases, settings, say: (text) => progress.line(text) }
  const result = {
    name: options.name || defaultName(options),
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim(),
    environment: environment(),
    settings,
    databases: {},
    versions: versionsOf(plan),
    changed: false,
    goals: /** @type {any[]} */ ([]),
    cells: /** @type {any[]} */ ([]),
    trials: /** @type {any[]} */ ([])
  }
  try {
    const services = plan.map(({ peer, database }) => findPeer(peer).service ?? database)
    result.databases = await databases.describe([...new Set(services)])
    await measure(plan, result, run, progress, list(options.suite).includes('figures'))
  } finally {
    progress.end()
    await databases.close()
  }
  const files = save(result)
  process.stdout.write(`${resultText(result)}\nWritten to ${files.join(', ')}\n`)
}

async function measure(plan, result, run, progress, withGoals) {
  const parts = Object.entries(kinds)
    .map(([name, kind]) => ({ kind, cells: plan.filter((cell) => cell.kind === name) }))
    .filter(({ cells }) => cells.length > 0)
  try {
    for (const { kind, cells } of parts) await kind.prepare?.(cells, run)
    progress.start()
    const last = Math.max(...plan.map((cell) => cell.rounds))
    for (let round = 1; round <= last; round++) {
      for (const { kind, cells } of parts) {
        const due = cells.filter((cell) => round <= cell.rounds)
        if (due.length === 0) continue
        for await (const [cell, trial] of kind.measure(due, round, run)) {
          if (interrupted) return
          result.trials.push({ ...key(cell), round, ...trial })
          progress.trial(cell, round, trial)
          result.cells = summaries(plan, result.trials)
          if (withGoals) result.goals = goals(result)
          save(result)
        }
      }
    }
  } finally {
    for (const { kind, cells } of parts) await kind.clean?.(cells, run)
    result.changed = !isDeepStrictEqual(result.versions, versionsOf(plan))
  }
}

function summaries(plan, trials) {
  const groups = new Map()
  const id = (one) => Object.values(key(one)).join(' ')
  for (const trial of trials) groups.set(id(trial), [...(groups.get(id(trial)) ?? []), trial])
  return plan.map((cell) => {
    const { name, service, reference } = findPeer(cell.peer)
    const { rounds, seconds, warmup, minutes } = cell
    const figures = kinds[cell.kind].summarize(groups.get(id(cell)) ?? [])
    return { ...key(cell), name, service, reference, planned: { rounds, seconds, warmup, minutes }, ...figures }
  })
}

/** @returns {string[]} the files, as seen from the current folder */
function save(result) {
  const file = path.join(bench, 'results', result.name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  const contents = {
    [`${file}.json`]: `${JSON.stringify(result, null, 2)}\n`,
    [`${file}.md`]: resultText(result),
    ...Object.fromEntries(charts(result).map(({ name, svg }) => [`${file}-${name}.svg`, svg]))
  }
  for (const [name, content] of Object.entries(contents)) fs.writeFileSync(name, content)
  return Object.keys(contents).map((name) => path.relative(process.cwd(), name))
}

function versionsOf(plan) {
  const packages = plan.flatMap(({ kind, peer, database }) => [
    ...findPeer(peer).versions(database),
    ...(kind === 'store' || kind === 'prune' ? [] : ['express', 'express-session', 'autocannon'])
  ])
  return versions([...new Set(packages)])
}

function defaultName(options) {
  // The results that the README shows have this name, and no date.
  if (list(options.suite).includes('figures')) return 'figures'
  const words = list(options.suite || options.database || 'all')
  const now = new Date().toISOString().slice(0, 16).replace(/[:T]/g, '-')
  return `${words.join('-')}-${now}`
}

// The first time, what was made is removed; tables may have a million rows.
let interrupted = false
process.on('SIGINT', () => {
  if (interrupted) process.exit(130)
  interrupted = true
  process.exitCode = 130
})

main().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
