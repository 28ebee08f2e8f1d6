'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const { Child } = require('./child')
const { workloads } = require('./load')
const { peers, findPeer } = require('./peers')

/**
 * One thing to measure of one peer.
 *
 * @typedef {object} Cell
 * @property {string} suite
 * @property {string} database
 * @property {string} workload
 * @property {number} callers at the same time; for Express, connections
 * @property {string} peer
 * @property {number} [rows] live sessions in the table
 * @property {number} [expired] sessions to prune
 *
 * @typedef {object} Suite
 * @property {string} meaning
 * @property {Record<string, any[]>} lists every combination is measured
 * @property {number} rounds
 * @property {number} seconds of one trial
 * @property {number} warmup seconds before them
 * @property {number} overhead seconds that a trial takes beside these, to estimate the end of the run
 * @property {(peer: import('./peers').Peer) => unknown} compares
 * @property {(cell: Cell, context: Context) => Promise<void>} [prepare] makes the table of a peer before the first round
 * @property {(cell: Cell, seed: number, context: Context) => Promise<Record<string, any>>} trial
 *
 * @typedef {object} Context
 * @property {import('./databases').Databases} databases
 * @property {{ size: number, durability: string, pool?: number, against?: string }} settings
 */

/** What a child process is told. */
function specOf(cell, table, { settings }) {
  return { ...settings, ...cell, url: table.url, table: table.table.name }
}

/** The peer writes the first row of each sort, and so makes its table. The database copies it. */
async function fill(cell, sorts, context) {
  const peer = findPeer(cell.peer)
  if (peer.service) return
  const table = context.databases.table(peer, cell)
  await table.drop()
  const child = new Child('trial.js', { ...specOf(cell, table, context), fill: Object.keys(sorts) })
  const { expired } = await child.answer(60)
  await child.ended
  for (const [sort, count] of Object.entries(sorts)) await table.fill(sort, count)
  if (sorts.expired) await sleep(Math.max(0, expired - Date.now()))
}

async function storeTrial(cell, seed, context) {
  const peer = findPeer(cell.peer)
  const table = context.databases.table(peer, cell)
  const child = new Child('trial.js', { ...specOf(cell, table, context), seed })
  const result = await child.answer(60 + cell.warmup + cell.seconds)
  await child.ended
  if (cell.workload === 'set-new' && !peer.service) await table.restore()
  return result
}

async function pruneTrial(cell, seed, context) {
  await fill(cell, { session: cell.rows, expired: cell.expired }, context)
  const table = context.databases.table(findPeer(cell.peer), cell)
  const child = new Child('trial.js', { ...specOf(cell, table, context), seed })
  const result = await child.answer(600)
  await child.ended
  const left = await table.count()
  if (left !== cell.rows) throw new Error(`expected ${cell.rows} sessions after pruning, found ${left}`)
  return result
}

async function expressTrial(cell, _seed, context) {
  const peer = findPeer(cell.peer)
  const table = context.databases.table(peer, cell)
  if (!peer.service) await table.drop()
  const server = new Child('server.js', specOf(cell, table, context))
  try {
    const { port } = await server.answer(60)
    const origin = `http://127.0.0.1:${port}`
    const cookies = await Promise.all(Array.from({ length: cell.callers }, () => login(origin)))
    await request(cell, origin, cookies, cell.warmup)
    await server.ask('begin', 10)
    const before = await views(origin, cookies)
    const { requests, ...result } = await request(cell, origin, cookies, cell.seconds)
    const written = (await views(origin, cookies)) - before
    // The last request of each connection, in the warm-up and in the trial, may have reached the server without being counted here.
    const wrong = cell.workload === 'write' && (written < requests || written > requests + 2 * cell.callers)
    if (wrong && result.errors === 0) throw new Error(`${requests} requests, but ${written} changes in the sessions`)
    if (requests === 0) throw new Error(result.firstError ?? 'no request ended in time')
    const { mainCpu, processCpu, seconds: _, ...usage } = await server.ask('end', 10)
    return { ...result, ...usage, mainCpu: mainCpu && mainCpu / requests, processCpu: processCpu / requests }
  } finally {
    await server.end()
  }
}

