'use strict'

const { DriverStore, expiry } = require('../lib/driver-store')

const peer = {
  name: 'pg (bare driver)',
  alias: 'driver-pg',
  databases: ['postgres'],
  reference: true,
  versions: () => ['pg'],
  async open(url, { table, pool: max }) {
    const { Pool } = require('pg')
    const pool = new Pool({ connectionString: url, ...(max ? { max } : {}) })
    return { store: await openStore(pool, table), close: () => pool.end() }
  }
}

/** @param {{ query: (...args: any[]) => any }} pool */
async function openStore(pool, table) {
  await pool.query(
    `CREATE TABLE IF NOT EXISTS "${table}" (sid VARCHAR(128) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT, "createdAt" TIMESTAMPTZ NOT NULL, "updatedAt" TIMESTAMPTZ NOT NULL)`
  )
  return new Store(pool, table)
}

// A query with a name is a prepared statement, parsed once on each connection.
class Store extends DriverStore {
  constructor(pool, table) {
    super()
    this.pool = pool
    this.select = `SELECT data FROM "${table}" WHERE sid = $1 AND expires > $2`
    this.upsert = `INSERT INTO "${table}" (sid, expires, data, "createdAt", "updatedAt") VALUES ($1, $2, $3, $4, $4) ON CONFLICT (sid) DO UPDATE SET expires = excluded.expires, data = excluded.data, "updatedAt" = excluded."updatedAt"`
    this.update = `UPDATE "${table}" SET expires = $2, "updatedAt" = $3 WHERE sid = $1`
    this.remove = `DELETE FROM "${table}" WHERE sid = $1`
  }

  get(sid, callback) {
    this.pool.query({ name: 'get', text: this.select, values: [sid, new Date()] }, (error, result) => {
      if (error) return callback(error)
      const row = result.rows[0]
      callback(null, row ? JSON.parse(row.data) : null)
    })
  }

  set(sid, session, callback) {
    this.pool.query(
      {
        name: 'set',
        text: this.upsert,
        values: [sid, expiry(session), JSON.stringify(session), new Date()]
      },
      callback
    )
  }

  touch(sid, session, callback) {
    this.pool.query(
      {
        name: 'touch',
        text: this.update,
        values: [sid, expiry(session), new Date()]
      },
      callback
    )
  }

  destroy(sid, callback) {
    this.pool.query({ name: 'destroy', text: this.remove, values: [sid] }, callback)
  }
}

module.exports = { ...peer, openStore }
