'use strict'

const { Client } = require('pg')
const { common, missing, rowFunctions } = require('./common')
const { places } = require('./places')

const quote = (name) => `"${name.replaceAll('"', '""')}"`

/** Settings of a connection of the tests. Without an end to waiting for a lock, a test that holds one would hold all after it. */
const SETTINGS = '-c client_min_messages=warning -c lock_timeout=30s'

/** A connection that is made when it is needed, and runs each statement in the schema that it is for, one after the other. */
function postgresClient(url) {
  let connecting = null
  let searchPath = null
  let last = Promise.resolve()

  function connect() {
    connecting ??= (async () => {
      const client = new Client({ connectionString: url, options: SETTINGS })
      // An error of an idle connection, which the next statement will meet.
      client.on('error', () => {})
      await client.connect()
      return client
    })()
    return connecting
  }

  async function run(schema, sql, params) {
    const client = await connect()
    if (schema !== searchPath) {
      await client.query(`SET search_path TO ${quote(schema)}`)
      searchPath = schema
    }
    return (await client.query(sql, params)).rows
  }

  return {
    query(schema, sql, params) {
      const result = last.then(() => run(schema, sql, params))
      last = result.catch(() => {})
      return result
    },

    /** What is going on is broken off here. Resolves with the id of the connection, under which the server may not know of it yet. */
    async end() {
      if (connecting === null) return null
      const client = await connecting
      connecting = null
      searchPath = null
      await client.end()
      return client.processID
    }
  }
}

/** The URL with a schema that is used where none is named, and that names the connections. */
function inSchema(url, schema, parameters) {
  const options = encodeURIComponent(`-c search_path=${schema}`)
  return `${url}${url.includes('?') ? '&' : '?'}application_name=${schema}&options=${options}${parameters}`
}

/** A database on a server (see ../servers), whose places are schemas. `parameters` are added to the URLs of stores. */
function postgres({ name, variable }, way, parameters = '') {
  const { [`${variable}_URL`]: url, [`${variable}_SKIPPED`]: skipped } = process.env
  if (!url || skipped) return missing(name, 'postgres', skipped ?? `there is no ${variable}_URL`)

  const client = postgresClient(url)
  const schemas = places()
  const lockers = new Set()
  const base = common(() => ({ db: inSchema(url, schemas.take(), parameters) }), way)
  const schemaOf = (target) => /search_path%3D(\w+)/.exec(base.placeOf(target).db)[1]
  const query = (target, sql, params) => client.query(schemaOf(target), sql, params)

  /** Ends the connections of all stores at some places. */
  const killAt = (names) =>
    client.query(
      'pg_catalog',
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY($1)',
      [names]
    )

  function newLocker() {
    const locker = postgresClient(url)
    lockers.add(locker)
    return locker
  }

  /** Ends a locker, also one that waits for a lock itself, and what it holds is free. */
  async function release(locker) {
    if (!lockers.delete(locker)) return
    const pid = await locker.end()
    if (pid !== null) await client.query('pg_catalog', 'SELECT pg_terminate_backend($1)', [pid])
  }

  return {
    ...base,
    ...rowFunctions({
      placeOf: base.placeOf,
      query,
      quote,
      mark: (i) => `$${i}`,
      encode: (value) => value,
      ddl: '"sid" VARCHAR(36), "expires" TIMESTAMP WITH TIME ZONE, "data" TEXT, "createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL, PRIMARY KEY ("sid")',
      types: {
        string: 'VARCHAR(255)',
        integer: 'INTEGER',
        boolean: 'BOOLEAN',
        date: 'TIMESTAMP WITH TIME ZONE',
        blob: 'BYTEA'
      }
    }),
    name,
    dialect: 'postgres',
    enabled: true,
    url,
    skipped: null,
    // Our tables keep 128 characters of a session id; names of tables are cut off at 63 bytes by the server.
    supports: {
      otherClient: true,
      secondStore: true,
      anyLength: false,
      anyName: true,
      trailingSpaces: true,
      precision: 1,
      mebibytes: 16,
      stores: 12
    },
    query,
    schemaOf,

    async tableExists(target) {
      const name = base.placeOf(target).tableName ?? 'Sessions'
      const sql = 'SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = $2'
      return (await query(target, sql, [schemaOf(target), name])).length === 1
    },

    /** The columns of the table, for comparison. */
    describe(target) {
      const name = quote(base.placeOf(target).tableName ?? 'Sessions')
      const sql = `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS strict,
        coalesce(i.indisprimary, false) AS key FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid
        AND a.attnum = ANY(i.indkey) WHERE a.attrelid = $1::regclass AND a.attnum > 0 ORDER BY a.attnum`
      return query(target, sql, [name])
    },

    async waiting(target) {
      const sql = "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'"
      return Number((await query(target, sql, [schemaOf(target)]))[0].n)
    },

    /** Ends the connections of all stores at a place. */
    killConnections: (target) => killAt([schemaOf(target)]),

    /** A transaction of another program, which takes locks, of rows or by name, until its end. */
    async transaction(target) {
      const other = newLocker()
      const run = (sql, params) => other.query(schemaOf(target), sql, params)
      await run('BEGIN')
      return {
        query: run,
        lock: (name) => run('SELECT pg_advisory_lock(hashtext($1))', [name]),
        end: () => release(other)
      }
    },

    async lock(target) {
      const locker = newLocker()
      const table = quote(base.placeOf(target).tableName ?? 'Sessions')
      await locker.query(schemaOf(target), 'BEGIN')
      await locker.query(schemaOf(target), `LOCK TABLE ${table} IN SHARE MODE`)
      return () => release(locker)
    },

    async reset() {
      for (const locker of lockers) await release(locker)
      await base.closeAll()
      const names = schemas.free()
      if (names.length === 0) return
      await killAt(names)
      const sql = names.map((name) => `DROP SCHEMA ${name} CASCADE; CREATE SCHEMA ${name};`)
      await client.query('pg_catalog', sql.join(''))
    },

    end: () => client.end()
  }
}

/** The same with the statements for relatives of PostgreSQL, which is all of them that there is to test. */
const portablePostgres = ({ name, ...server }) =>
  postgres({ ...server, name: `${name}, portable` }, undefined, '&portable=true')

module.exports = { portablePostgres, postgres }
