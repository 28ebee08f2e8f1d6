'use strict'

// How the benchmark itself reaches the databases: to fill the tables that peers have made, and to drop them.

const fs = require('node:fs')
const path = require('node:path')
const { storedSid } = require('./sessions')

const FOLDER = path.join(__dirname, '.data')
// Rows that one statement inserts.
const BATCH = 10_000

/**
 * @typedef {object} Table
 * @property {string} name
 * @property {string} sid the column of the session id
 * @property {string} file the name of the SQLite file that holds it
 *
 * @typedef {object} Connection
 * @property {(table: Table) => string} url what a peer is given
 * @property {() => Promise<string>} describe the version, and the settings that matter for durability
 * @property {(sql: string, values?: any[], table?: Table) => Promise<any[]>} query
 * @property {(table: Table) => Promise<unknown>} [drop]
 * @property {() => unknown} close
 */

function openSqlite() {
  fs.mkdirSync(FOLDER, { recursive: true })
  // A file for each peer, so that no peer waits for the locks of another.
  const url = ({ file }) => path.join(FOLDER, `${file}.sqlite`)
  return {
    url,
    describe: async () => 'SQLite: each package brings its own',
    async query(sql, values, table) {
      const db = new (require('better-sqlite3'))(url(table))
      try {
        db.pragma('synchronous = off')
        const statement = db.prepare(sql)
        return statement.reader ? statement.all(values) : [statement.run(values)]
      } finally {
        db.close()
      }
    },
    async drop(table) {
      for (const suffix of ['', '-wal', '-shm']) fs.rmSync(url(table) + suffix, { force: true })
    },
    close() {}
  }
}

function openPostgres(url) {
  const pool = new (require('pg').Pool)({ connectionString: url, max: 1 })
  const query = async (sql, values) => (await pool.query(sql, values)).rows
  return {
    url: () => url,
    query,
    async describe() {
      const names = ['server_version', 'fsync', 'synchronous_commit', 'shared_buffers']
      const rows = await query('SELECT name, setting FROM pg_settings WHERE name = ANY ($1)', [names])
      return `PostgreSQL: ${rows.map(({ name, setting }) => `${name} ${setting}`).join(', ')}`
    },
    close: () => pool.end()
  }
}

function openMysql(url) {
  const pool = require('mysql2/promise').createPool({ uri: url, connectionLimit: 1 })
  const query = async (sql, values) => (await pool.query(sql, values))[0]
  return {
    url: () => url,
    query,
    async describe() {
      const names = ['version', 'innodb_flush_log_at_trx_commit', 'sync_binlog', 'log_bin', 'innodb_buffer_pool_size']
      const rows = await query('SHOW VARIABLES WHERE Variable_name IN (?)', [names])
      return `MySQL or MariaDB: ${rows.map((row) => `${row.Variable_name} ${row.Value}`).join(', ')}`
    },
    close: () => pool.end()
  }
}

function openRedis(url) {
  return {
    url: () => url,
    async describe() {
      const client = await require('redis').createClient({ url }).connect()
      const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1]
      const settings = { ...(await client.configGet('save')), ...(await client.configGet('appendonly')) }
      await client.close()
      return `Redis: version ${version}, save ${settings.save || 'never'}, appendonly ${settings.appendonly}`
    },
    close() {}
  }
}

/**
 * What the benchmark knows about each database. `ids` makes a table of a JSON array of ids; after `settle` a filled table is as one in use.
 * Those without `title` are used by single peers only.
 *
 * @type {Record<string, any>}
 */
