'use strict'

// Measures requests to Express 5 with express-session: node bench/express.js --help

require('./lib/install').install()

const { Databases } = require('./lib/databases')
const { describe, environment, versions } = require('./lib/environment')
const { bench, list, number, readOptions } = require('./lib/options')
const { count, digits, saveResult } = require('./lib/report')
const { serve } = require('./lib/serve')
const { ratio, summarize } = require('./lib/summary')
const { findPeer } = require('./peers')

const OPTIONS = /** @type {const} */ ({
  database: ['sqlite', 'one of sqlite, postgres, mysql'],
  durability: ['normal', 'normal or full: SQLite with synchronous=…'],
  peers: ['ours,css,memory,none', 'stores by alias; none is without sessions'],
  requests: ['read,write', 'of read (get and touch), write (get and set)'],
  connections: ['64', 'each with its own session'],
  rounds: ['5', 'how often each cell is measured'],
  seconds: ['5', 'of one measurement'],
  warmup: ['2', 'seconds before it'],
  size: ['600', 'bytes of the JSON of a session'],
  pool: ['', "connections to the database, each store's own default if absent"],
  spread: ['1.25', 'widest spread of rounds from which to conclude'],
  directory: [`${bench}/.data`, 'for SQLite files'],
  name: ['', 'of the files in bench/results']
})

async function main() {
  const options = readOptions(OPTIONS, 'node bench/express.js [options]')
  const { database, durability } = options
  const load = {
    connections: number(options, 'connections'),
    seconds: number(options, 'seconds'),
    warmup: number(options, 'warmup'),
    size: number(options, 'size'),
    pool: options.pool ? number(options, 'pool') : undefined
  }
  const spread = number(options, 'spread')
  const rounds = number(options, 'rounds')
  const peers = list(options.peers)
  const known = {}
  for (const peer of peers.filter((one) => one !== 'none')) {
    Object.assign(known, versions(findPeer(peer).versions(database)))
  }
  Object.assign(known, versions(['express', 'express-session', 'autocannon']))

  const databases = new Databases(options.directory)
  const trials = []
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const request of list(options.requests)) {
        for (const peer of peers) {
          const cell = { peer, database, durability }
          const { samples, ...trial } = await serve(cell, { ...load, path: `/${request}` }, databases).catch(
            (error) => ({ error: error.message, samples: [] })
          )
          trials.push({ round, request, peer, ...trial })
          console.error(`round ${round}, ${request}, ${peer}: ${trial.error ?? `${count(trial.rate)}/s`}`)
        }
      }
    }
  } finally {
    await databases.close()
  }

  const cells = list(options.requests).flatMap((request) =>
    peers.map((peer) => ({
      request,
      peer,
      ...summarize(trials.filter((one) => one.peer === peer && one.request === request))
    }))
  )
  const result = {
    environment: environment(),
    options,
    versions: known,
    cells,
    trials
  }
  saveResult(options.name || `express-${database}`, result, table(result, spread))
}

function table({ environment, options, versions, cells }, spread) {
  const lines = [
    `# Express with ${options.database}`,
    '',
    `${describe(environment)}.`,
    '',
    `${options.connections} connections with a session each, sessions of ${options.size} bytes, ${options.rounds} rounds of ${options.seconds} s. The server, the client and the database share the cores.`,
    '',
    `- ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    '',
    `| Request | Store | Requests/s | of ${options.peers.split(',')[0]}'s | p50 ms | p99 ms | CPU µs/request, main thread | CPU µs/request, process | Loop delay p99 / max ms | RSS MB | Spread |`,
    '| :-- | :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: |'
  ]
  for (const cell of cells) {
    if (cell.error) {
      const reason = cell.error.split('\n')[0].replaceAll('|', '\\|')
      lines.push(`| ${cell.request} | ${cell.peer} | failed: ${reason} | | | | | | | | |`)
      continue
    }
    const base = cells.find((one) => one.request === cell.request)
    const share = ratio(cell, base, spread)
    lines.push(
      `| ${[
        cell.request,
        cell.peer,
        count(cell.rate),
        share === null ? 'no conclusion' : `${Math.round(share * 100)} %`,
        digits(cell.p50),
        digits(cell.p99),
        digits(cell.mainCpu),
        digits(cell.processCpu),
        `${digits(cell.loopDelayP99)} / ${digits(cell.loopDelayMax)}`,
        count(cell.rss / 2 ** 20),
        cell.spread.toFixed(2)
      ].join(' | ')} |`
    )
  }
  return `${lines.join('\n')}\n`
}

process.on('SIGINT', () => process.exit(130))

main().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
