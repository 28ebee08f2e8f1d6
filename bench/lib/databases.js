'use strict'

const { createHash } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { storedSid } = require('./sessions')

/**
 * How the benchmark itself gets at a database: to multiply a row that a peer wrote into a full table, and to remove what a trial added.
 *
 * @typedef {object} Table
 * @property {string} name
 * @property {string} sid the column of the session id
 */

class Sqlite {
  constructor(folder) {
    this.folder = folder
    fs.mkdirSync(folder, { recursive: true })
  }

  // A file for each peer, so that they don't wait for each other's locks.
  url({ name, file }) {
    return path.join(this.folder, `${file ?? name}.sqlite`)
  }

  drop(table) {
    for (const suffix of ['', '-wal', '-shm', '.filled']) {
      fs.rmSync(this.url(table) + suffix, { force: true })
    }
  }

  multiply(table, sort, rows) {
    const db = this.open(table)
    db.pragma('synchronous = off')
    db.pragma('cache_size = -1000000')
    db.function('md5', { deterministic: true }, (text) => createHash('md5').update(text).digest('hex'))
    const columns = db.pragma(`table_info(${table.name})`).map((column) => column.name)
    const { into, select } = copyColumns(columns, table, (name) => `"${name}"`)
    db.prepare(
      `INSERT INTO ${table.name} (${into}) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT md5('${sort}-' || i), ${select} FROM n, ${table.name} WHERE "${table.sid}" = ? AND i < ?`
    ).run(rows - 1, storedSid(0, sort), rows)
    db.close()
  }

  // A copy and no DELETE, which would leave a file of another shape.
  keep(table) {
    fs.copyFileSync(this.url(table), `${this.url(table)}.filled`)
  }

  clean(table) {
    for (const suffix of ['-wal', '-shm']) {
      fs.rmSync(this.url(table) + suffix, { force: true })
    }
    fs.copyFileSync(`${this.url(table)}.filled`, this.url(table))
  }

  count(table) {
    const db = this.open(table)
    const rows = db.prepare(`SELECT count(*) FROM ${table.name}`).pluck().get()
    db.close()
    return rows
  }

  describe() {
    return { database: 'SQLite, each peer brings its own', ...this.fsync() }
  }

  fsync() {
    const file = path.join(this.folder, 'fsync')
    const handle = fs.openSync(file, 'w')
    const times = Array.from({ length: 50 }, () => {
      fs.writeSync(handle, Buffer.alloc(4096))
      const begin = performance.now()
      fs.fdatasyncSync(handle)
      return performance.now() - begin
    }).sort((a, b) => a - b)
    fs.closeSync(handle)
    fs.rmSync(file)
    return { fdatasyncMilliseconds: Number(times[25].toFixed(3)) }
  }

  open(table) {
    return new (require('better-sqlite3'))(this.url(table))
  }

  close() {}
}

class Postgres {
  constructor(url) {
    this.address = url
    this.pool = new (require('pg').Pool)({ connectionString: url, max: 1 })
  }

  url() {
    return this.address
  }

  drop({ name }) {
    return this.pool.query(`DROP TABLE IF EXISTS "${name}"`)
  }

  async multiply(table, sort, rows) {
    const found = await this.pool.query(
      'SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped',
      [`"${table.name}"`]
    )
    const columns = found.rows.map((row) => row.name)
    const { into, select } = copyColumns(columns, table, (name) => `"${name}"`)
    await this.pool.query(
      `INSERT INTO "${table.name}" (${into}) SELECT md5('${sort}-' || i), ${select} FROM generate_series(1, ${rows - 1}) AS n (i), "${table.name}" WHERE "${table.sid}" = $1`,
      [storedSid(0, sort)]
    )
    await this.pool.query(`VACUUM (ANALYZE) "${table.name}"`)
  }

  keep() {}

  async count({ name }) {
    const { rows } = await this.pool.query(`SELECT count(*)::int AS rows FROM "${name}"`)
    return rows[0].rows
  }

  async clean({ name, sid }) {
    await this.pool.query(`DELETE FROM "${name}" WHERE length("${sid}") <> 32`)
    await this.pool.query(`VACUUM (ANALYZE) "${name}"`)
  }

  async describe() {
    const { rows } = await this.pool.query(
      "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'shared_buffers', 'wal_sync_method')"
    )
    const version = await this.pool.query('SHOW server_version')
    return {
      database: `PostgreSQL ${version.rows[0].server_version}`,
      ...Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
    }
  }

  close() {
    return this.pool.end()
  }
}

// Rows that one statement of MySQL makes.
const BATCH = 10000

class Mysql {
  constructor(url) {
    this.address = url
    this.pool = require('mysql2/promise').createPool({
      uri: url,
      connectionLimit: 1
    })
  }

  url() {
    return this.address
  }

  drop({ name }) {
    return this.pool.query(`DROP TABLE IF EXISTS \`${name}\``)
  }

