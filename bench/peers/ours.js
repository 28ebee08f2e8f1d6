'use strict'

const path = require('node:path')
const session = require('express-session')

module.exports = {
  name: 'rust-sequelize-store',
  alias: 'ours',
  databases: ['sqlite', 'postgres', 'mysql'],
  prunes: true,
  versions: () => [path.join(__dirname, '../..')],
  async open(url, { database, durability, table, pool, folder }) {
    const RustSequelizeStore = require(folder ?? '../..')(session.Store)
    const store = new RustSequelizeStore({
      db:
        database === 'sqlite'
          ? `sqlite://${url}?journal_mode=WAL&synchronous=${durability.toUpperCase()}&busy_timeout=5000`
          : url,
      tableName: table,
      checkExpirationInterval: 0,
      pool: pool ? { max: pool } : undefined
    })
    await store.sync()
    return { store, prune: () => store.clearExpiredSessions(), close: () => store.close() }
  }
}
