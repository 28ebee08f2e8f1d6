'use strict'

// Memory: whether it grows under load, and what a store adds to an Express process.

const { Child } = require('../lib/child')
const { count, failure, heading, table } = require('../lib/report')
const { serve } = require('../lib/serve')
const { median, regression } = require('../lib/summary')
const { findPeer } = require('../peers')

const MB = 2 ** 20
const CONNECTIONS = 64

const dimensions = ['database', 'durability', 'rows', 'size', 'callers']

function usable(peer) {
  return !peer.single
}

/** All cells at the same time: what a process holds does not depend on what else runs, and ten minutes are long. */
async function* measure(cells, _round, run) {
  run.say(`${Math.max(...cells.map((cell) => cell.minutes))} min of the mix`)
  const growth = await Promise.all(cells.map((cell) => soak(cell, run).catch(failed)))
  run.say(`${run.settings.rate} requests/s to Express, for each store and without`)
  const served = new Map()
  for (const path of ['/read', '/write']) {
    const bare = serveAt(path, { ...cells[0], peer: 'none' }, run)
    const rss = await Promise.all(
      [bare, ...cells.map((cell) => serveAt(path, cell, run))].map((one) => one.catch(failed))
    )
    cells.forEach((cell, index) => {
      served.set(cell, [...(served.get(cell) ?? []), { path, bare: rss[0], with: rss[index + 1] }])
    })
  }
  for (const [index, cell] of cells.entries()) {
    const parts = served.get(cell).flatMap((one) => [one.bare, one.with])
    const error = [growth[index], ...parts].find((one) => one.error)?.error
    const [read, write] = served.get(cell).map((one) => ({ rss: one.with, bare: one.bare }))
    yield [cell, error ? { error } : { ...growth[index], read, write }]
  }
}

function failed(error) {
  return { error: error.message }
}

async function soak(cell, { databases, settings }) {
  const peer = findPeer(cell.peer)
  const at = databases.of(peer, cell.database)
  const table = databases.table(peer, cell)
  await at.drop(table)
  const seconds = cell.minutes * 60
  const child = new Child('soak.js', {
    ...cell,
    durability: cell.durability || 'normal',
    url: at.url(table),
    table: table.name,
    pool: settings.pool,
    seconds
  })
  try {
    const { operations, errors, firstError, samples } = await child.next(seconds + 120)
    await child.ended
    const later = samples.filter((sample) => sample.seconds > seconds / 2)
    const minutes = later.map((sample) => sample.seconds / 60)
    const line = (value) => regression(minutes, later.map(value))
    return {
      rate: operations / seconds,
      errors,
      firstError,
      first: samples[0].rss,
      last: samples.at(-1).rss,
      most: Math.max(...samples.map((sample) => sample.rss)),
      growth: line((sample) => sample.rss),
      // What is not V8's: the addon, its buffers and the allocator.
      nativeGrowth: line((sample) => sample.rss - sample.heapTotal),
      samples: samples.filter((_, index) => index % 20 === 0)
    }
  } finally {
    await child.end()
    await at.drop(table)
  }
}

async function serveAt(path, cell, { databases, settings }) {
  const load = { ...cell, path, connections: CONNECTIONS, rate: settings.rate, pool: settings.pool }
  const { samples } = await serve(cell, load, databases)
  return median(samples.slice(samples.length >> 1))
}

function summarize(trials) {
  const done = trials.filter((trial) => !trial.error)
  if (done.length === 0) return { error: trials[0]?.error ?? 'not run' }
  const { samples, ...last } = done.at(-1)
  return { rounds: done.length, failures: trials.length - done.length, ...last }
}

function report(cells, settings) {
  const mb = (bytes) => (bytes / MB).toFixed(1)
  const slope = ({ slope, error }) => `${mb(slope)} ± ${mb(error)}`
  const added = ({ rss, bare }) => `${mb(rss)} − ${mb(bare)} = ${mb(rss - bare)}`
  const head = [
    '>Database',
    '>Store',
    'Callers',
    'Minutes',
    'Requests/s',
    'RSS at first MB',
    'most MB',
    'at last MB',
    'Slope MB/min',
    'Slope without V8’s heap MB/min',
    'Express, reading: RSS − RSS without sessions, MB',
    'Express, writing'
  ]
  return [
    '## Memory',
    '',
    `The mix, in all databases at the same time. The slope is that of a line through the second half of the samples, with twice its standard error; a sawtooth of garbage collection makes the true error larger. Express gets ${settings.rate} requests/s over ${CONNECTIONS} connections.`,
    '',
    ...table(
      head,
      cells.map((cell) => {
        if (cell.error) return [heading(cell), cell.name, failure(cell)]
        return [
          heading(cell),
          cell.name,
          cell.callers,
          cell.planned.minutes,
          count(cell.rate),
          mb(cell.first),
          mb(cell.most),
          mb(cell.last),
          slope(cell.growth),
          slope(cell.nativeGrowth),
          added(cell.read),
          added(cell.write)
        ]
      })
    ),
    ''
  ]
}

module.exports = { dimensions, usable, measure, summarize, report }
