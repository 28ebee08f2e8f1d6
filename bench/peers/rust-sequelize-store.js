'use strict'

const path = require('node:path')
const session = require('express-session')

const ours = {
  name: 'rust-sequelize-store',
  alias: 'ours',
  databases: ['sqlite', 'postgres', 'mysql'],
  prunes: true,
  packages: () => [],
  async open(url, { database, durability, table, pool }, folder = path.join(__dirname, '../..')) {
    const RustSequelizeStore = require(folder)(session.Store)
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

/** Another build of the package, given with --against. */
const against = {
  ...ours,
  name: 'the other build',
  alias: 'against',
  open: (url, options) => ours.open(url, options, options.against)
}

module.exports = [ours, against]
