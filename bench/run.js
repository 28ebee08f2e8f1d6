'use strict'

// Compares session stores: npm run bench -- --help

const { execSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { isDeepStrictEqual } = require('node:util')

// The peers are installed on the first run. The SQLite drivers may have to be compiled, which takes a few minutes.
if (!fs.existsSync(path.join(__dirname, 'node_modules/.package-lock.json'))) {
  // `npm run` sets npm_* for the outer package, and the inner npm would take them for its own.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)))
  execSync('npm ci --no-audit --no-fund', { cwd: __dirname, env, stdio: 'inherit' })
}

const { drawChart } = require('./chart')
const { databases, describe, drop } = require('./databases')
const { builds, environment } = require('./environment')
const { readOptions, usage } = require('./options')
const { peers } = require('./peers')
const { comparison, details, figuresOf, grouped, nameOf, overviewOf, report, summary } = require('./report')
const { suites, cellsOf } = require('./suites')

async function main() {
  const options = readOptions()
  const { args, against } = options
  if (options.help) return console.log(usage())
  const cells = options.suite.flatMap((suite) =>
    options.database.flatMap((database) => cellsOf(suite, database, options))
  )
  if (cells.length === 0) throw new Error('nothing to measure: no suite has all that the options name')
  const total = cells.reduce((sum, cell) => sum + cell.rounds, 0)
  const date = new Date().toISOString().slice(0, 16).replace(/[:T]/g, '-')
  const file = path.join(__dirname, 'results', args.name ?? date)
  const result = { args, ...environment(against), servers: await describe(cells), trials: [], changed: false }
  const begin = Date.now()
  for (const group of grouped(cells, ({ suite, database, rows }) => `${suite} ${database} ${rows}`)) {
    for await (const trial of measured(group)) {
      const done = result.trials.push(trial)
      // After each trial, so that nothing measured is lost.
      fs.writeFileSync(`${file}.json`, JSON.stringify(result))
      const minutes = Math.ceil(((Date.now() - begin) / 60_000 / done) * (total - done))
      const outcome = trial.error?.split('\n')[0] ?? `${Math.round(trial.rate)}/s`
      console.error(`[${done}/${total}, ${minutes} min left] round ${trial.round}, ${nameOf(trial)}: ${outcome}`)
    }
  }
  result.changed = !isDeepStrictEqual(result.builds, builds(against))
  const figures = figuresOf(result.trials)
  fs.writeFileSync(`${file}.md`, await report(result, figures))
  for (const { database, title, panels } of overviewOf(figures)) {
    fs.writeFileSync(`${file}-${database}-operations.svg`, drawChart(title, panels, result))
  }
  console.log((await summary(figures)) || (await details(figures)))
  console.log(`${comparison(figures)}\nAll figures: ${path.relative(process.cwd(), `${file}.md`)}`)
}

/** The trials of one suite on one database, between the making and the end of the tables: one for each store. */
async function* measured(cells) {
  const { prepare, trial } = suites[cells[0].suite]
  const stored = cells.filter(({ peer }) => !peers[peer].service)
  const tables = new Map(stored.map((cell) => [cell.peer, cell]))
  const failures = new Map()
  for (const [peer, cell] of tables) {
    if (interrupted || !prepare) break
    console.error(`making the table of ${peers[peer].name}, ${databases[cell.database].title}`)
    await prepare(cell).catch((error) => failures.set(peer, error))
  }
  for (let round = 1; round <= cells[0].rounds; round++) {
    // Every second round goes backwards, so that no store always comes after the same other one.
    for (const cell of round % 2 === 0 ? [...cells].reverse() : cells) {
      if (interrupted) break
      const failure = failures.get(cell.peer)
      const attempt = failure ? Promise.reject(failure) : trial(cell, round)
      const figures = await attempt.catch((error) => ({ error: error.message }))
      if (!interrupted) yield { ...cell, round, ...figures }
    }
  }
  for (const cell of tables.values()) await drop(cell)
}

// The first Ctrl+C ends the trial under way, drops the tables and reports what was measured; the second ends the run.
let interrupted = false
process.once('SIGINT', () => {
  interrupted = true
  process.exitCode = 130
})

main().catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
