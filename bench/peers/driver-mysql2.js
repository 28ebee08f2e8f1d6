'use strict'

const { DriverStore, expiry } = require('../lib/driver-store')

module.exports = {
  name: 'mysql2 (bare driver)',
  alias: 'driver-mysql',
  databases: ['mysql'],
  reference: true,
  versions: () => ['mysql2'],
  async open(url, { table, pool: connectionLimit }) {
    const pool = require('mysql2').createPool({
      uri: url,
      timezone: 'Z',
      ...(connectionLimit ? { connectionLimit } : {})
    })
    await pool
      .promise()
      .query(
        `CREATE TABLE IF NOT EXISTS \`${table}\` (sid VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, expires DATETIME(3), data MEDIUMTEXT CHARACTER SET utf8mb4, createdAt DATETIME(3) NOT NULL, updatedAt DATETIME(3) NOT NULL) ENGINE=InnoDB`
      )
    return { store: new Store(pool, table), close: () => pool.promise().end() }
  }
}

// `execute` prepares a statement once on each connection.
class Store extends DriverStore {
  constructor(pool, table) {
    super()
    this.pool = pool
    this.select = `SELECT data FROM \`${table}\` WHERE sid = ? AND expires > ?`
    this.upsert = `INSERT INTO \`${table}\` (sid, expires, data, createdAt, updatedAt) VALUES (?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE expires = VALUES(expires), data = VALUES(data), updatedAt = VALUES(updatedAt)`
    this.update = `UPDATE \`${table}\` SET expires = ?, updatedAt = ? WHERE sid = ?`
    this.remove = `DELETE FROM \`${table}\` WHERE sid = ?`
  }

  get(sid, callback) {
    this.pool.execute(this.select, [sid, new Date()], (error, rows) => {
      if (error) return callback(error)
      callback(null, rows[0] ? JSON.parse(rows[0].data) : null)
    })
  }

  set(sid, session, callback) {
    const now = new Date()
    const data = JSON.stringify(session)
    const values = [sid, expiry(session), data, now, now]
    this.pool.execute(this.upsert, values, callback)
  }

  touch(sid, session, callback) {
    const values = [expiry(session), new Date(), sid]
    this.pool.execute(this.update, values, callback)
  }

  destroy(sid, callback) {
    this.pool.execute(this.remove, [sid], callback)
  }
}
