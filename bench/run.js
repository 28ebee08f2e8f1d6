'use strict'

// Measures stores at the level of their methods: npm run bench -- --help

require('./lib/install').install()

const fs = require('node:fs')
const path = require('node:path')
const { isDeepStrictEqual } = require('node:util')
const { setTimeout: sleep } = require('node:timers/promises')
const { findPeer, defaultPeers } = require('./peers')
const { Child } = require('./lib/child')
const { Databases } = require('./lib/databases')
const { environment, versions } = require('./lib/environment')
const { among, bench, list, number, readOptions } = require('./lib/options')
const { report } = require('./lib/report')
const { machineCpu } = require('./lib/measure')
const { joinProcesses, summarize } = require('./lib/summary')
const { workloads } = require('./lib/load')

const OPTIONS = /** @type {const} */ ({
  database: ['sqlite', 'of sqlite, postgres, mysql'],
  durability: ['normal', 'of normal, full: SQLite with synchronous=…'],
  workload: ['get,set,touch,mix', 'of get, set-new, set-existing, touch, mix; set is both'],
  callers: ['1,16,128', 'operations under way at a time'],
  peers: ['', 'stores by alias, ours@folder for another build (all)'],
  base: ['', 'the store to which others are compared (the first)'],
  rounds: ['5', 'how often each cell is measured'],
  seconds: ['3', 'of one measurement'],
  warmup: ['1', 'seconds before it'],
  rows: ['10000', 'sessions in the table'],
  size: ['600', 'bytes of the JSON of a session'],
  pool: ['', "connections, each store's own default if absent"],
  processes: ['1', 'Node.js processes at a time on one database'],
  spread: ['1.25', 'widest spread of rounds from which to conclude'],
  quiet: ['', 'cores that other programs may use: waits for it, and repeats trials'],
  directory: [path.join(bench, '.data'), 'for SQLite files'],
  name: ['', 'of the files in bench/results']
})

async function main() {
  const options = readOptions(OPTIONS, 'npm run bench -- [options]')
  const settings = {
    rounds: number(options, 'rounds'),
    seconds: number(options, 'seconds'),
    warmup: number(options, 'warmup'),
    rows: number(options, 'rows'),
    size: number(options, 'size'),
    processes: number(options, 'processes'),
    spread: number(options, 'spread'),
    pool: options.pool ? number(options, 'pool') : undefined,
    quiet: options.quiet ? number(options, 'quiet') : undefined,
    base: options.base
  }
  const plan = makePlan(options, settings)
  settings.base ||= plan[0].peer.alias
  const databases = new Databases(options.directory)
  const result = {
    name: options.name || defaultName(options),
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim(),
    environment: environment(),
    settings,
    databases: {},
    versions: /** @type {Record<string, string>} */ ({}),
    changed: false,
    cells: /** @type {any[]} */ ([]),
    trials: /** @type {any[]} */ ([])
  }
  result.versions = versionsOf(plan)

  const progress = new Progress(plan.length * settings.rounds)
  try {
    const unfilled = await fillTables(plan, databases, settings, progress)
    result.databases = await databases.describe()
    for (let round = 1; round <= settings.rounds; round++) {
      for (const cell of plan) {
        const error = unfilled.get(`${cell.database} ${cell.peer.alias}`)
        const trial = error ? { error } : await runQuietTrial(cell, round, databases, settings)
        result.trials.push({ ...key(cell), round, ...trial })
        progress.trial(cell, round, trial)
        save(result, plan)
      }
    }
    for (const { peer, database } of tables(plan)) {
      await databases.of(peer, database).drop(databases.table(peer))
    }
  } finally {
    await databases.close()
  }
  progress.end()
  result.changed = !isDeepStrictEqual(result.versions, versionsOf(plan))
  const file = save(result, plan)
  process.stdout.write(`${report(result)}\nWritten to ${file}.{json,md}\n`)
}

/** All cells, in the order in which each round goes through them: the peers of a cell one after the other. */
function makePlan(options, settings) {
  const known = ['sqlite', 'postgres', 'mysql']
  const plan = []
  for (const database of among(list(options.database), known, 'database')) {
    const peers = (options.peers ? list(options.peers) : defaultPeers(database)).map(findPeer)
    const usable = peers
      .filter((peer) => peer.databases.includes(database))
      .filter((peer) => settings.processes === 1 || !peer.single)
    const durabilities = among(list(options.durability), ['normal', 'full'], 'durability')
    for (const durability of database === 'sqlite' ? durabilities : ['']) {
      for (const workload of wanted(options.workload)) {
        for (const callers of list(options.callers).map(Number)) {
          for (const peer of usable) {
            plan.push({ database, durability, workload, callers, peer })
          }
        }
      }
    }
  }
  if (plan.length === 0) throw new Error('no peer runs on this database')
  return plan
}

function wanted(text) {
  const words = list(text).flatMap((word) => (word === 'set' ? ['set-new', 'set-existing'] : [word]))
  return among(words, Object.keys(workloads), 'workload')
}

function versionsOf(plan) {
  return Object.assign({}, ...plan.map(({ peer, database }) => versions(peer.versions(database))))
}