  async multiply(table, sort, rows) {
    const [found] = await this.pool.query(
      'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = database() AND table_name = ?',
      [table.name]
    )
    const columns = found.map((row) => row.name)
    const { into, select } = copyColumns(columns, table, (name) => `t.\`${name}\``)
    const names = into.replaceAll('t.`', '`')
    // In the order of the key, in which InnoDB keeps them: a table larger than its buffer pool takes minutes otherwise.
    const sids = Array.from({ length: rows - 1 }, (_, index) => storedSid(index + 1, sort)).sort()
    for (let first = 0; first < sids.length; first += BATCH) {
      await this.pool.query(
        `INSERT INTO \`${table.name}\` (${names}) SELECT ids.id, ${select} FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$')) AS ids, \`${table.name}\` t WHERE t.\`${table.sid}\` = ?`,
        [JSON.stringify(sids.slice(first, first + BATCH)), storedSid(0, sort)]
      )
    }
    await this.pool.query(`ANALYZE TABLE \`${table.name}\``)
  }

  keep() {}

  async count({ name }) {
    const [rows] = await this.pool.query(`SELECT count(*) AS total FROM \`${name}\``)
    return rows[0].total
  }

  async clean({ name, sid }) {
    await this.pool.query(`DELETE FROM \`${name}\` WHERE length(\`${sid}\`) <> 32`)
  }

  async describe() {
    const [rows] = await this.pool.query(
      "SHOW VARIABLES WHERE Variable_name IN ('version', 'innodb_flush_log_at_trx_commit', 'sync_binlog', 'log_bin', 'innodb_buffer_pool_size')"
    )
    const { version, ...settings } = Object.fromEntries(rows.map((row) => [row.Variable_name, row.Value]))
    const product = version.includes('MariaDB') ? 'MariaDB' : 'MySQL'
    return { database: `${product} ${version}`, ...settings }
  }

  close() {
    return this.pool.end()
  }
}

class Redis {
  constructor(url) {
    this.address = url
  }

  url() {
    return this.address
  }

  async connect() {
    this.client ??= await require('redis').createClient({ url: this.address }).connect()
    return this.client
  }

  // The name of a table is the prefix of its keys.
  async drop({ name }) {
    await this.remove(`${name}:`, () => true)
  }

  async multiply({ name }, sort, rows) {
    const client = await this.connect()
    const text = await client.get(`${name}:${storedSid(0, sort)}`)
    for (let first = 1; first < rows; first += 1000) {
      const batch = []
      for (let i = first; i < Math.min(first + 1000, rows); i++) {
        batch.push(client.set(`${name}:${storedSid(i, sort)}`, text, { expiration: { type: 'EX', value: 86400 } }))
      }
      await Promise.all(batch)
    }
  }

  keep() {}

  async clean({ name }) {
    await this.remove(`${name}:`, (key) => key.length !== name.length + 33)
  }

  async remove(prefix, matches) {
    const client = await this.connect()
    const scan = { MATCH: `${prefix}*`, COUNT: 1000 }
    for await (const keys of client.scanIterator(scan)) {
      const found = keys.filter(matches)
      if (found.length > 0) await client.del(found)
    }
  }

  async describe() {
    const client = await this.connect()
    const info = await client.info('server')
    const { save } = await client.configGet('save')
    const { appendonly } = await client.configGet('appendonly')
    return {
      database: `Redis ${/redis_version:(\S+)/.exec(info)[1]}`,
      save,
      appendonly
    }
  }

  close() {
    return this.client?.close()
  }
}

/** Nothing outlives the process of a trial here, which fills itself. */
class Memory {
  url() {
    return 'memory'
  }
  drop() {}
  clean() {}
  describe() {}
  close() {}
}

/** All columns but the session id, which is the first of those to insert. */
function copyColumns(columns, table, quote) {
  const others = columns.filter((name) => name !== table.sid).map(quote)
  const into = [quote(table.sid), ...others].join(', ')
  return { into, select: others.join(', ') }
}

/** @returns {Record<string, () => any>} */
function makers(folder) {
  const env = process.env
  return {
    sqlite: () => new Sqlite(folder),
    postgres: () => new Postgres(env.BENCH_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test'),
    mysql: () => new Mysql(env.BENCH_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/test'),
    redis: () => new Redis(env.BENCH_REDIS_URL ?? 'redis://127.0.0.1:6379'),
    memory: () => new Memory()
  }
}

/** Opens each database when it is first asked for. */
class Databases {
  constructor(/** @type {string} */ folder) {
    this.makers = makers(folder)
    this.opened = new Map()
  }

  get(/** @type {string} */ name) {
    if (!this.opened.has(name)) this.opened.set(name, this.makers[name]())
    return this.opened.get(name)
  }

  /** The database that keeps a peer's sessions, in a run on `database`. */
  of(peer, database) {
    return this.get(peer.service ?? database)
  }

  /** The table of a peer. Its name is the same in each run, so that an interrupted run leaves nothing that stays. */
  table(peer, /** @type {Record<string, any>} */ { rows, size }) {
    const word = [peer.alias.replace(/\W+/g, '_'), rows, size].join('_')
    return {
      name: peer.table ?? `bench_${word}`,
      file: word,
      sid: peer.sid ?? 'sid'
    }
  }

  /** Versions and settings of all that are needed. Throws if one cannot be reached. */
  async describe(/** @type {string[]} */ names) {
    const entries = names.map(async (name) => {
      try {
        return [name, await this.get(name).describe()]
      } catch (error) {
        const reason = error.code ?? error.message
        throw new Error(`${name} cannot be reached (${reason}). Start it, or name others with --database and --peers.`)
      }
    })
    const described = await Promise.all(entries)
    return Object.fromEntries(described.filter(([, found]) => found))
  }

  async close() {
    await Promise.all([...this.opened.values()].map((one) => one.close()))
  }
}

module.exports = { Databases }
