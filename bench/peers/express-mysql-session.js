'use strict'

const session = require('express-session')

module.exports = {
  name: 'express-mysql-session',
  alias: 'mysqlsession',
  databases: ['mysql'],
  sid: 'session_id',
  prunes: true,
  packages: () => ['express-mysql-session', 'mysql2'],
  async open(url, { table, pool }) {
    const MySQLStore = require('express-mysql-session')(session)
    // It brings an old mysql2 with it; one of the application's can be handed to it, which all others here have.
    const connection = require('mysql2/promise').createPool({ uri: url, ...(pool ? { connectionLimit: pool } : {}) })
    const store = new MySQLStore({ clearExpired: false, schema: { tableName: table } }, connection)
    await store.onReady()
    return { store, prune: () => store.clearExpiredSessions(), close: () => store.close() }
  }
}
