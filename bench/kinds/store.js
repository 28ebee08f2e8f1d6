'use strict'

// Operations of a store at a number of callers.

const { setTimeout: sleep } = require('node:timers/promises')
const { Child } = require('../lib/child')
const { machineCpu } = require('../lib/measure')
const { bytes, count, digits, failure, flag, grouped, heading, table, times } = require('../lib/report')
const { joinProcesses, summarize } = require('../lib/summary')
const { findPeer } = require('../peers')

const dimensions = ['database', 'durability', 'rows', 'size', 'processes', 'workload', 'callers']

function usable(peer, { processes }) {
  return peer.alias !== 'none' && (processes === 1 || !peer.single)
}

// The errors of peers whose tables could not be filled, by table.
const unfilled = new Map()

/** The peer itself writes the first row and makes the table. The database then makes the others of it. */
async function prepare(cells, { databases, settings, say }) {
  for (const [id, cell] of tables(cells)) {
    const peer = findPeer(cell.peer)
    const at = databases.of(peer, cell.database)
    const table = databases.table(peer, cell)
    await at.drop(table)
    if (peer.single) continue
    say(`filling ${cell.database} with ${count(cell.rows)} sessions for ${peer.alias}`)
    const child = new Child('trial.js', { ...spec(cell, databases, settings), fill: ['session'] })
    try {
      await child.next(120)
      await child.ended
      await at.multiply(table, 'session', cell.rows)
      // Only new sessions change a table for good. A copy of a million would be made for nothing.
      if (cells.some((one) => one.workload === 'set-new' && tableId(one) === id)) await at.keep(table)
    } catch (error) {
      unfilled.set(id, error.message)
    }
  }
}

async function clean(cells, { databases }) {
  for (const cell of tables(cells).values()) {
    const peer = findPeer(cell.peer)
    await databases.of(peer, cell.database).drop(databases.table(peer, cell))
  }
}

function tables(cells) {
  return new Map(cells.map((cell) => [tableId(cell), cell]))
}

function tableId({ database, peer, rows, size }) {
  return [database, peer, rows, size].join(' ')
}

function spec(cell, databases, settings) {
  const peer = findPeer(cell.peer)
  const table = databases.table(peer, cell)
  return {
    ...cell,
    durability: cell.durability || 'normal',
    url: databases.of(peer, cell.database).url(table),
    table: table.name,
    pool: settings.pool
  }
}

async function* measure(cells, round, run) {
  for (const cell of cells) {
    const error = unfilled.get(tableId(cell))
    yield [cell, error ? { error } : await quietTrial(cell, round, run)]
  }
}

/** Repeats a trial that other programs have disturbed: that is told by what the processor did, not by the result. */
async function quietTrial(cell, round, run) {
  const { quiet } = run.settings
  let trial
  for (let attempt = 1; attempt <= (quiet ? 4 : 1); attempt++) {
    if (quiet) await silence(quiet)
    trial = { ...(await runTrial(cell, round, run)), attempt }
    // The time of a database server counts as that of others.
    const alone = cell.database === 'sqlite' && !findPeer(cell.peer).service
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

async function runTrial(cell, round, { databases, settings }) {
  const children = Array.from(
    { length: cell.processes },
    (_, index) =>
      new Child('trial.js', { ...spec(cell, databases, settings), seed: round * 1000 + index + 1 }, ['--expose-gc'])
  )
  // Enough for MemoryStore to fill itself with a million sessions.
  const patience = 60 + cell.warmup + cell.seconds
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
    const peer = findPeer(cell.peer)
    if (cell.workload === 'set-new' && !peer.single) {
      await databases.of(peer, cell.database).clean(databases.table(peer, cell))
    }
  }
}

function report(cells, settings) {
  const title = (cell) => `${heading(cell)}: ${[cell.workload, ...scale(cell, cells)].join(', ')}`
  const lines = grouped(cells, title).flatMap(([name, group]) => [`## ${name}`, '', ...rows(group, settings), ''])
  return [...lines, ...scales(cells, settings)]
}

/** What differs from other cells of this run beside workload and callers, in words. */
function scale({ rows, size, processes }, cells) {
  const varied = (name) => new Set(cells.map((cell) => cell[name])).size > 1
  return [
    rows && varied('rows') ? `${count(rows)} sessions` : '',
    size && varied('size') ? bytes(size) : '',
    processes && varied('processes') ? `${processes} process${processes > 1 ? 'es' : ''}` : ''
  ].filter(Boolean)
}

function rows(cells, settings) {
  const head = [
    'Callers',
    '>Store',
    'Operations/s',
    'The first is … times as fast',
    'p50 µs',
    'p99 µs',
    'CPU µs/op, main thread',
    'CPU µs/op, process',
    'Loop delay p99 / max ms',
    'RSS MB',
    'Errors',
    'Spread'
  ]
  return table(
    head,
    cells.map((cell) => {
      if (cell.error) return [cell.callers, cell.name, failure(cell)]
      const group = cells.filter((one) => one.callers === cell.callers)
      const base = group.find((one) => one.peer === settings.base) ?? group[0]
      return [
        cell.callers,
        cell.name,
        count(cell.rate),
        times(cell, base, settings.spread),
        digits(cell.p50),
        digits(cell.p99),
        digits(cell.mainCpu),
        digits(cell.processCpu),
        `${digits(cell.loopDelayP99)} / ${digits(cell.loopDelayMax)}`,
        count(cell.rss / 2 ** 20),
        flag(cell),
        cell.spread.toFixed(2) + (cell.spread > settings.spread ? ' †' : '')
      ]
    })
  )
}

/** The rate of one cell by the number of sessions, their size and the number of processes. */
function scales(cells, { spread }) {
  const show = {
    rows: ['sessions in the table', count],
    size: ['size of a session', bytes],
    processes: ['Node.js processes', String]
  }
  return Object.entries(show).flatMap(([name, [what, words]]) => {
    const others = [...dimensions.filter((one) => one !== name), 'name']
    const groups = grouped(cells, (cell) => others.map((one) => cell[one]).join(' ')).filter(
      ([, group]) => new Set(group.map((cell) => cell[name])).size > 1
    )
    if (groups.length === 0) return []
    const values = [...new Set(groups.flatMap(([, group]) => group.map((cell) => cell[name])))].sort((a, b) => a - b)
    const lines = groups.map(([, group]) => {
      const [{ workload, callers, name: store }] = group
      const rates = values.map((value) => {
        const cell = group.find((one) => one[name] === value)
        if (!cell) return ''
        if (cell.error) return 'failed'
        return `${count(cell.rate)}${flag(cell) ? ' ‡' : ''}${cell.spread > spread ? ' †' : ''}`
      })
      const rest = scale({ ...group[0], [name]: undefined }, cells)
      return [heading(group[0]), [`${workload} × ${callers}`, ...rest].join(', '), store, ...rates]
    })
    const title = `## Operations/s by ${what}`
    return [title, '', ...table(['>Database', '>Workload × callers', '>Store', ...values.map(words)], lines), '']
  })
}

module.exports = { dimensions, usable, prepare, measure, clean, summarize, report }
