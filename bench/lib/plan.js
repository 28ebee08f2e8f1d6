'use strict'

const { kinds } = require('../kinds')
const { defaultPeers, findPeer } = require('../peers')
const { suites } = require('../suites')
const { among, list, number } = require('./options')
const { workloads } = require('./load')

/**
 * One thing to measure of one peer. Its dimensions are those of its kind.
 *
 * @typedef {Record<string, any> & { kind: string, peer: string, rounds: number, seconds: number, warmup: number, minutes?: number }} Cell
 */

const TIMES = ['rounds', 'seconds', 'warmup', 'minutes']
const WORDS = {
  database: ['sqlite', 'postgres', 'mysql'],
  durability: ['normal', 'full'],
  workload: Object.keys(workloads),
  request: ['read', 'write']
}
const NUMBERS = ['callers', 'rows', 'size', 'processes', 'connections', 'expired']

/** All cells, in the order in which each round goes through them: the peers of a cell one after the other. */
function makePlan(/** @type {Record<string, string>} */ options) {
  const chosen = choice(options)
  const times = Object.fromEntries(TIMES.filter((name) => options[name]).map((name) => [name, number(options, name)]))
  /** @type {Map<string, Cell>} */
  const plan = new Map()
  for (const { preset, selections } of suitesOf(options).map((word) => suites[word])) {
    for (const selection of selections) {
      const own = preset ? {} : dimensionsOf(selection.kind, chosen)
      for (const cell of cells({ ...selection, ...own, ...times })) {
        const id = Object.values(key(cell)).join(' ')
        if ((!preset || matches(cell, chosen)) && !plan.has(id)) plan.set(id, cell)
      }
    }
  }
  if (plan.size === 0) throw new Error('nothing to measure: no cell of these suites has all that the options name')
  return [...plan.values()]
}

/** The lists that the options name. */
function choice(options) {
  const chosen = {}
  for (const [name, known] of Object.entries(WORDS)) {
    const words = list(options[name]).flatMap((word) => (word === 'set' ? ['set-new', 'set-existing'] : [word]))
    if (words.length > 0) chosen[name] = among(words, known, name)
  }
  for (const name of NUMBERS) {
    if (options[name]) chosen[name] = list(options[name]).map((value) => number({ [name]: value }, name))
  }
  if (options.peers) chosen.peers = list(options.peers)
  return chosen
}

function suitesOf(options) {
  if (options.suite) return among(list(options.suite), Object.keys(suites), 'suite')
  const ofStore = ['workload', 'callers', 'rows', 'size', 'processes'].some((name) => options[name])
  return ofStore ? ['store'] : ['store', 'express', 'scale', 'prune', 'memory']
}

function dimensionsOf(kind, chosen) {
  const known = [...kinds[kind].dimensions, 'peers']
  const stranger = Object.keys(chosen).find(
    (name) => !known.includes(name) && !['database', 'durability'].includes(name)
  )
  if (stranger) throw new Error(`--${stranger} has no meaning for ${kind}: name other suites with --suite`)
  return chosen
}

function matches(cell, { peers, ...chosen }) {
  if (peers && !peers.some((word) => findPeer(word).alias === cell.peer)) return false
  // A peer with a service of its own is measured once for all databases.
  return Object.entries(chosen).every(([name, values]) => cell[name] === '' || values.includes(cell[name]))
}

/** @returns {Cell[]} */
function cells({ kind, peers, rounds, seconds, warmup, minutes, ...lists }) {
  const { dimensions, usable } = kinds[kind]
  let found = /** @type {any[]} */ ([{ kind }])
  for (const name of dimensions) {
    found = found.flatMap((cell) => {
      const values = name === 'durability' && cell.database !== 'sqlite' ? [''] : lists[name]
      return values.map((value) => ({ ...cell, [name]: value }))
    })
  }
  return found.flatMap((cell) =>
    (peers ?? defaultPeers(cell.database))
      .map(findPeer)
      .filter((peer) => peer.databases.includes(cell.database) && usable(peer, cell))
      .map((peer) => ({ ...cell, ...kinds[kind].own?.(peer), peer: peer.alias, rounds, seconds, warmup, minutes }))
  )
}

/** What tells one cell from another. */
function key(/** @type {Record<string, any>} */ cell) {
  return Object.fromEntries(['kind', ...kinds[cell.kind].dimensions, 'peer'].map((name) => [name, cell[name]]))
}

module.exports = { makePlan, key }