async function login(origin) {
  const response = await fetch(`${origin}/login`)
  await response.arrayBuffer()
  return response.headers.getSetCookie()[0].split(';')[0]
}

/** The sum of the counters in all sessions. */
async function views(origin, cookies) {
  const answers = cookies.map(async (cookie) => (await fetch(`${origin}/read`, { headers: { cookie } })).json())
  return (await Promise.all(answers)).reduce((sum, answer) => sum + answer.views, 0)
}

async function request({ workload, callers }, origin, cookies, duration) {
  const left = [...cookies]
  const { latency, non2xx, errors, resets, ...result } = await require('autocannon')({
    url: `${origin}/${workload}`,
    connections: callers,
    duration,
    setupClient: (client) => client.setHeaders({ cookie: left.pop() })
  })
  const failed = non2xx + errors + resets
  return {
    requests: result['2xx'],
    rate: result['2xx'] / result.duration,
    p50: latency.p50 * 1000,
    p99: latency.p99 * 1000,
    errors: failed,
    firstError: failed > 0 ? `${failed} requests failed` : undefined
  }
}

const times = { rounds: 3, seconds: 1, warmup: 0.5, overhead: 0.7 }
const filled = {
  prepare: (cell, context) => fill(cell, { session: cell.rows }, context),
  trial: storeTrial
}

/** @type {Record<string, Suite>} */
const suites = {
  store: {
    meaning: 'each workload at 1, 16 and 128 callers',
    lists: { rows: [10_000], workload: workloads, callers: [1, 16, 128] },
    compares: () => true,
    ...times,
    ...filled
  },
  express: {
    meaning: 'requests to Express that read and that change a session',
    lists: { workload: ['read', 'write'], callers: [64] },
    compares: (peer) => !peer.alias.startsWith('driver'),
    ...times,
    seconds: 3,
    warmup: 2,
    overhead: 2,
    trial: expressTrial
  },
  prune: {
    meaning: 'gets while 200,000 expired sessions are removed',
    lists: { rows: [10_000], expired: [200_000], workload: ['get'], callers: [16] },
    compares: (peer) => peer.prunes,
    ...times,
    overhead: 25,
    trial: pruneTrial
  },
  scale: {
    meaning: '10 thousand and 1 million sessions in the table',
    lists: { rows: [10_000, 1_000_000], workload: ['get', 'set', 'touch', 'mix'], callers: [128] },
    // Others would fill a table of a million rows for little.
    compares: (peer) => peer.prunes,
    ...times,
    ...filled
  }
}

/**
 * The cells of a suite on one database. The peers of a cell follow one another, so that each disturbance hits all of them.
 *
 * @param {string} suite
 * @param {string} database
 * @param {Record<string, any>} options lists that take the place of the suite's, and times
 * @returns {(Cell & { rounds: number, seconds: number, warmup: number })[]}
 */
function cellsOf(suite, database, options) {
  const { lists, compares, rounds, seconds, warmup } = suites[suite]
  let cells = [{ suite, database }]
  for (const [name, list] of Object.entries(lists)) {
    const values = name === 'workload' ? list.filter((word) => options.workload?.includes(word) ?? true) : options[name]
    cells = cells.flatMap((cell) => (values ?? list).map((value) => ({ ...cell, [name]: value })))
  }
  const measured = peers.filter(
    (peer) =>
      (peer.service || peer.databases.includes(database)) &&
      compares(peer) &&
      (options.peers ? options.peers.includes(peer.alias) : peer.alias !== 'against')
  )
  const planned = { rounds, seconds, warmup, ...options.times }
  return /** @type {any} */ (
    cells.flatMap((cell) => measured.map((peer) => ({ ...cell, peer: peer.alias, ...planned })))
  )
}

module.exports = { suites, cellsOf }
