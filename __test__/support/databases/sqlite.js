'use strict'

const { fork } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { asker } = require('../children')
const { common, rowFunctions } = require('./common')

/** A client in a process of its own: see programs/sqlite-client.js. */
function sqliteClient() {
  let child = null
  let ask

  function send(message) {
    if (child === null) {
      child = fork(path.join(__dirname, '../programs/sqlite-client.js'), { serialization: 'advanced' })
      ask = asker(child)
    }
    return ask(message)
  }

  return {
    query: (file, sql, params = []) => send({ file, sql, params }),
    close: async () => {
      if (child !== null) await send({ close: true })
    },
    end: async () => {
      if (child === null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.disconnect()
      child = null
      await ended
    }
  }
}

/** Sequelize's text of a date. */
const sqliteDate = (date) => `${date.toISOString().replace('T', ' ').replace('Z', '')} +00:00`

function sqliteFile(way) {
  const client = sqliteClient()
  let folder = null
  let files = 0

  function place() {
    folder ??= fs.mkdtempSync(path.join(os.tmpdir(), 'rust-sequelize-store-'))
    return { db: `sqlite://${path.join(folder, `${++files}.sqlite`)}` }
  }

  const base = common(place, way)
  const file = (target) => base.placeOf(target).db.slice('sqlite://'.length).split('?')[0]
  const query = (target, sql, params) => client.query(file(target), sql, params)

  return {
    ...base,
    ...rowFunctions({
      placeOf: base.placeOf,
      query,
      quote: (name) => `\`${name.replaceAll('`', '``')}\``,
      mark: () => '?',
      encode: (value) => (value instanceof Date ? sqliteDate(value) : value),
      ddl: '`sid` VARCHAR(36) PRIMARY KEY, `expires` DATETIME, `data` TEXT, `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL',
      types: { string: 'VARCHAR(255)', integer: 'INTEGER', boolean: 'TINYINT(1)', date: 'DATETIME', blob: 'BLOB' }
    }),
    name: 'SQLite file',
    dialect: 'sqlite',
    enabled: true,
    skipped: null,
    supports: {
      otherClient: true,
      secondStore: true,
      anyLength: true,
      anyName: true,
      trailingSpaces: true,
      precision: 1,
      mebibytes: 16,
      stores: 80
    },
    file,
    query,

    async tableExists(target) {
      const name = base.placeOf(target).tableName ?? 'Sessions'
      const sql = 'SELECT 1 FROM sqlite_master WHERE type = ? AND name = ?'
      return (await query(target, sql, ['table', name])).length === 1
    },

    async lock(target) {
      await query(target, 'BEGIN IMMEDIATE')
      return () => query(target, 'COMMIT')
    },

    async reset() {
      // Its locks first: the stores may be waiting for them.
      await client.close()
      await base.closeAll()
      if (folder === null) return
      for (const name of fs.readdirSync(folder)) {
        fs.rmSync(path.join(folder, name), { recursive: true })
      }
    },

    async end() {
      await client.end()
      if (folder !== null) fs.rmSync(folder, { recursive: true })
      folder = null
    }
  }
}

function sqliteMemory(way) {
  const base = common(() => ({ db: 'sqlite::memory:' }), way)
  return {
    ...base,
    name: 'SQLite memory',
    dialect: 'sqlite',
    enabled: true,
    skipped: null,
    supports: {
      otherClient: false,
      secondStore: false,
      anyLength: true,
      anyName: true,
      trailingSpaces: true,
      precision: 1,
      mebibytes: 16,
      stores: 80
    },
    reset: base.closeAll,
    end: async () => {}
  }
}

module.exports = { sqliteFile, sqliteMemory }
