'use strict'

const session = require('express-session')

module.exports = {
  name: 'better-sqlite3-session-store',
  alias: 'bs3',
  databases: ['sqlite'],
  table: 'sessions',
  prunes: true,
  packages: () => ['better-sqlite3-session-store', 'better-sqlite3'],
  async open(url, { durability }) {
    const Database = require('better-sqlite3')
    const client = new Database(url, { timeout: 5000 })
    client.pragma('journal_mode = WAL')
    client.pragma(`synchronous = ${durability}`)
    const SqliteStore = require('better-sqlite3-session-store')(session)
    // Its pruning cannot be switched off, only made rare; this is the longest interval of a timer.
    const store = new SqliteStore({
      client,
      expired: { intervalMs: 2 ** 31 - 1 }
    })
    return { store, prune: async () => store.clearExpiredSessions(), close: () => client.close() }
  }
}
