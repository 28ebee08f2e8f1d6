'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const autocannon = require('autocannon')
const { run, start } = require('./child')
const { fill, countRows, drop } = require('./databases')
const { workloads } = require('./load')
const { peers } = require('./peers')

/** The store writes the first row of each sort, and so makes its table. The database copies it. */
async function makeTable(cell, sorts = { session: cell.rows }) {
  if (peers[cell.peer].service) return
  await drop(cell)
  await run(cell, { fill: Object.keys(sorts) })
  await fill(cell, sorts)
  // They live for 3 seconds, and some stores keep whole seconds.
  if (sorts.expired) await sleep(4000)
}

async function storeTrial(cell, round) {
  const result = await run(cell, { round })
  // The next trial is to find as many sessions as this one.
  if (cell.workload === 'set-new') await makeTable(cell)
  return result
}

async function pruneTrial(cell, round) {
  await makeTable(cell, { session: cell.rows, expired: cell.expired })
  const result = await run(cell, { round })
  const left = await countRows(cell)
  if (left !== cell.rows) throw new Error(`expected ${cell.rows} sessions after pruning, found ${left}`)
  return result
}

async function expressTrial(cell) {
  await drop(cell)
  const server = start(cell)
  try {
    const { port } = await server.answer
    const origin = `http://127.0.0.1:${port}`
    const cookies = await Promise.all(Array.from({ length: cell.callers }, () => login(origin)))
    await request(cell, origin, cookies, cell.warmup)
    await fetch(`${origin}/begin`)
    const before = await views(origin, cookies)
    const { requests, ...result } = await request(cell, origin, cookies, cell.seconds)
    const written = (await views(origin, cookies)) - before
    // The last request of each connection, in the warm-up and in the trial, may have reached the server without being counted here.
    const wrong = cell.workload === 'write' && (written < requests || written > requests + 2 * cell.callers)
    if (wrong && result.errors === 0) throw new Error(`${requests} requests, but ${written} changes in the sessions`)
    if (requests === 0) throw new Error(result.firstError ?? 'no request ended in time')
    const usage = await fetch(`${origin}/end/${requests}`)
    return { ...(await usage.json()), ...result }
  } finally {
    server.kill()
    await server.ended
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
  const { latency, non2xx, errors, resets, ...result } = await autocannon({
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

const settings = { rounds: 3, seconds: 1, warmup: 0.5, size: 600, durability: 'normal' }
const prunes = (alias) => peers[alias].prune
const filled = { prepare: makeTable, trial: storeTrial }

/** Every combination of the `lists` of a suite is measured. `prepare` makes the table of a store before the first round. */
const suites = {
  store: {
    lists: { rows: [10_000], workload: workloads, callers: [1, 16, 128] },
    settings,
    ...filled
  },
  express: {
    lists: { workload: ['read', 'write'], callers: [64] },
    settings: { ...settings, seconds: 3, warmup: 2 },
    compares: (alias) => !alias.startsWith('driver'),
    trial: expressTrial
  },
  prune: {
    lists: { rows: [10_000], expired: [200_000], workload: ['get'], callers: [16] },
    settings,
    compares: prunes,
    trial: pruneTrial
  },
  scale: {
    lists: { rows: [10_000, 1_000_000], workload: ['get', 'set', 'touch', 'mix'], callers: [128] },
    settings,
    // Others would fill a table of a million rows for little.
    compares: prunes,
    ...filled
  }
}

/**
 * The cells of a suite on one database: each is a workload of a store, with all that its process has to know. The stores of a workload
 * follow one another, so that each disturbance hits all of them. Options take the place of what the suite names.
 */
function cellsOf(suite, database, options) {
  const { lists, settings, compares = () => true } = suites[suite]
  let cells = [{ suite, database, against: options.against }]
  for (const [name, list] of Object.entries({ ...lists, ...settings })) {
    const given = name === 'workload' ? list.filter((word) => options.workload?.includes(word) ?? true) : options[name]
    cells = cells.flatMap((cell) => [given ?? list].flat().map((value) => ({ ...cell, [name]: value })))
  }
  const compared = Object.entries(peers).filter(
    ([alias, peer]) => options.peers.includes(alias) && (peer.databases?.includes(database) ?? true) && compares(alias)
  )
  return cells.flatMap((cell) => compared.map(([peer]) => ({ ...cell, peer })))
}

module.exports = { settings, suites, cellsOf }
