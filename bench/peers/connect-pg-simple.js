'use strict'

const { promisify } = require('node:util')
const session = require('express-session')

module.exports = {
  name: 'connect-pg-simple',
  alias: 'pgsimple',
  databases: ['postgres'],
  prunes: true,
  packages: () => ['connect-pg-simple', 'pg'],
  async open(url, { table, pool: max }) {
    const { Pool } = require('pg')
    const pool = new Pool({ connectionString: url, ...(max ? { max } : {}) })
    const PGStore = require('connect-pg-simple')(session)
    const store = new PGStore({
      pool,
      tableName: table,
      createTableIfMissing: true,
      pruneSessionInterval: false
    })
    return { store, prune: promisify(store.pruneSessions).bind(store), close: () => pool.end() }
  }
}
