'use strict'

// Gets while expired sessions are removed, against the same gets just before.

const { setTimeout: sleep } = require('node:timers/promises')
const { Child } = require('../lib/child')
const { count, digits, failure, flag, grouped, heading, table } = require('../lib/report')
const { median } = require('../lib/summary')
const { findPeer } = require('../peers')

const dimensions = ['database', 'durability', 'rows', 'expired', 'size', 'callers']

function usable(peer) {
  return Boolean(peer.prunes)
}

async function* measure(cells, round, run) {
  for (const cell of cells) {
    const trial = await runTrial(cell, round, run).catch((error) => ({ error: error.message }))
    yield [cell, trial]
  }
}

async function runTrial(cell, round, { databases, settings, say }) {
  const peer = findPeer(cell.peer)
  const at = databases.of(peer, cell.database)
  const table = databases.table(peer, cell)
  const live = cell.rows - cell.expired
  if (live < 1) throw new Error(`expected --expired to be below --rows, got ${cell.expired} of ${cell.rows}`)
  const spec = {
    ...cell,
    durability: cell.durability || 'normal',
    rows: live,
    url: at.url(table),
    table: table.name,
    pool: settings.pool
  }
  say(`filling ${cell.database} with ${count(cell.rows)} sessions for ${peer.alias}`)
  await at.drop(table)
  try {
    const filling = new Child('trial.js', { ...spec, fill: ['session', 'expired'] })
    const { expires } = await filling.next(120)
    await filling.ended
    await at.multiply(table, 'session', live)
    await at.multiply(table, 'expired', cell.expired)
    await sleep(Math.max(0, expires - Date.now()))
    const child = new Child('pruning.js', { ...spec, seed: round }, ['--expose-gc'])
    try {
      const { result } = await child.next(900)
      await child.ended
      const left = (await at.count(table)) - live
      if (left !== 0) throw new Error(`${left} sessions more than live ones were left`)
      return result
    } finally {
      await child.end()
    }
  } finally {
    await at.drop(table)
  }
}

function summarize(trials) {
  const done = trials.filter((trial) => !trial.error)
  if (done.length === 0) return { error: trials[0]?.error ?? 'not run' }
  const of = (key) => median(done.map((trial) => trial[key]))
  const most = (key) => Math.max(...done.map((trial) => trial[key]))
  const rates = done.flatMap((trial) => trial.windows)
  return {
    rounds: done.length,
    failures: trials.length - done.length,
    errors: done.reduce((sum, trial) => sum + trial.errors, 0),
    firstError: done.find((trial) => trial.firstError)?.firstError,
    rate: of('rate'),
    rateWithout: of('rateWithout'),
    p99: of('p99'),
    p99Without: of('p99Without'),
    loopDelayP99: of('loopDelayP99'),
    loopDelayMax: most('loopDelayMax'),
    loopDelayMaxWithout: most('loopDelayMaxWithout'),
    pruneSeconds: of('pruneSeconds'),
    // Of the gets without pruning: the rounds are those of three spans of time in each.
    spread: Math.max(...rates) / Math.min(...rates)
  }
}

function report(cells, settings) {
  const title = (cell) => `${heading(cell)}: get while ${count(cell.expired)} of ${count(cell.rows)} sessions expire`
  const head = [
    '>Store',
    'Callers',
    'Gets/s without / with pruning',
    'p99 µs without / with',
    'Ratio of p99',
    'Loop delay max ms without / with',
    'Pruning s',
    'Removed/s',
    'Errors',
    'Spread'
  ]
  return grouped(cells, title).flatMap(([name, group]) => [
    `## ${name}`,
    '',
    ...table(
      head,
      group.map((cell) => {
        if (cell.error) return [cell.name, cell.callers, failure(cell)]
        const settled = cell.spread <= settings.spread
        return [
          cell.name,
          cell.callers,
          `${count(cell.rateWithout)} / ${count(cell.rate)}`,
          `${digits(cell.p99Without)} / ${digits(cell.p99)}`,
          settled ? (cell.p99 / cell.p99Without).toFixed(2) : 'no conclusion',
          `${digits(cell.loopDelayMaxWithout)} / ${digits(cell.loopDelayMax)}`,
          cell.pruneSeconds.toFixed(1),
          count(cell.expired / cell.pruneSeconds),
          flag(cell),
          cell.spread.toFixed(2) + (settled ? '' : ' †')
        ]
      })
    ),
    ''
  ])
}

module.exports = { dimensions, usable, measure, summarize, report }
