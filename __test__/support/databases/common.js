'use strict'

const { RustSequelizeStore } = require('../../..')
const { PATIENCE } = require('../time')

/** Opens a store with a place and options, as an application does by URL. See through-sequelize.js for another way. */
const byUrl = { name: '', optionsOf: (where, options) => ({ ...where, ...options }), closeAll: async () => {} }

/** What all databases have in common: the stores opened, and where each of them is. `way` is how they are opened. */
function common(place, way = byUrl) {
  const stores = new Set()
  const places = new WeakMap()

  function open(options = {}, where = place()) {
    const store = new RustSequelizeStore(way.optionsOf(where, options))
    const { tableName } = options
    stores.add(store)
    places.set(store, tableName === undefined ? where : { ...where, tableName })
    return store
  }

  const placeOf = (target) => places.get(target) ?? target

  /** A store that does not close is an error, and no end to the tests after it. */
  async function closeAll() {
    const all = [...stores]
    stores.clear()
    let timer
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('a store has not closed in time')), PATIENCE)
    })
    await Promise.race([late, Promise.all(all.map((store) => store.close()))]).finally(() => clearTimeout(timer))
    await way.closeAll()
  }

  return {
    place,
    open,
    openAgain: (store, options) => open(options, placeOf(store)),
    placeOf,
    closeAll
  }
}

/**
 * The functions of an independent client on rows. `query(target, sql, params)` runs a statement; `quote(name)` quotes a name, and
 * `mark(i)` is the i-th parameter, from 1 on; `encode` makes of a value what the client binds; `types` are the names of the types that
 * a column may have, `ddl` the columns of a table as Sequelize makes it.
 */
function rowFunctions({
  placeOf,
  query,
  quote,
  mark,
  encode,
  ddl,
  types,
  where = (sid) => `${quote('sid')} = ${sid}`
}) {
  const table = (target) => quote(placeOf(target).tableName ?? 'Sessions')

  return {
    createTable(target, extraColumns = {}) {
      const extra = Object.entries(extraColumns).map(([name, type]) => `, ${quote(name)} ${types[type]}`)
      return query(target, `CREATE TABLE ${table(target)} (${ddl}${extra.join('')})`)
    },

    dropTable: (target) => query(target, `DROP TABLE ${table(target)}`),

    renameTable: (target, from, to) => query(target, `ALTER TABLE ${quote(from)} RENAME TO ${quote(to)}`),

    renameColumn: (target, from, to) =>
      query(target, `ALTER TABLE ${table(target)} RENAME COLUMN ${quote(from)} TO ${quote(to)}`),

    async row(target, sid) {
      const [row] = await query(target, `SELECT * FROM ${table(target)} WHERE ${where(mark(1))}`, [sid])
      if (row === undefined) return null
      const dates = ['expires', 'createdAt', 'updatedAt'].map((column) => [
        column,
        row[column] === null ? null : new Date(row[column])
      ])
      return { ...row, ...Object.fromEntries(dates) }
    },

    async count(target) {
      const [{ count }] = await query(target, `SELECT count(*) AS count FROM ${table(target)}`)
      return Number(count)
    },

    insertRow(target, { sid, data, expires, ...extra }) {
      const now = new Date()
      const row = { sid, data, expires, createdAt: now, updatedAt: now }
      const entries = Object.entries({ ...row, ...extra })
      return query(
        target,
        `INSERT INTO ${table(target)} (${entries.map(([name]) => quote(name)).join()})
          VALUES (${entries.map((_, i) => mark(i + 1)).join()})`,
        entries.map(([, value]) => encode(value))
      )
    },

    updateRow(target, sid, row) {
      const entries = Object.entries(row)
      const changes = entries.map(([name], i) => `${quote(name)} = ${mark(i + 1)}`)
      return query(target, `UPDATE ${table(target)} SET ${changes.join()} WHERE ${where(mark(entries.length + 1))}`, [
        ...entries.map(([, value]) => encode(value)),
        sid
      ])
    },

    deleteRow: (target, sid) => query(target, `DELETE FROM ${table(target)} WHERE ${where(mark(1))}`, [sid])
  }
}

/** A database that cannot be tested, and why. */
const missing = (name, dialect, skipped) => ({ name, dialect, enabled: false, skipped, supports: {} })

module.exports = { common, rowFunctions, missing }
