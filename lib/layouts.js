'use strict'

/**
 * The layout of a table of sessions: the name that its package gives it, the names of its columns, and the format of their
 * values where the types of the columns leave that open.
 *
 * - `instants`: `date` as Sequelize writes it, `local` for a timestamp without a zone, `seconds` since the epoch, `iso` for
 *   the text of `toISOString` on SQLite.
 * - `json`: `objects` for a column of JSON, `unused` for text, `strings` for a column of JSON that holds the session's text
 *   as one string.
 * - `dataFirst`: a new table has the data before the expiry. better-sqlite3-session-store inserts by position.
 * - `timestamps`: a new table has `createdAt` and `updatedAt`.
 *
 * @typedef {{
 *   tableName: string, sid: string, expires: string, data: string, instants: import('./binding.js').InstantFormat,
 *   json: import('./binding.js').JsonUse, dataFirst: boolean, timestamps: boolean
 * }} Layout
 * @typedef {import('../index.js').Layout} LayoutName
 */

/** The layout of tables for which none is named. */
const DEFAULT_LAYOUT = 'sequelize'

/**
 * The layouts by the packages that create such tables, in the order in which the addon tries them.
 * @type {Readonly<Record<LayoutName, Layout>>}
 */
const LAYOUTS = Object.freeze({
  sequelize: {
    tableName: 'Sessions',
    sid: 'sid',
    expires: 'expires',
    data: 'data',
    instants: 'date',
    json: 'unused',
    dataFirst: false,
    timestamps: true
  },
  // Before connect-pg-simple, which has the same names: SQLite has no column types that would tell them apart.
  'better-sqlite3-session-store': {
    tableName: 'sessions',
    sid: 'sid',
    expires: 'expire',
    data: 'sess',
    instants: 'iso',
    json: 'objects',
    dataFirst: true,
    timestamps: false
  },
  'connect-pg-simple': {
    tableName: 'session',
    sid: 'sid',
    expires: 'expire',
    data: 'sess',
    instants: 'local',
    json: 'objects',
    dataFirst: true,
    timestamps: false
  },
  'connect-session-knex': {
    tableName: 'sessions',
    sid: 'sid',
    expires: 'expired',
    data: 'sess',
    instants: 'iso',
    json: 'objects',
    dataFirst: true,
    timestamps: false
  },
  'express-mysql-session': {
    tableName: 'sessions',
    sid: 'session_id',
    expires: 'expires',
    data: 'data',
    instants: 'seconds',
    json: 'unused',
    dataFirst: false,
    timestamps: false
  },
  'koa-generic-session-sequelize': {
    tableName: 'Sessions',
    sid: 'id',
    expires: 'expires',
    data: 'data',
    instants: 'seconds',
    json: 'unused',
    dataFirst: true,
    timestamps: false
  }
})

/** @param {LayoutName} [name] */
function layoutOf(name = DEFAULT_LAYOUT) {
  return LAYOUTS[name]
}

module.exports = { DEFAULT_LAYOUT, LAYOUTS, layoutOf }
