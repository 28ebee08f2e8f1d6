'use strict'

/**
 * What a table of sessions may look like: its usual name, what its columns are called, and what is in them where their
 * types leave that open.
 *
 * - `instants`: `date` as Sequelize keeps it, `local` for a timestamp without a zone, `seconds` since the epoch, `iso` for
 *   the text of `toISOString` on SQLite.
 * - `json`: `objects` for a column of JSON, `unused` for text. `strings` is for a column of JSON that holds the session's
 *   text as one string.
 * - `dataFirst`: a new table has the data before the expiry. better-sqlite3-session-store inserts by position.
 * - `timestamps`: a new table has `createdAt` and `updatedAt`.
 *
 * @typedef {{
 *   tableName: string, sid: string, expires: string, data: string, instants: import('./binding.js').InstantFormat,
 *   json: import('./binding.js').JsonUse, dataFirst: boolean, timestamps: boolean
 * }} Layout
 * @type {Readonly<Record<string, Layout>>}
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
  // Before connect-pg-simple, which has the same names: on SQLite, where the type says nothing, it must be this one.
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

/** The layout of this name, or the one of tables for which none was named. */
const layoutOf = (name = 'sequelize') => LAYOUTS[name]

module.exports = { LAYOUTS, layoutOf }
