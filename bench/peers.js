'use strict'

// The stores that are compared, each set up as its README shows, but with the same durability and with no pruning of its own.

const path = require('node:path')
const { promisify } = require('node:util')
const session = require('express-session')
const { drivers } = require('./drivers')

const prune = (store) => store.clearExpiredSessions()

/**
 * A store has a `name` and `open`, which gets the `url` of the database (or the SQLite file), the name of the `table` and the
 * `durability` (SQLite's `synchronous`). It may have `databases` that it is compared on, by default all; `service`, where it keeps
 * sessions if not in the database of the run; `reference`, if it is not a session store on an SQL database; `table`, if its name cannot
 * be chosen; `sid`, the column of the session id; and `prune`, which removes expired sessions.
 */

const ours = {
  name: 'rust-sequelize-store',
  prune,
  async open({ url, database, durability, table }, folder = path.join(__dirname, '..')) {
    const RustSequelizeStore = require(folder)(session.Store)
    const pragmas = `journal_mode=WAL&synchronous=${durability.toUpperCase()}&busy_timeout=5000`
    const db = database === 'sqlite' ? `sqlite://${url}?${pragmas}` : url
    const store = new RustSequelizeStore({ db, tableName: table, checkExpirationInterval: 0 })
    await store.sync()
    return { store, close: () => store.close() }
  }
}

const sequelizeStore = {
  name: 'connect-session-sequelize',
  prune,
  async open({ url, database, durability, table }, name = 'connect-session-sequelize', more = {}) {
    const { Sequelize } = require('sequelize')
    const logging = false
    const file = database === 'sqlite' && { dialect: 'sqlite', storage: url, logging }
    const db = file ? new Sequelize(file) : new Sequelize(url, { logging })
    // Sequelize has one connection to a file, so these hold for every query.
    for (const pragma of file ? pragmasOf(durability) : []) await db.query(`PRAGMA ${pragma}`)
    const SequelizeStore = require(name)(session.Store)
    const store = new SequelizeStore({ db, tableName: table, checkExpirationInterval: 0, ...more })
    await store.sync()
    return { store, close: () => db.close() }
  }
}

function pragmasOf(durability) {
  return ['journal_mode = WAL', `synchronous = ${durability}`, 'busy_timeout = 5000']
}

/** By the word on the command line. */
const peers = {
  ours,
  against: { ...ours, name: 'the other build', open: (options) => ours.open(options, options.against) },
  css: sequelizeStore,
  model: {
    ...sequelizeStore,
    name: 'rust-sequelize-store, through Sequelize',
    open: (options) => sequelizeStore.open(options, path.join(__dirname, '..'), { engine: 'sequelize' })
  },
  knex: {
    name: 'connect-session-knex',
    async open({ url, database, durability, table }) {
      const { ConnectSessionKnexStore } = require('connect-session-knex')
      const pragmas = pragmasOf(durability).map((pragma) => `PRAGMA ${pragma};`)
      const afterCreate = (db, done) => db.exec(pragmas.join(' '), (error) => done(error, db))
      const knex = require('knex')({
        client: { sqlite: 'sqlite3', postgres: 'pg', mysql: 'mysql2' }[database],
        connection: database === 'sqlite' ? { filename: url } : url,
        useNullAsDefault: true,
        pool: database === 'sqlite' ? { afterCreate } : {}
      })
      const store = new ConnectSessionKnexStore({ knex, tableName: table, cleanupInterval: 0 })
      await store.ready
      return { store, close: () => knex.destroy() }
    }
  },
  bs3: {
    name: 'better-sqlite3-session-store',
    databases: ['sqlite'],
    table: 'sessions',
    prune,
    async open({ url, durability }) {
      const client = new (require('better-sqlite3'))(url)
      for (const pragma of pragmasOf(durability)) client.pragma(pragma)
      const SqliteStore = require('better-sqlite3-session-store')(session)
      // Its pruning cannot be switched off, only made rare; this is the longest interval of a timer.
      const store = new SqliteStore({ client, expired: { intervalMs: 2 ** 31 - 1 } })
      return { store, close: () => client.close() }
    }
  },
  pgsimple: {
    name: 'connect-pg-simple',
    databases: ['postgres'],
    prune: (store) => promisify(store.pruneSessions).call(store),
    async open({ url, table }) {
      const pool = new (require('pg').Pool)({ connectionString: url })
      const PGStore = require('connect-pg-simple')(session)
      const store = new PGStore({ pool, tableName: table, createTableIfMissing: true, pruneSessionInterval: false })
      return { store, close: () => pool.end() }
    }
  },
  mysqlsession: {
    name: 'express-mysql-session',
    databases: ['mysql'],
    sid: 'session_id',
    prune,
    async open({ url, table }) {
      const MySQLStore = require('express-mysql-session')(session)
      // It brings an old mysql2 with it; one of the application's can be handed to it, which all others here have.
      const connection = require('mysql2/promise').createPool(url)
      const store = new MySQLStore({ clearExpired: false, schema: { tableName: table } }, connection)
      await store.onReady()
      return { store, close: () => store.close() }
    }
  },
  ...drivers,
  redis: {
    name: 'connect-redis',
    service: 'redis',
    reference: true,
    async open({ url, table }) {
      const client = await require('redis').createClient({ url }).connect()
      const store = new (require('connect-redis').RedisStore)({ client, prefix: `${table}:` })
      return { store, close: () => client.close() }
    }
  },
  memory: {
    name: 'MemoryStore',
    service: 'memory',
    reference: true,
    open: async () => ({ store: new session.MemoryStore(), close() {} })
  }
}

module.exports = { peers }
