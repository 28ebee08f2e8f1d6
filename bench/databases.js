'use strict'

// How the benchmark itself reaches the databases: to fill the tables that the stores have made, and to drop them.

const fs = require('node:fs')
const path = require('node:path')
const createKnex = require('knex')
const { peers } = require('./peers')
const { storedSid } = require('./sessions')

const FOLDER = path.join(__dirname, '.data')
const REDIS_URL = process.env.BENCH_REDIS_URL ?? 'redis://127.0.0.1:6379'
// Rows that one statement inserts.
const BATCH = 10_000

/**
 * `ids` makes a table of a JSON array of session ids. After `settle` a filled table is as one in use. A `setting` is read by each of
 * the `names`: the version, and what matters for durability.
 */
const databases = {
  sqlite: {
    title: 'SQLite',
    client: 'better-sqlite3',
    ids: '(SELECT value AS id FROM json_each(?)) ids',
    settle: (knex) => knex.raw('PRAGMA wal_checkpoint(TRUNCATE)')
  },
  postgres: {
    title: 'PostgreSQL',
    client: 'pg',
    url: process.env.BENCH_POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test',
    ids: 'json_array_elements_text(?::json) ids (id)',
    settle: (knex, table) => knex.raw('VACUUM (ANALYZE) ??', [table]),
    setting: 'current_setting(?) AS ??',
    names: ['server_version', 'fsync', 'synchronous_commit', 'shared_buffers']
  },
  mysql: {
    title: 'MariaDB',
    client: 'mysql2',
    url: process.env.BENCH_MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/test',
    ids: "JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$')) ids",
    settle: (knex, table) => knex.raw('ANALYZE TABLE ??', [table]),
    setting: '@@?? AS ??',
    names: ['version', 'innodb_flush_log_at_trx_commit', 'sync_binlog', 'log_bin', 'innodb_buffer_pool_size']
  }
}

/** Where a store keeps its sessions. Names are the same in each run, so that nothing that an interrupted run leaves stays for good. */
function placeOf({ peer, database, rows = 0 }) {
  const file = `bench_${peer.replaceAll('-', '_')}_${rows}`
  const { service, table = file, sid = 'sid' } = peers[peer]
  // A file for each store, so that none waits for the locks of another.
  const url = service ? REDIS_URL : (databases[database].url ?? path.join(FOLDER, `${file}.sqlite`))
  return { url, table, sid }
}

async function connected(cell, use) {
  const { url, table, sid } = placeOf(cell)
  const connection = cell.database === 'sqlite' ? { filename: url } : url
  const knex = createKnex({ client: databases[cell.database].client, connection, useNullAsDefault: true })
  try {
    return await use(knex, table, sid)
  } finally {
    await knex.destroy()
  }
}

/** Copies the row that a store wrote under the first id of each sort, until there are `sorts[sort]` rows of it. */
function fill(cell, sorts) {
  const { ids, settle } = databases[cell.database]
  return connected(cell, async (knex, table, sid) => {
    const others = Object.keys(await knex(table).columnInfo()).filter((column) => column !== sid)
    const copied = ['ids.id', ...others.map((column) => `${table}.${column}`)]
    for (const [sort, count] of Object.entries(sorts)) {
      const sids = Array.from({ length: count - 1 }, (_, index) => storedSid(index + 1, sort))
      // InnoDB keeps rows in the order of the key: in another order, filling a table larger than its buffer pool takes minutes.
      if (cell.database === 'mysql') sids.sort()
      for (let start = 0; start < sids.length; start += BATCH) {
        const batch = knex.raw(ids, [JSON.stringify(sids.slice(start, start + BATCH))])
        const copies = knex(table).select(copied).joinRaw('CROSS JOIN ?', [batch]).where(sid, storedSid(0, sort))
        await knex(knex.raw('?? (??)', [table, [sid, ...others]])).insert(copies)
      }
    }
    await settle(knex, table)
  })
}

function countRows(cell) {
  return connected(cell, async (knex, table) => Number((await knex(table).count({ total: '*' }))[0].total))
}

async function drop(cell) {
  if (peers[cell.peer].service) return
  if (cell.database !== 'sqlite') return connected(cell, (knex, table) => knex.schema.dropTableIfExists(table))
  fs.mkdirSync(FOLDER, { recursive: true })
  for (const suffix of ['', '-wal', '-shm']) fs.rmSync(placeOf(cell).url + suffix, { force: true })
}

/** One line for each server that the cells need. */
async function describe(cells) {
  const names = new Set(cells.map(({ peer, database }) => peers[peer].service ?? database))
  const servers = [...names].filter((name) => name === 'redis' || databases[name]?.setting)
  const lines = servers.map(async (name) => {
    const values = await (name === 'redis' ? redisSettings() : settingsOf(name)).catch((error) => {
      const reason = error.code ?? error.message
      throw new Error(`cannot reach ${name} (${reason}): start it, or choose others with --database and --peers`)
    })
    const texts = Object.entries(values).map(([setting, value]) => `${setting} ${String(value) || "''"}`)
    return `${databases[name]?.title ?? 'Redis'}: ${texts.join(', ')}`
  })
  return Promise.all(lines)
}

function settingsOf(database) {
  const { setting, names } = databases[database]
  const one = (knex) => knex.first(names.map((name) => knex.raw(setting, [name, name])))
  return connected({ database, peer: 'ours' }, one)
}

async function redisSettings() {
  const client = await require('redis').createClient({ url: REDIS_URL }).connect()
  const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1]
  const settings = await client.configGet(['save', 'appendonly'])
  await client.close()
  return { version, ...settings }
}

module.exports = { databases, placeOf, fill, countRows, drop, describe }
