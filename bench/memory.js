'use strict'

// Measures memory: whether it grows under load, and what a store adds to an Express process: node bench/memory.js --help

require('./lib/install').install()

const { Child } = require('./lib/child')
const { Databases } = require('./lib/databases')
const { describe, environment, versions } = require('./lib/environment')
const { bench, list, number, readOptions } = require('./lib/options')
const { count, saveResult } = require('./lib/report')
const { serve } = require('./lib/serve')
const { median } = require('./lib/summary')
const { findPeer } = require('./peers')

const MB = 2 ** 20

const OPTIONS = /** @type {const} */ ({
  database: ['sqlite', 'one of sqlite, postgres, mysql'],
  durability: ['normal', 'normal or full: SQLite with synchronous=…'],
  peers: ['ours', 'stores by alias'],
  seconds: ['60', 'of load'],
  minutes: ['', 'of load, in place of seconds'],
  callers: ['64', 'operations under way at a time'],
  rows: ['1000', 'sessions in the table'],
  size: ['600', 'bytes of the JSON of a session'],
  rate: ['1000', 'requests/s to Express, the same for each store'],
  served: ['20', 'seconds of requests to Express'],
  directory: [`${bench}/.data`, 'for SQLite files'],
  name: ['', 'of the files in bench/results']
})

async function main() {
  const options = readOptions(OPTIONS, 'node bench/memory.js [options]')
  const seconds = options.minutes ? number(options, 'minutes') * 60 : number(options, 'seconds')
  const databases = new Databases(options.directory)
  const peers = list(options.peers)
  const known = {}
  for (const peer of peers) {
    Object.assign(known, versions(findPeer(peer).versions(options.database)))
  }
  const growth = []
  const served = []
  try {
    for (const peer of peers) {
      console.error(`${peer}: ${seconds} s of mixed load`)
      growth.push({ peer, ...(await soak(peer, seconds, options, databases)) })
    }
    for (const peer of ['none', 'memory', ...peers]) {
      console.error(`${peer}: ${options.served} s of requests to Express`)
      served.push({ peer, ...(await express(peer, options, databases)) })
    }
  } finally {
    await databases.close()
  }
  const result = {
    environment: environment(),
    options,
    versions: known,
    growth,
    served
  }
  saveResult(options.name || `memory-${options.database}`, result, table(result, seconds))
}

async function soak(alias, seconds, options, databases) {
  const peer = findPeer(alias)
  const table = databases.table(peer)
  const at = databases.of(peer, options.database)
  await at.drop(table)
  const child = new Child('soak.js', {
    peer: alias,
    database: options.database,
    durability: options.durability,
    url: at.url(table),
    table: table.name,
    callers: number(options, 'callers'),
    rows: number(options, 'rows'),
    size: number(options, 'size'),
    seconds
  })
  try {
    const { operations, samples } = await child.next(seconds + 120)
    await child.ended
    const later = samples.filter((sample) => sample.seconds > seconds / 2)
    const xs = later.map((sample) => sample.seconds / 60)
    const line = (value) => regression(xs, later.map(value))
    return {
      rate: operations / seconds,
      first: samples[0].rss,
      last: samples.at(-1).rss,
      most: Math.max(...samples.map((sample) => sample.rss)),
      rss: line((sample) => sample.rss),
      // What is not V8's: the addon, its buffers and the allocator.
      native: line((sample) => sample.rss - sample.heapTotal),
      samples
    }
  } finally {
    await child.end()
    await at.drop(table)
  }
}

/** Slope in bytes a minute, with twice its standard error. */
function regression(xs, ys) {
  const n = xs.length
  const mean = (values) => values.reduce((sum, one) => sum + one, 0) / n
  const [mx, my] = [mean(xs), mean(ys)]
  const sxx = xs.reduce((sum, x) => sum + (x - mx) ** 2, 0)
  const sxy = xs.reduce((sum, x, i) => sum + (x - mx) * (ys[i] - my), 0)
  const slope = sxy / sxx
  const rest = ys.reduce((sum, y, i) => sum + (y - my - slope * (xs[i] - mx)) ** 2, 0)
  return { slope, error: 2 * Math.sqrt(rest / (n - 2) / sxx) }
}

async function express(peer, options, databases) {
  const { database, durability } = options
  const half = {
    connections: 64,
    size: number(options, 'size'),
    rate: number(options, 'rate'),
    warmup: 3,
    seconds: number(options, 'served')
  }
  const of = async (path) => {
    const cell = { peer, database, durability }
    const { samples, rate } = await serve(cell, { ...half, path }, databases)
    return { rate, rss: median(samples.slice(samples.length >> 1)) }
  }
  return { read: await of('/read'), write: await of('/write') }
}

function table({ environment, options, versions, growth, served }, seconds) {
  const mb = (bytes) => (bytes / MB).toFixed(1)
  const slope = ({ slope, error }) => `${mb(slope)} ± ${mb(error)}`
  const bare = served.find((one) => one.peer === 'none')
  const added = (one, path) => mb(one[path].rss - bare[path].rss)
  return `# Memory with ${options.database}

${describe(environment)}.

- ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}

## Growth in ${seconds} s of the mix, ${options.callers} callers

The slope is that of a line through the second half of the samples, with twice its standard error. A sawtooth of garbage collection makes the true error larger.

| Store | Requests/s | RSS at first MB | most MB | at last MB | Slope MB/min | Slope without V8's heap MB/min |
| :-- | --: | --: | --: | --: | --: | --: |
${growth
  .map(
    (one) =>
      `| ${one.peer} | ${count(one.rate)} | ${mb(one.first)} | ${mb(one.most)} | ${mb(one.last)} | ${slope(one.rss)} | ${slope(one.native)} |`
  )
  .join('\n')}

## An Express process that serves ${options.rate} requests/s

| Store | RSS reading MB | over no sessions | RSS writing MB | over no sessions |
| :-- | --: | --: | --: | --: |
${served
  .map(
    (one) =>
      `| ${one.peer} | ${mb(one.read.rss)} | ${added(one, 'read')} | ${mb(one.write.rss)} | ${added(one, 'write')} |`
  )
  .join('\n')}
`
}

process.on('SIGINT', () => process.exit(130))

main().catch((error) => {
  console.error(error.message)
  process.exit(1)
})
