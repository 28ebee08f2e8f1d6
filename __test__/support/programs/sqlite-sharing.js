'use strict'

// A store and node-sqlite3, which has an SQLite of its own, on one file in this process. Prints JSON.

const fs = require('node:fs')
const { Sequelize } = require('sequelize')
const sqlite3 = require('sqlite3')
const { RustSequelizeStore } = require('../../..')
const { args, report } = require('../run')
const { session } = require('../sessions')

/** A connection of node-sqlite3. `busyTimeout` is how long it waits for locks, in milliseconds. */
async function connect(file, busyTimeout = 10_000) {
  const database = await new Promise((resolve, reject) => {
    const opened = new sqlite3.Database(file, (error) => (error ? reject(error) : resolve(opened)))
  })
  database.configure('busyTimeout', busyTimeout)
  return {
    query: (sql, params = []) =>
      new Promise((resolve, reject) => {
        database.all(sql, params, (error, rows) => (error ? reject(error) : resolve(rows)))
      }),
    close: () =>
      new Promise((resolve, reject) => {
        database.close((error) => (error ? reject(error) : resolve()))
      })
  }
}

const outcome = (promise) =>
  promise.then(
    () => 'done',
    (error) => error.code
  )

const descriptors = () => fs.readdirSync('/proc/self/fd').length

const INCREMENT = 'INSERT INTO tally (id, n) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1'

