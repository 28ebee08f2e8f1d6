'use strict'

// The bare drivers, as an application would use them without a store: prepared statements and JSON.

const { Store } = require('express-session')

const ON_CONFLICT =
  'ON CONFLICT (sid) DO UPDATE SET expires = excluded.expires, data = excluded.data, updatedAt = excluded.updatedAt'
const ON_DUPLICATE_KEY =
  'ON DUPLICATE KEY UPDATE expires = VALUES(expires), data = VALUES(data), updatedAt = VALUES(updatedAt)'

function statementsOf(table, { sid = 'VARCHAR(128)', date, text = 'TEXT', upsert = ON_CONFLICT }) {
  const columns = `sid ${sid} PRIMARY KEY, expires ${date}, data ${text}, createdAt ${date} NOT NULL, updatedAt ${date} NOT NULL`
  return {
    create: `CREATE TABLE IF NOT EXISTS ${table} (${columns})`,
    get: `SELECT data FROM ${table} WHERE sid = ? AND expires > ?`,
    set: `INSERT INTO ${table} VALUES (?, ?, ?, ?, ?) ${upsert}`,
    touch: `UPDATE ${table} SET expires = ?, updatedAt = ? WHERE sid = ?`,
    destroy: `DELETE FROM ${table} WHERE sid = ?`
  }
}

/** `run` is given the name of a statement, its values and a callback. */
class DriverStore extends Store {
  constructor(run, date = (value) => value) {
    super()
    this.run = run
    this.date = date
  }

  get(sid, callback) {
    const got = (error, rows) => callback(error, rows?.[0] ? JSON.parse(rows[0].data) : null)
    this.run('get', [sid, this.date(new Date())], got)
  }

  set(sid, session, callback) {
    const now = this.date(new Date())
    this.run('set', [sid, this.date(session.cookie.expires), JSON.stringify(session), now, now], callback)
  }

  touch(sid, session, callback) {
    this.run('touch', [this.date(session.cookie.expires), this.date(new Date()), sid], callback)
  }

  destroy(sid, callback) {
    this.run('destroy', [sid], callback)
  }
}

async function openSqlite({ url, durability, table }) {
  const db = new (require('better-sqlite3'))(url)
  db.pragma('journal_mode = WAL')
  db.pragma(`synchronous = ${durability}`)
  const { create, ...texts } = statementsOf(table, { date: 'DATETIME' })
  db.exec(create)
  const statements = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, db.prepare(text)]))
  const run = (name, values, callback) =>
    callback(null, name === 'get' ? statements.get.all(values) : statements[name].run(values))
  return { store: new DriverStore(run, (date) => date.toISOString()), close: () => db.close() }
}

async function openPostgres({ url, table }) {
  const pool = new (require('pg').Pool)({ connectionString: url })
  return { store: await postgresStore(pool, table), close: () => pool.end() }
}

/** pg can send a query before the last one is answered, but not with its own pool. */
async function openPipeline({ url, table }) {
  const { Client } = require('pg')
  const clients = Array.from({ length: 5 }, () => new Client({ connectionString: url, pipeline: true }))
  await Promise.all(clients.map((client) => client.connect()))
  let turn = 0
  const pool = { query: (...args) => clients[turn++ % clients.length].query(...args) }
  return { store: await postgresStore(pool, table), close: () => Promise.all(clients.map((client) => client.end())) }
}

async function postgresStore(pool, table) {
  const { create, ...texts } = statementsOf(table, { date: 'TIMESTAMPTZ' })
  await pool.query(create)
  const numbered = (text) => text.split('?').reduce((start, end, index) => `${start}$${index}${end}`)
  const statements = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, numbered(text)]))
  // A statement with a name is prepared, once on each connection.
  const run = (name, values, callback) =>
    pool.query({ name, text: statements[name], values }, (error, result) => callback(error, result?.rows))
  return new DriverStore(run)
}

async function openMysql({ url, table }) {
  const pool = require('mysql2').createPool({ uri: url, timezone: 'Z' })
  const { create, ...statements } = statementsOf(table, {
    sid: 'VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin',
    date: 'DATETIME(3)',
    text: 'MEDIUMTEXT CHARACTER SET utf8mb4',
    upsert: ON_DUPLICATE_KEY
  })
  await pool.promise().query(create)
  // `execute` prepares a statement, once on each connection.
  const run = (name, values, callback) => pool.execute(statements[name], values, callback)
  return { store: new DriverStore(run), close: () => pool.promise().end() }
}

const driver = (name, database, open) => ({
  name: `${name} (bare driver)`,
  databases: [database],
  reference: true,
  open
})

const drivers = {
  'driver-sqlite': driver('better-sqlite3', 'sqlite', openSqlite),
  'driver-pg': driver('pg', 'postgres', openPostgres),
  'driver-pg-pipeline': driver('pg, pipelined', 'postgres', openPipeline),
  'driver-mysql': driver('mysql2', 'mysql', openMysql)
}

module.exports = { drivers }
