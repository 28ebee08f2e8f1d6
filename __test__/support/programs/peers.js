'use strict'

// Other session stores, each the real package, in a process of their own: two SQLite libraries in one process would undo each other's
// locks.

const session = require('express-session')
const { application } = require('../variants')
const { expressSession } = require('../sessions')

/** Calls a method of express-session's interface. */
const call = (store, verb, ...args) =>
  new Promise((resolve, reject) => {
    store[verb](...args, (error, result) => (error ? reject(error) : resolve(result)))
  })

/** What every store for express-session can do. */
const expressStore = (store) => ({
  get: (sid) => call(store, 'get', sid),
  set: (sid, data) => call(store, 'set', sid, expressSession(sid, data)),
  touch: (sid, data) => call(store, 'touch', sid, expressSession(sid, data)),
  destroy: (sid) => call(store, 'destroy', sid)
})

const file = (url) => url.slice('sqlite://'.length)

/** The settings that mysql2 takes from a URL. */
function mysqlSettings(url) {
  const { hostname, port, username, password, pathname } = new URL(url)
  const [user, secret] = [username, password].map(decodeURIComponent)
  return { host: hostname, port: Number(port), user, password: secret, database: pathname.slice(1) }
}

const KNEX = {
  sqlite: (url) => ({ client: 'sqlite3', connection: { filename: file(url) }, useNullAsDefault: true }),
  postgres: (url) => ({ client: 'pg', connection: url }),
  mysql: (url) => ({ client: 'mysql2', connection: mysqlSettings(url) })
}

const OPEN = {
  'connect-session-sequelize'({ url, variant, elsewhere }) {
    const SequelizeStore = require('connect-session-sequelize')(session.Store)
    const { sequelize, options } = application(url, variant, elsewhere)
    const store = new SequelizeStore({ ...options, checkExpirationInterval: 0 })
    return {
      ...expressStore(store),
      sync: () => store.sync().then(() => {}),
      length: () => store.length(),
      prune: () => store.clearExpiredSessions(),
      end: () => sequelize.close()
    }
  },

  'koa-generic-session-sequelize'({ url, settings }) {
    const SequelizeStore = require('koa-generic-session-sequelize')
    const { sequelize } = application(url)
    const store = new SequelizeStore(sequelize, { gcFrequency: 0, ...settings })
    return {
      sync: () => store.waitForSync(),
      get: (sid) => store.get(sid),
      set: (sid, data) => store.set(sid, data, data.cookie.expires - Date.now()).then(() => {}),
      destroy: (sid) => store.destroy(sid),
      prune: () => store.gc(),
      end: () => sequelize.close()
    }
  },

  'connect-pg-simple'({ url, settings }) {
    const PgStore = require('connect-pg-simple')(session)
    const store = new PgStore({ conString: url, createTableIfMissing: true, pruneSessionInterval: false, ...settings })
    return {
      ...expressStore(store),
      sync: () => call(store, 'get', 'nobody'),
      prune: () => call(store, 'pruneSessions'),
      end: () => store.close()
    }
  },

  'express-mysql-session'({ url, settings }) {
    const MySqlStore = require('express-mysql-session')(session)
    const store = new MySqlStore({ ...mysqlSettings(url), clearExpired: false, ...settings })
    return {
      ...expressStore(store),
      sync: () => store.onReady(),
      prune: () => store.clearExpiredSessions().then(() => {}),
      end: () => store.close()
    }
  },

  'connect-session-knex'({ url, dialect, settings }) {
    const { ConnectSessionKnexStore } = require('connect-session-knex')
    const knex = require('knex')(KNEX[dialect](url))
    const onDbCleanupError = (error) => {
      throw error
    }
    const store = new ConnectSessionKnexStore({ knex, cleanupInterval: 0, onDbCleanupError, ...settings })
    return {
      ...expressStore(store),
      sync: () => store.ready,
      prune: () => store.dbCleanup(),
      end: () => knex.destroy()
    }
  },

  'better-sqlite3-session-store'({ url }) {
    const Database = require('../better-sqlite3')
    const SqliteStore = require('better-sqlite3-session-store')(session)
    const store = new SqliteStore({ client: new Database(file(url)) })
    return {
      ...expressStore(store),
      sync: () => {},
      prune: () => store.clearExpiredSessions(),
      end: () => {}
    }
  }
}

const peers = new Map()

async function answer({ open, peer, verb, args }) {
  if (open === undefined) return peers.get(peer)[verb](...args)
  peers.set(peer, OPEN[open](...args))
}

process.on('message', async ({ id, ...request }) => {
  try {
    process.send({ id, result: await answer(request) })
  } catch (error) {
    process.send({ id, error: { message: error.message, code: error.code } })
  }
})

// Some of the stores have timers that would keep the process.
process.on('disconnect', () => process.exit())
