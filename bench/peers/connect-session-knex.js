'use strict'

const drivers = { sqlite: 'sqlite3', postgres: 'pg', mysql: 'mysql2' }

module.exports = {
  name: 'connect-session-knex',
  alias: 'knex',
  databases: ['sqlite', 'postgres', 'mysql'],
  packages: (database) => ['connect-session-knex', 'knex', drivers[database]],
  async open(url, { database, durability, table, pool }) {
    const { ConnectSessionKnexStore } = require('connect-session-knex')
    const knex = require('knex')({
      client: drivers[database],
      connection: database === 'sqlite' ? { filename: url } : url,
      useNullAsDefault: true,
      pool: {
        ...(pool && database !== 'sqlite' ? { min: 0, max: pool } : {}),
        ...(database === 'sqlite' ? { afterCreate: pragmas(durability) } : {})
      }
    })
    const store = new ConnectSessionKnexStore({
      knex,
      tableName: table,
      cleanupInterval: 0
    })
    await store.ready
    return { store, close: () => knex.destroy() }
  }
}

function pragmas(durability) {
  return (connection, done) =>
    connection.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}; PRAGMA busy_timeout = 5000`,
      (error) => done(error, connection)
    )
}
