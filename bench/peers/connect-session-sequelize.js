'use strict'

const path = require('node:path')
const session = require('express-session')

const drivers = { sqlite: 'sqlite3', postgres: 'pg', mysql: 'mysql2' }

/** The Sequelize instance of an application. */
async function connect(url, { database, durability, pool }) {
  const { Sequelize } = require('sequelize')
  const options = { logging: false, pool: pool ? { max: pool } : undefined }
  if (database !== 'sqlite') return new Sequelize(url, options)
  const db = new Sequelize({ ...options, dialect: 'sqlite', storage: url })
  // Sequelize has one connection to a file, so these hold for every query.
  await db.query('PRAGMA journal_mode = WAL')
  await db.query(`PRAGMA synchronous = ${durability}`)
  await db.query('PRAGMA busy_timeout = 5000')
  return db
}

const incumbent = {
  name: 'connect-session-sequelize',
  alias: 'css',
  databases: ['sqlite', 'postgres', 'mysql'],
  prunes: true,
  packages: (database) => ['connect-session-sequelize', 'sequelize', drivers[database]],
  async open(url, options, name = 'connect-session-sequelize', more = {}) {
    const db = await connect(url, options)
    const SequelizeStore = require(name)(session.Store)
    const store = new SequelizeStore({ db, tableName: options.table, checkExpirationInterval: 0, ...more })
    await store.sync()
    return { store, prune: () => store.clearExpiredSessions(), close: () => db.close() }
  }
}

/** This store where it works through Sequelize. */
const throughSequelize = {
  ...incumbent,
  name: 'rust-sequelize-store, through Sequelize',
  alias: 'model',
  packages: (database) => ['sequelize', drivers[database]],
  open: (url, options) => incumbent.open(url, options, path.join(__dirname, '../..'), { engine: 'sequelize' })
}

module.exports = [incumbent, throughSequelize]
