'use strict'

// Compares session stores: npm run bench -- --help

require('./install').install()

const fs = require('node:fs')
const path = require('node:path')
const { isDeepStrictEqual } = require('node:util')
const { drawCharts } = require('./chart')
const { Child } = require('./child')
const { Databases, TITLES } = require('./databases')
const { environment, versions } = require('./environment')
const { readArguments, readOptions, usage } = require('./options')
const { findPeer } = require('./peers')
const { Progress } = require('./progress')
const { comparison, details, summary } = require('./report')
const { suites, cellsOf } = require('./suites')

const RESULTS = path.join(__dirname, 'results')

async function main() {
  const given = readArguments()
  if (given.help) return console.log(usage())
  const former = given.resume && JSON.parse(fs.readFileSync(`${path.join(RESULTS, given.resume)}.json`, 'utf8'))
  const args = former?.args ?? given
  const options = readOptions(args)
  const groups = options.suite
    .flatMap((suite) => options.database.map((database) => cellsOf(suite, database, options)))
    .filter((cells) => cells.length > 0)
  if (groups.length === 0) throw new Error('nothing to measure: no suite has all that the options name')
  const cells = groups.flat()
  const result = former ?? {
    name: args.name ?? new Date().toISOString().slice(0, 16).replace(/[:T]/g, '-'),
    args,
    environment: environment(),
    versions: versions(cells, options.settings.against),
    trials: []
  }
  const changed = () => !isDeepStrictEqual(result.versions, versions(cells, options.settings.against))
  if (changed()) throw new Error('packages have changed since this result was begun; begin a new one')
  const databases = new Databases()
  const progress = new Progress(cells, result.trials)
  try {
    const names = cells.map((cell) => findPeer(cell.peer).service ?? cell.database)
    result.databases = await databases.describe([...new Set(names)])
    for (const group of groups) await measure(group, result, progress, { databases, settings: options.settings })
  } finally {
    progress.end()
    await databases.close()
  }
  result.changed = changed()
  const file = save(result)
  const files = { [`${file}.md`]: await details(result), ...drawCharts(result, file) }
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(name, content)
  console.log(`${await summary(result)}\n${await comparison(result)}`.trim())
  console.log(`\nAll figures: ${path.relative(process.cwd(), `${file}.md`)}`)
  if (interrupted) console.log(`To continue: npm run bench -- --resume ${result.name}`)
}

/** The cells of one suite on one database: their tables, all rounds, and the end of the tables. */
async function measure(cells, result, progress, context) {
  const id = ({ suite, database, rows, workload, callers, peer }, round) =>
    [suite, database, rows, workload, callers, peer, round].join()
  const done = new Set(result.trials.map((trial) => id(trial, trial.round)))
  // Every second round goes backwards, so that no peer always comes after the same other one.
  const due = Array.from({ length: cells[0].rounds }, (_, index) => index + 1)
    .flatMap((round) => (round % 2 === 0 ? [...cells].reverse() : cells).map((cell) => ({ cell, round })))
    .filter(({ cell, round }) => !done.has(id(cell, round)))
  const suite = suites[cells[0].suite]
  const tableOf = ({ peer, rows }) => `${peer} ${rows}`
  const tables = new Map(due.map(({ cell }) => [tableOf(cell), cell]))
  const unfilled = new Map()
  for (const [name, cell] of tables) {
    if (interrupted || !suite.prepare) break
    progress.say(`making the table of ${findPeer(cell.peer).name}, ${TITLES[cell.database]}`)
    await suite.prepare(cell, context).catch((error) => unfilled.set(name, error))
  }
  for (const { cell, round } of due) {
    if (interrupted) break
    const error = unfilled.get(tableOf(cell))
    const measured = error ? Promise.reject(error) : suite.trial(cell, round, context)
    const trial = await measured.catch((failure) => ({ error: failure.message }))
    if (interrupted) break
    result.trials.push({ ...cell, round, ...trial })
    progress.trial(cell, round, trial)
    save(result)
  }
  for (const cell of tables.values()) {
    const peer = findPeer(cell.peer)
    if (!peer.service) await context.databases.table(peer, cell).drop()
  }
}

/** After each trial, so that nothing measured is lost. */
function save(result) {
  const file = path.join(RESULTS, result.name)
  fs.mkdirSync(RESULTS, { recursive: true })
  fs.writeFileSync(`${file}.json`, JSON.stringify(result))
  return file
}

// The first Ctrl+C ends the trial under way, drops the tables and reports what was measured; the second ends the run.
let interrupted = false
function interrupt() {
  if (interrupted) process.exit(130)
  interrupted = true
  process.exitCode = 130
  for (const child of Child.running) child.kill('SIGKILL')
}
process.on('SIGINT', interrupt)
process.on('SIGTERM', interrupt)

main().catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
