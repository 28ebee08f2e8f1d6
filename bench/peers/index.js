'use strict'

const path = require('node:path')

/**
 * A peer is what the benchmark can put under load: a session store, or a bare driver that does a store's work.
 *
 * @typedef {object} Peer
 * @property {string} name
 * @property {string} alias the word for it on the command line and in the names of tables and files
 * @property {string[]} databases where it can be measured
 * @property {'redis' | 'memory'} [service] what it keeps sessions in, if that is not the database of the run
 * @property {string} [table] the name of its table, if it cannot be chosen
 * @property {string} [sid] the column of the session id, `sid` by default
 * @property {boolean} [single] whether it holds the sessions in its own process
 * @property {boolean} [reference] whether it is no session store on an SQL database, but shows what others can be measured by
 * @property {boolean} [prunes] whether it can be told to remove expired sessions
 * @property {(database: string) => string[]} versions the packages whose versions belong into the result
 * @property {(url: string, options: PeerOptions) => Promise<OpenPeer>} open
 *
 * @typedef {object} PeerOptions
 * @property {string} database
 * @property {'normal' | 'full'} durability of SQLite: `synchronous` with a write-ahead log
 * @property {string} table
 * @property {number} [pool] the number of connections, the peer's own default if absent
 * @property {string} [folder] of another build of the package
 *
 * @typedef {object} OpenPeer
 * @property {any} store has express-session's methods in callback style
 * @property {() => Promise<unknown>} [prune]
 * @property {() => unknown} close
 */

/** @type {Peer[]} */
const peers = [
  require('./ours'),
  require('./connect-session-sequelize'),
  require('./connect-session-knex'),
  require('./better-sqlite3-session-store'),
  require('./connect-pg-simple'),
  require('./express-mysql-session'),
  require('./driver-better-sqlite3'),
  require('./driver-pg'),
  require('./driver-pg-pipeline'),
  require('./driver-mysql2'),
  require('./connect-redis'),
  require('./memory-store'),
  require('./nothing'),
  require('./none')
]

/**
 * @param {string} word an alias, a name, or `ours@folder` for another build of the package
 * @returns {Peer}
 */
function findPeer(word) {
  const [alias, folder] = word.split('@')
  const peer = peers.find((one) => one.alias === alias || one.name === word)
  if (!peer) {
    const known = peers.map((one) => one.alias).join(', ')
    throw new Error(`unknown peer ${word}, known are ${known}`)
  }
  if (!folder) return peer
  if (alias !== 'ours') throw new Error(`only ours can be another build`)
  return {
    ...peer,
    name: word,
    alias: word,
    versions: () => [path.resolve(folder)],
    open: (url, options) => peer.open(url, { ...options, folder: path.resolve(folder) })
  }
}

/** The peers that are measured on a database unless others are named. */
function defaultPeers(/** @type {string} */ database) {
  return peers
    .filter((peer) => peer.databases.includes(database))
    .filter((peer) => peer.alias !== 'nothing')
    .map((peer) => peer.alias)
}

module.exports = { peers, findPeer, defaultPeers }