const REGISTRY = {
  sqlite: {
    title: 'SQLite',
    open: openSqlite,
    quote: (name) => `"${name}"`,
    ids: '(SELECT value AS id FROM json_each(?)) ids',
    settle: () => 'PRAGMA wal_checkpoint(TRUNCATE)'
  },
  postgres: {
    title: 'PostgreSQL',
    open: () => openPostgres(process.env.BENCH_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test'),
    quote: (name) => `"${name}"`,
    ids: 'json_array_elements_text($1::json) ids (id)',
    settle: (table) => `VACUUM (ANALYZE) ${table}`
  },
  mysql: {
    title: 'MariaDB',
    open: () => openMysql(process.env.BENCH_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/test'),
    quote: (name) => `\`${name}\``,
    ids: "JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$')) ids",
    settle: (table) => `ANALYZE TABLE ${table}`,
    // InnoDB keeps rows in the order of the key: in another order, filling a table larger than its buffer pool takes minutes.
    sorted: true
  },
  redis: { open: () => openRedis(process.env.BENCH_REDIS_URL ?? 'redis://127.0.0.1:6379') },
  memory: { open: () => ({ url: () => 'memory', describe: async () => '', close() {} }) }
}

const TITLES = Object.fromEntries(
  Object.entries(REGISTRY).flatMap(([name, { title }]) => (title ? [[name, title]] : []))
)

/** The table of one peer. */
class PeerTable {
  constructor(/** @type {Connection} */ connection, syntax, /** @type {Table} */ table) {
    this.connection = connection
    this.syntax = syntax
    this.table = table
    this.url = connection.url(table)
    this.name = syntax.quote?.(table.name)
    this.sid = syntax.quote?.(table.sid)
  }

  query(sql, values) {
    return this.connection.query(sql, values ?? [], this.table)
  }

  /** Copies the row that the peer wrote under the first id, until there are `count` rows of this sort. */
  async fill(/** @type {string} */ sort, /** @type {number} */ count) {
    const { quote, ids, settle, sorted } = this.syntax
    const first = `t.${this.sid} = '${storedSid(0, sort)}'`
    const [row] = await this.query(`SELECT * FROM ${this.name} t WHERE ${first}`)
    const others = Object.keys(row).filter((column) => column !== this.table.sid)
    const columns = [this.sid, ...others.map(quote)].join(', ')
    const values = ['ids.id', ...others.map((column) => `t.${quote(column)}`)].join(', ')
    const insert = `INSERT INTO ${this.name} (${columns}) SELECT ${values} FROM ${ids} CROSS JOIN ${this.name} t WHERE ${first}`
    const sids = Array.from({ length: count - 1 }, (_, index) => storedSid(index + 1, sort))
    if (sorted) sids.sort()
    for (let start = 0; start < sids.length; start += BATCH) {
      await this.query(insert, [JSON.stringify(sids.slice(start, start + BATCH))])
    }
    await this.query(settle(this.name))
  }

  /** Removes what the workload `set-new` has added: its ids are shorter. */
  async restore() {
    await this.query(`DELETE FROM ${this.name} WHERE length(${this.sid}) <> 32`)
    await this.query(this.syntax.settle(this.name))
  }

  async count() {
    const [row] = await this.query(`SELECT count(*) AS total FROM ${this.name}`)
    return Number(row.total)
  }

  async drop() {
    if (this.connection.drop) await this.connection.drop(this.table)
    else await this.query(`DROP TABLE IF EXISTS ${this.name}`)
  }
}

/** Opens each database when it is first needed. */
class Databases {
  constructor() {
    /** @type {Map<string, Connection>} */
    this.opened = new Map()
  }

  get(/** @type {string} */ name) {
    const connection = this.opened.get(name) ?? REGISTRY[name].open()
    this.opened.set(name, connection)
    return connection
  }

  /** Names are the same in each run, so that nothing that an interrupted run leaves stays for good. */
  table(peer, { database, rows = 0 }) {
    const name = peer.service ?? database
    const file = `bench_${peer.alias.replaceAll('-', '_')}_${rows}`
    return new PeerTable(this.get(name), REGISTRY[name], { name: peer.table ?? file, sid: peer.sid ?? 'sid', file })
  }

  /** One line for each database. */
  async describe(/** @type {string[]} */ names) {
    const lines = names.map((name) =>
      this.get(name)
        .describe()
        .catch((error) => {
          const reason = error.code ?? error.message
          throw new Error(`cannot reach ${name} (${reason}): start it, or choose others with --database and --peers`)
        })
    )
    return (await Promise.all(lines)).filter(Boolean)
  }

  async close() {
    await Promise.all([...this.opened.values()].map((connection) => connection.close()))
  }
}

module.exports = { Databases, TITLES }
