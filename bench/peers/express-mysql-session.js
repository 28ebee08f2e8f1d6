'use strict'

const session = require('express-session')

module.exports = {
  name: 'express-mysql-session',
  alias: 'mysqlsession',
  databases: ['mysql'],
  sid: 'session_id',
  versions: () => ['express-mysql-session', 'mysql2'],
  async open(url, { table, pool }) {
    const MySQLStore = require('express-mysql-session')(session)
    const { hostname, port, username, password, pathname } = new URL(url)
    const store = new MySQLStore({
      host: hostname,
      port: Number(port || 3306),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: pathname.slice(1),
      clearExpired: false,
      schema: { tableName: table },
      ...(pool ? { connectionLimit: pool } : {})
    })
    await store.onReady()
    return { store, close: () => store.close() }
  }
}
