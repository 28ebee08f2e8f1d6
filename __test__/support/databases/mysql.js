'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const mysql2 = require('mysql2/promise')
const { common, missing, rowFunctions } = require('./common')
const { places } = require('./places')

const quote = (name) => `\`${name.replaceAll('`', '``')}\``

/** What a statement of the tests waits for a table, in seconds; the server's default is a day. */
const PATIENCE = 30

/** A connection that is made when it is needed, and runs each statement in the database that it is for, one after the other. */
function mysqlClient(url) {
  let connecting = null
  let current = null
  let last = Promise.resolve()

  async function connect() {
    const connection = await mysql2.createConnection({ uri: url, timezone: 'Z', multipleStatements: true })
    await connection.query(`SET lock_wait_timeout = ${PATIENCE}`)
    return connection
  }

  async function run(database, sql, params) {
    connecting ??= connect()
    const connection = await connecting
    if (database !== current) {
      await connection.query(`USE ${quote(database)}`)
      current = database
    }
    return (await connection.query(sql, params))[0]
  }

  return {
    query(database, sql, params) {
      const result = last.then(() => run(database, sql, params))
      last = result.catch(() => {})
      return result
    },

    /** What is going on is broken off here. Resolves with the id of the connection, under which the server may not know of it yet. */
    async end() {
      if (connecting === null) return null
      const connection = await connecting
      connecting = null
      current = null
      connection.destroy()
      return connection.threadId
    }
  }
}

/** The URL with another database. */
function inDatabase(url, database) {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}

/** A database on a server (see ../servers), whose places are databases of their own. */
function mysql({ name, variable }, way) {
  const {
    [`${variable}_URL`]: url,
    [`${variable}_SERVER`]: server = 'MySQL',
    [`${variable}_SKIPPED`]: skipped
  } = process.env
  if (!url || skipped) return missing(name, 'mysql', skipped ?? `there is no ${variable}_URL`)

  const client = mysqlClient(url)
  const databases = places()
  const lockers = new Set()
  const base = common(() => ({ db: inDatabase(url, databases.take()) }), way)
  const databaseOf = (target) => new URL(base.placeOf(target).db).pathname.slice(1)
  const query = (target, sql, params) => client.query(databaseOf(target), sql, params)

  // One that is gone already is an error.
  const kill = (id) => client.query('information_schema', `KILL ${id}`).catch(() => {})

  /** Ends the connections of all stores at some places. */
  async function killAt(names) {
    // Not from information_schema, where MySQL fails on statements with characters beyond U+FFFF.
    for (const { Id: id, db } of await client.query('information_schema', 'SHOW PROCESSLIST')) {
      if (names.includes(db)) await kill(id)
    }
  }

  function newLocker() {
    const locker = mysqlClient(url)
    lockers.add(locker)
    return locker
  }

  /** Ends a locker, also one that waits for a lock itself, and what it holds is free. */
  async function release(locker) {
    if (!lockers.delete(locker)) return
    const id = await locker.end()
    if (id !== null) await kill(id)
  }

  return {
    ...base,
    ...rowFunctions({
      placeOf: base.placeOf,
      query,
      quote,
      mark: () => '?',
      // MySQL would round the milliseconds that its DATETIME does not keep, where Sequelize cuts them off.
      encode: (value) => (value instanceof Date ? new Date(Math.floor(value / 1000) * 1000) : value),
      where: (sid) => `BINARY \`sid\` = ${sid}`,
      ddl: '`sid` VARCHAR(36), `expires` DATETIME, `data` TEXT, `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL, PRIMARY KEY (`sid`)',
      types: { string: 'VARCHAR(255)', integer: 'INTEGER', boolean: 'TINYINT(1)', date: 'DATETIME', blob: 'BLOB' }
    }),
    name: server.split(' ')[0],
    dialect: 'mysql',
    enabled: true,
    url,
    skipped: null,
    // Our tables keep 128 characters of a session id, and data of MEDIUMTEXT; names of tables have 64
    // characters, none of them beyond U+FFFF.
    supports: {
      otherClient: true,
      secondStore: true,
      anyLength: false,
      anyName: false,
      trailingSpaces: false,
      precision: 1,
      mebibytes: 12,
      stores: 12
    },
    query,
    databaseOf,

    async tableExists(target) {
      const name = base.placeOf(target).tableName ?? 'Sessions'
      const sql = 'SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?'
      return (await query(target, sql, [databaseOf(target), name])).length === 1
    },

    /** The columns of the table, for comparison. */
    describe(target) {
      const name = base.placeOf(target).tableName ?? 'Sessions'
      const sql = `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, IS_NULLABLE = 'NO' AS strict, COLUMN_KEY = 'PRI' AS \`key\`,
        COLLATION_NAME AS collation FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?
        ORDER BY ORDINAL_POSITION`
      return query(target, sql, [databaseOf(target), name])
    },

    async waiting(target) {
      // The states of locks of tables; those of rows are InnoDB's own, which it looks up anew only if it has not been asked
      // for a tenth of a second.
      await sleep(150)
      const sql = `SELECT count(*) AS n FROM PROCESSLIST WHERE DB = ? AND (STATE LIKE 'Waiting for%lock' OR ID IN
        (SELECT trx_mysql_thread_id FROM INNODB_TRX WHERE trx_state = 'LOCK WAIT'))`
      return Number((await client.query('information_schema', sql, [databaseOf(target)]))[0].n)
    },

    /** Ends the connections of all stores at a place. */
    killConnections: (target) => killAt([databaseOf(target)]),

    /** A transaction of another program, which takes locks, of rows or by name, until its end. */
    async transaction(target) {
      const other = newLocker()
      const table = quote(databaseOf(target))
      // Not in the database of the place, so that it is told from the stores there.
      const run = (sql, params) => other.query('information_schema', sql, params)
      await run('BEGIN')
      return {
        query: (sql, params) => run(sql.replace('`Sessions`', `${table}.\`Sessions\``), params),
        lock: (name) => run('SELECT GET_LOCK(?, 1)', [name]),
        end: () => release(other)
      }
    },

    async lock(target) {
      const locker = newLocker()
      const table = quote(base.placeOf(target).tableName ?? 'Sessions')
      await locker.query('information_schema', `LOCK TABLES ${quote(databaseOf(target))}.${table} READ`)
      return () => release(locker)
    },

    async reset() {
      for (const locker of lockers) await release(locker)
      await base.closeAll()
      const names = databases.free()
      if (names.length === 0) return
      await killAt(names)
      const sql = names.map((name) => `DROP DATABASE ${name}; CREATE DATABASE ${name};`)
      await client.query('information_schema', sql.join(''))
    },

    end: () => client.end()
  }
}

module.exports = { mysql }