function tables(plan) {
  const found = new Map()
  for (const { peer, database } of plan) {
    found.set(`${database} ${peer.alias}`, { peer, database })
  }
  return [...found.values()]
}

/**
 * The peer itself writes the first row and makes the table. The database then makes the others of it.
 *
 * @returns {Promise<Map<string, string>>} the errors of the peers that could not
 */
async function fillTables(plan, databases, settings, progress) {
  const errors = new Map()
  for (const { peer, database } of tables(plan)) {
    progress.line(`filling ${database} for ${peer.alias}`)
    const at = databases.of(peer, database)
    const table = databases.table(peer)
    await at.drop(table)
    if (peer.single) continue
    const cell = { database, peer, durability: 'normal' }
    const child = new Child('trial.js', {
      ...trialSpec(cell, databases, settings),
      fill: true
    })
    try {
      await child.next(120)
      await child.ended
      await at.multiply(table, settings.rows)
    } catch (error) {
      errors.set(`${database} ${peer.alias}`, error.message)
    }
  }
  return errors
}

function trialSpec(cell, databases, settings) {
  const table = databases.table(cell.peer)
  return {
    ...key(cell),
    url: databases.of(cell.peer, cell.database).url(table),
    table: table.name,
    rows: settings.rows,
    size: settings.size,
    pool: settings.pool,
    warmup: settings.warmup,
    seconds: settings.seconds
  }
}

function key({ peer, database, durability, workload, callers }) {
  return { peer: peer.alias, database, durability, workload, callers }
}

/** A trial, repeated a few times if other programs disturbed it. Whether they did is told by their use of the processor, not by the result. */
async function runQuietTrial(cell, round, databases, settings) {
  const { quiet } = settings
  let trial
  for (let attempt = 1; attempt <= (quiet ? 4 : 1); attempt++) {
    if (quiet) await silence(quiet)
    trial = { ...(await runTrial(cell, round, databases, settings)), attempt }
    // The time of a database server counts as that of others.
    const alone = cell.database === 'sqlite' && !cell.peer.service
    if (trial.error || !alone || trial.otherCores <= quiet) break
  }
  return trial
}

/** Waits until no more than `cores` were busy for half a second, but no longer than two minutes. */
async function silence(cores) {
  for (let tries = 0; tries < 240; tries++) {
    const before = machineCpu()
    await sleep(500)
    const after = machineCpu()
    if (!before || !after || (after.busy - before.busy) / 5e5 <= cores) return
  }
}

async function runTrial(cell, round, databases, settings) {
  const children = Array.from(
    { length: settings.processes },
    (_, index) =>
      new Child(
        'trial.js',
        {
          ...trialSpec(cell, databases, settings),
          seed: round * 1000 + index + 1
        },
        ['--expose-gc']
      )
  )
  // Enough for MemoryStore to fill itself with a million sessions.
  const patience = 60 + settings.warmup + settings.seconds
  try {
    await Promise.all(children.map((child) => child.next(patience)))
    for (const child of children) child.send('go')
    const messages = await Promise.all(children.map((child) => child.next(patience)))
    await Promise.all(children.map((child) => child.ended))
    return joinProcesses(messages.map((message) => message.result))
  } catch (error) {
    await Promise.all(children.map((child) => child.end()))
    return { error: error.message }
  } finally {
    if (cell.workload === 'set-new' && !cell.peer.single) {
      const table = databases.table(cell.peer)
      await databases.of(cell.peer, cell.database).clean(table)
    }
  }
}

function save(result, plan) {
  result.cells = plan.map((cell) => {
    const trials = result.trials.filter((trial) =>
      Object.entries(key(cell)).every(([name, value]) => trial[name] === value)
    )
    const { name, service } = cell.peer
    return { ...key(cell), name, service, ...summarize(trials) }
  })
  const file = path.join(bench, 'results', result.name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(`${file}.json`, `${JSON.stringify(result, null, 2)}\n`)
  fs.writeFileSync(`${file}.md`, report(result))
  return path.relative(process.cwd(), file)
}

function defaultName(options) {
  const now = new Date().toISOString().slice(0, 16).replace(/[:T]/g, '-')
  return `${list(options.database).join('-')}-${now}`
}

/** One line that is overwritten on a terminal; elsewhere, a line for each trial. */
class Progress {
  constructor(total) {
    this.total = total
    this.done = 0
    this.begin = Date.now()
  }

  line(text) {
    const terminal = process.stderr.isTTY
    process.stderr.write(terminal ? `\r\x1b[2K${text}` : `${text}\n`)
  }

  trial({ peer, database, durability, workload, callers }, round, trial) {
    this.done++
    const each = (Date.now() - this.begin) / this.done / 60000
    const left = Math.ceil(each * (this.total - this.done))
    const outcome = trial.error ? `failed: ${trial.error}` : `${Math.round(trial.rate).toLocaleString('en-US')}/s`
    this.line(
      `[${this.done}/${this.total}, ${left} min left] round ${round}, ${database} ${durability} ${workload} × ${callers}, ${peer.alias}: ${outcome}`
    )
  }

  end() {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K')
  }
}

process.on('SIGINT', () => process.exit(130))

main().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
