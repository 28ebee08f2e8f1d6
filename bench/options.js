'use strict'

const path = require('node:path')
const { parseArgs } = require('node:util')
const { TITLES } = require('./databases')
const { peers } = require('./peers')
const { suites } = require('./suites')

const DATABASES = Object.keys(TITLES)
const SUITES = Object.keys(suites)
const PEERS = peers.map((peer) => peer.alias)
const WORKLOADS = [...new Set(Object.values(suites).flatMap(({ lists }) => lists.workload))]

/** Each option with its meaning and, in parentheses, its default. */
const OPTIONS = {
  suite: `${SUITES.join(',')} (all; with --against: store)`,
  database: `${DATABASES.join(',')} (all)`,
  peers: `${PEERS.join(',')} (all; with --against: ours,against)`,
  against: 'folder of another checkout: its build is compared with this one',
  workload: `${WORKLOADS.join(',')} (all)`,
  callers: 'operations at the same time; for Express, connections (1,16,128; Express: 64)',
  rows: 'sessions in the table (10000; scale: 10000,1000000)',
  expired: 'sessions to prune (200000)',
  rounds: 'how often each cell is measured (3)',
  seconds: 'length of one trial (1; Express: 3)',
  warmup: 'seconds before it (0.5; Express: 2)',
  size: 'bytes of a session as JSON (600)',
  durability: "normal or full: SQLite's `synchronous` (normal)",
  pool: "number of connections (each store's own default)",
  name: 'of the result in bench/results (date and time)',
  resume: 'name of a result to continue'
}

function usage() {
  const lines = Object.entries(OPTIONS).map(([name, meaning]) => `  --${name.padEnd(11)} ${meaning}`)
  const meanings = SUITES.map((name) => `  ${name.padEnd(13)} ${suites[name].meaning}`)
  return ['npm run bench -- [options]', '', ...lines, '', 'Suites:', '', ...meanings].join('\n')
}

/** @returns {Record<string, any>} texts by name */
function readArguments() {
  const options = Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, { type: 'string' }]))
  return parseArgs({ options: /** @type {any} */ ({ ...options, help: { type: 'boolean' } }) }).values
}

function readOptions(/** @type {Record<string, any>} */ args) {
  const list = (name, read) => args[name]?.split(',').map((text) => read(name, text))
  const word = (supported) => (name, text) =>
    supported.includes(text) ? text : refuse(name, supported.join(', '), text)
  const positive = (name, text) => (Number(text) > 0 ? Number(text) : refuse(name, 'numbers above 0', text))
  const given = (names) =>
    Object.fromEntries(names.flatMap((name) => (args[name] ? [[name, positive(name, args[name])]] : [])))
  return {
    suite: list('suite', word(SUITES)) ?? (args.against ? ['store'] : SUITES),
    database: list('database', word(DATABASES)) ?? DATABASES,
    peers: list('peers', word(PEERS)) ?? (args.against ? ['ours', 'against'] : undefined),
    workload: list('workload', word(WORKLOADS)),
    callers: list('callers', positive),
    rows: list('rows', positive),
    expired: list('expired', positive),
    times: given(['rounds', 'seconds', 'warmup']),
    settings: {
      size: 600,
      ...given(['size', 'pool']),
      durability: args.durability ? word(['normal', 'full'])('durability', args.durability) : 'normal',
      ...(args.against && { against: path.resolve(args.against) })
    }
  }
}

function refuse(name, supported, text) {
  throw new Error(`unsupported value \`${text}\` of --${name}; supported: ${supported}`)
}

module.exports = { readArguments, readOptions, usage }
