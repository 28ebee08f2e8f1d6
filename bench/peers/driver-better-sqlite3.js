'use strict'

const { DriverStore, expiry } = require('../lib/driver-store')

module.exports = {
  name: 'better-sqlite3 (bare driver)',
  alias: 'driver-sqlite',
  databases: ['sqlite'],
  reference: true,
  versions: () => ['better-sqlite3'],
  async open(url, { durability, table }) {
    const Database = require('better-sqlite3')
    const db = new Database(url, { timeout: 5000 })
    db.pragma('journal_mode = WAL')
    db.pragma(`synchronous = ${durability}`)
    db.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT, createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL)`
    )
    return { store: new Store(db, table), close: () => db.close() }
  }
}

class Store extends DriverStore {
  constructor(db, table) {
    super()
    this.select = db.prepare(`SELECT data FROM ${table} WHERE sid = ? AND expires > ?`).pluck()
    this.upsert = db.prepare(
      `INSERT INTO ${table} VALUES (?, ?, ?, ?, ?) ON CONFLICT (sid) DO UPDATE SET expires = excluded.expires, data = excluded.data, updatedAt = excluded.updatedAt`
    )
    this.update = db.prepare(`UPDATE ${table} SET expires = ?, updatedAt = ? WHERE sid = ?`)
    this.remove = db.prepare(`DELETE FROM ${table} WHERE sid = ?`)
  }

  get(sid, callback) {
    const data = this.select.get(sid, new Date().toISOString())
    callback(null, data ? JSON.parse(data) : null)
  }

  set(sid, session, callback) {
    const now = new Date().toISOString()
    const expires = expiry(session).toISOString()
    this.upsert.run(sid, expires, JSON.stringify(session), now, now)
    callback(null)
  }

  touch(sid, session, callback) {
    const now = new Date().toISOString()
    this.update.run(expiry(session).toISOString(), now, sid)
    callback(null)
  }

  destroy(sid, callback) {
    this.remove.run(sid)
    callback(null)
  }
}