const scenarios = {
  /** Writes for a while, and once at least, from all sides, each of which closes the file and opens it again and again. */
  async hammer({ place, file, name, ms }) {
    const end = Date.now() + ms
    const acknowledged = { sessions: {}, tally: {} }
    const rounds = { store: 0, sqlite3: 0, sequelize: 0 }
    const first = new RustSequelizeStore(place)
    await first.sync()
    await first.close()

    async function stores(id) {
      for (let n = 1; Date.now() < end || rounds.store === 0; rounds.store++) {
        const store = new RustSequelizeStore(place)
        for (let i = 0; i < 10; i++, n++) {
          const sids = Array.from({ length: 8 }, (_, caller) => `${name} ${id} ${caller}`)
          await Promise.all(sids.map((sid) => store.set(sid, session({ n }))))
          for (const sid of sids) acknowledged.sessions[sid] = n
          const read = await Promise.all(sids.map((sid) => store.get(sid)))
          if (read.some((found) => found?.n !== n)) throw new Error(`${name} ${id} does not read what it wrote`)
        }
        await store.close()
      }
    }

    async function connections(id) {
      const key = `${name} ${id}`
      for (let n = 0; Date.now() < end || rounds.sqlite3 === 0; rounds.sqlite3++) {
        const connection = await connect(file)
        for (let i = 0; i < 10; i++) {
          await connection.query(INCREMENT, [key])
          acknowledged.tally[key] = ++n
          await connection.query('SELECT count(*), max(data) FROM Sessions')
        }
        await connection.close()
      }
    }

    async function instances() {
      const key = `${name} sequelize`
      for (let n = 0; Date.now() < end || rounds.sequelize === 0; rounds.sequelize++) {
        const sequelize = new Sequelize({ dialect: 'sqlite', storage: file, logging: false })
        await sequelize.query('PRAGMA busy_timeout = 10000')
        for (let i = 0; i < 10; i++) {
          await sequelize.query(INCREMENT, { replacements: [key] })
          acknowledged.tally[key] = ++n
        }
        await sequelize.close()
      }
    }

    await Promise.all([stores(1), stores(2), connections(1), connections(2), instances()])
    return { acknowledged, rounds }
  },

  /** While node-sqlite3 has the file for itself, the store must wait. */
  async connectionFirst({ place, file }) {
    const connection = await connect(file)
    const store = new RustSequelizeStore(place)
    await store.set('ada', session())
    await connection.query('BEGIN EXCLUSIVE')
    const locked = await outcome(store.set('ada', session({ n: 1 })))
    await connection.query('COMMIT')
    const free = await outcome(store.set('ada', session({ n: 2 })))
    await store.close()
    await connection.close()
    return { locked, free }
  },

  /** While the store writes, node-sqlite3 must wait. */
  async storeFirst({ place, file }) {
    const connection = await connect(file, 0)
    const store = new RustSequelizeStore(place)
    await store.set('ada', session())
    let writing = true
    const written = store.set('ada', session({ text: 'x'.repeat(16 * 2 ** 20) })).finally(() => {
      writing = false
    })
    const outcomes = new Set()
    while (writing) {
      const begun = await outcome(connection.query('BEGIN IMMEDIATE'))
      if (begun === 'done') await connection.query('ROLLBACK')
      outcomes.add(begun)
    }
    await written
    const free = await outcome(connection.query('BEGIN IMMEDIATE'))
    await connection.close()
    await store.close()
    return {
      refused: outcomes.has('SQLITE_BUSY'),
      others: [...outcomes].filter((code) => !/done|BUSY/.test(code)),
      free
    }
  },

  /** In the write-ahead log, a connection holds a lock for as long as it is open. */
  async modeChange({ place, file }) {
    const store = new RustSequelizeStore(place)
    await store.set('ada', session())
    const connection = await connect(file, 0)
    const open = await outcome(connection.query('PRAGMA journal_mode = DELETE'))
    await store.close()
    const closed = await outcome(connection.query('PRAGMA journal_mode = DELETE'))
    await connection.close()
    return { open, closed }
  },

  /** The locks of node-sqlite3 outlive a store that is closed. Another process tells. */
  async storeCloses({ place, file }) {
    const connection = await connect(file)
    await connection.query('BEGIN EXCLUSIVE')
    const store = new RustSequelizeStore(place)
    const set = await outcome(store.set('ada', session()))
    await store.close()
    const held = await report('sqlite-sharing.js', ['tryToWrite', { file }])
    await connection.query('COMMIT')
    const free = await report('sqlite-sharing.js', ['tryToWrite', { file }])
    await connection.close()
    return { set, held, free }
  },

  async tryToWrite({ file }) {
    const connection = await connect(file, 0)
    const tried = await outcome(connection.query('BEGIN IMMEDIATE'))
    await connection.close()
    return tried
  },

  /** The write-ahead log of a store outlives node-sqlite3, which takes itself for the last one. Another process tells. */
  async connectionCloses({ place, file }) {
    const store = new RustSequelizeStore(place)
    await store.set('before', session())
    const connection = await connect(file)
    await connection.query('SELECT * FROM Sessions')
    await connection.close()
    const log = fs.existsSync(`${file}-wal`)
    await store.set('after', session())
    const seen = await report('sqlite-sharing.js', ['sids', { file }])
    await store.close()
    return {
      log,
      seen,
      left: await report('sqlite-sharing.js', ['sids', { file }]),
      logLeft: fs.existsSync(`${file}-wal`)
    }
  },

  async sids({ file }) {
    const connection = await connect(file)
    const rows = await connection.query('SELECT sid FROM Sessions ORDER BY sid')
    await connection.close()
    return rows.map(({ sid }) => sid)
  },

  /** How many descriptors the process has beyond those of its first store: after many stores alone, beside a connection, and after it. */
  async descriptors({ place, file, stores }) {
    async function use(times, call) {
      for (let i = 0; i < times; i++) {
        const store = new RustSequelizeStore(place)
        await Promise.all([call(store), store.get('ada'), store.length()])
        await store.close()
      }
      return descriptors()
    }
    const write = (store) => store.set('ada', session())
    const read = (store) => store.get('bob')
    const first = await use(1, write)
    const alone = (await use(stores, write)) - first
    const connection = await connect(file)
    await connection.query('BEGIN')
    await connection.query('SELECT * FROM Sessions')
    const open = descriptors()
    const beside = (await use(stores, read)) - open
    await connection.query('COMMIT')
    await connection.close()
    const after = (await use(1, write)) - first
    return { alone, beside, after }
  }
}

async function main() {
  const [name, options] = args()
  console.log(JSON.stringify(await scenarios[name](options)))
}

main()
