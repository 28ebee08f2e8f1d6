'use strict'

/**
 * What is put under load: a session store, or a bare driver that does the work of one.
 *
 * @typedef {object} Peer
 * @property {string} name
 * @property {string} alias its word on the command line and in names of tables
 * @property {string[]} databases the databases that it is compared on
 * @property {'redis' | 'memory'} [service] where it keeps sessions, if not in the database of the run
 * @property {boolean} [single] keeps the sessions in its own process, so each trial fills it anew
 * @property {boolean} [reference] is not a session store on an SQL database
 * @property {string} [table] the name of its table, if it cannot be chosen
 * @property {string} [sid] the column of the session id, by default `sid`
 * @property {boolean} [prunes] can be told to remove expired sessions
 * @property {(database: string) => string[]} packages whose versions belong in the result
 * @property {(url: string, options: PeerOptions) => Promise<OpenPeer>} open
 *
 * @typedef {object} PeerOptions
 * @property {string} database
 * @property {string} table
 * @property {'normal' | 'full'} durability SQLite's `synchronous`, with a write-ahead log
 * @property {number} [pool] number of connections; each peer's own default if absent
 * @property {string} [against] the folder of the other build
 *
 * @typedef {object} OpenPeer
 * @property {any} store has the methods of an express-session store, with callbacks
 * @property {() => Promise<unknown>} [prune]
 * @property {() => unknown} close
 */

/** @type {Peer[]} */
const peers = [
  ...require('./rust-sequelize-store'),
  ...require('./connect-session-sequelize'),
  require('./connect-session-knex'),
  require('./better-sqlite3-session-store'),
  require('./connect-pg-simple'),
  require('./express-mysql-session'),
  ...require('./drivers'),
  require('./connect-redis'),
  require('./memory-store')
]

/** @returns {Peer} */
function findPeer(/** @type {string} */ alias) {
  const peer = peers.find((one) => one.alias === alias)
  if (peer) return peer
  throw new Error(`unknown peer \`${alias}\`; supported: ${peers.map((one) => one.alias).join(', ')}`)
}

module.exports = { peers, findPeer }
