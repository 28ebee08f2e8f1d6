'use strict'

const session = require('express-session')

const drivers = { sqlite: 'sqlite3', postgres: 'pg', mysql: 'mysql2' }

module.exports = {
  name: 'connect-session-sequelize',
  alias: 'css',
  databases: ['sqlite', 'postgres', 'mysql'],
  prunes: true,
  packages: (database) => ['connect-session-sequelize', 'sequelize', drivers[database]],
  async open(url, { database, durability, table, pool }) {
    const { Sequelize } = require('sequelize')
    const options = { logging: false, pool: pool ? { max: pool } : undefined }
    const db =
      database === 'sqlite'
        ? new Sequelize({ ...options, dialect: 'sqlite', storage: url })
        : new Sequelize(url, options)
    if (database === 'sqlite') {
      // Sequelize has one connection to a file, so these hold for every query.
      await db.query('PRAGMA journal_mode = WAL')
      await db.query(`PRAGMA synchronous = ${durability}`)
      await db.query('PRAGMA busy_timeout = 5000')
    }
    const SequelizeStore = require('connect-session-sequelize')(session.Store)
    const store = new SequelizeStore({
      db,
      tableName: table,
      checkExpirationInterval: 0
    })
    await store.sync()
    return { store, prune: () => store.clearExpiredSessions(), close: () => db.close() }
  }
}
