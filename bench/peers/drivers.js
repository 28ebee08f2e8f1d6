'use strict'

// The bare drivers, as an application would use them without a store: prepared statements and JSON.

const { Store } = require('express-session')

/**
 * Four statements, run by a driver. `values` are in the order of the statement.
 *
 * @typedef {(name: 'get' | 'set' | 'touch' | 'destroy', values: any[], callback: (error: any, rows?: any[]) => void) => void} Run
 */
class DriverStore extends Store {
  constructor(/** @type {Run} */ run, date = (/** @type {Date} */ value) => /** @type {any} */ (value)) {
    super()
    this.run = run
    this.date = date
  }

  get(sid, callback) {
    this.run('get', [sid, this.date(new Date())], (error, rows) => {
      if (error) return callback(error)
      callback(null, rows?.[0] ? JSON.parse(rows[0].data) : null)
    })
  }

  set(sid, session, callback) {
    const values = [sid, this.date(session.cookie.expires), JSON.stringify(session), this.date(new Date())]
    this.run('set', values, (error) => callback(error))
  }

  touch(sid, session, callback) {
    const values = [this.date(session.cookie.expires), this.date(new Date()), sid]
    this.run('touch', values, (error) => callback(error))
  }

  destroy(sid, callback) {
    this.run('destroy', [sid], (error) => callback(error))
  }
}

const sqlite = {
  name: 'better-sqlite3 (bare driver)',
  alias: 'driver-sqlite',
  databases: ['sqlite'],
  reference: true,
  packages: () => ['better-sqlite3'],
  async open(url, { durability, table }) {
    const db = new (require('better-sqlite3'))(url, { timeout: 5000 })
    db.pragma('journal_mode = WAL')
    db.pragma(`synchronous = ${durability}`)
    db.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT, createdAt DATETIME NOT NULL, updatedAt DATETIME NOT NULL)`
    )
    const statements = {
      get: db.prepare(`SELECT data FROM ${table} WHERE sid = ? AND expires > ?`),
      set: db.prepare(
        `INSERT INTO ${table} VALUES (?, ?, ?, ?, ?) ON CONFLICT (sid) DO UPDATE SET expires = excluded.expires, data = excluded.data, updatedAt = excluded.updatedAt`
      ),
      touch: db.prepare(`UPDATE ${table} SET expires = ?, updatedAt = ? WHERE sid = ?`),
      destroy: db.prepare(`DELETE FROM ${table} WHERE sid = ?`)
    }
    const run = (name, values, callback) => {
      if (name === 'get') return callback(null, statements.get.all(values))
      // The time of creation is also that of the last change.
      statements[name].run(...values, ...(name === 'set' ? values.slice(3) : []))
      callback(null)
    }
    return { store: new DriverStore(run, (date) => date.toISOString()), close: () => db.close() }
  }
}

/** A statement with a name is prepared, once on each connection. */
async function postgresStore(pool, table) {
  await pool.query(
    `CREATE TABLE IF NOT EXISTS "${table}" (sid VARCHAR(128) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT, "createdAt" TIMESTAMPTZ NOT NULL, "updatedAt" TIMESTAMPTZ NOT NULL)`
  )
  const statements = {
    get: `SELECT data FROM "${table}" WHERE sid = $1 AND expires > $2`,
    set: `INSERT INTO "${table}" (sid, expires, data, "createdAt", "updatedAt") VALUES ($1, $2, $3, $4, $4) ON CONFLICT (sid) DO UPDATE SET expires = excluded.expires, data = excluded.data, "updatedAt" = excluded."updatedAt"`,
    touch: `UPDATE "${table}" SET expires = $1, "updatedAt" = $2 WHERE sid = $3`,
    destroy: `DELETE FROM "${table}" WHERE sid = $1`
  }
  return new DriverStore((name, values, callback) => {
    pool.query({ name, text: statements[name], values }, (error, result) => callback(error, result?.rows))
  })
}

const postgres = {
  name: 'pg (bare driver)',
  alias: 'driver-pg',
  databases: ['postgres'],
  reference: true,
  packages: () => ['pg'],
  async open(url, { table, pool: max }) {
    const pool = new (require('pg').Pool)({ connectionString: url, ...(max ? { max } : {}) })
    return { store: await postgresStore(pool, table), close: () => pool.end() }
  }
}

/** pg can send a query before the last one is answered, but not with its own pool. */
const pipeline = {
  ...postgres,
  name: 'pg, pipelined (bare driver)',
  alias: 'driver-pg-pipeline',
  async open(url, { table, pool: max = 5 }) {
    const { Client } = require('pg')
    const clients = Array.from({ length: max }, () => new Client({ connectionString: url, pipeline: true }))
    await Promise.all(clients.map((client) => client.connect()))
    let turn = 0
    const pool = { query: (...args) => clients[turn++ % max].query(...args) }
    return { store: await postgresStore(pool, table), close: () => Promise.all(clients.map((client) => client.end())) }
  }
}

const mysql = {
  name: 'mysql2 (bare driver)',
  alias: 'driver-mysql',
  databases: ['mysql'],
  reference: true,
  packages: () => ['mysql2'],
  async open(url, { table, pool: connectionLimit }) {
    const pool = require('mysql2').createPool({
      uri: url,
      timezone: 'Z',
      ...(connectionLimit ? { connectionLimit } : {})
    })
    await pool
      .promise()
      .query(
        `CREATE TABLE IF NOT EXISTS ${table} (sid VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, expires DATETIME(3), data MEDIUMTEXT CHARACTER SET utf8mb4, createdAt DATETIME(3) NOT NULL, updatedAt DATETIME(3) NOT NULL) ENGINE=InnoDB`
      )
    const statements = {
      get: `SELECT data FROM ${table} WHERE sid = ? AND expires > ?`,
      set: `INSERT INTO ${table} SET sid = ?, expires = ?, data = ?, createdAt = ?, updatedAt = createdAt ON DUPLICATE KEY UPDATE expires = VALUES(expires), data = VALUES(data), updatedAt = VALUES(updatedAt)`,
      touch: `UPDATE ${table} SET expires = ?, updatedAt = ? WHERE sid = ?`,
      destroy: `DELETE FROM ${table} WHERE sid = ?`
    }
    // `execute` prepares a statement, once on each connection.
    const run = (name, values, callback) => pool.execute(statements[name], values, callback)
    return { store: new DriverStore(run), close: () => pool.promise().end() }
  }
}

module.exports = [sqlite, postgres, pipeline, mysql]
