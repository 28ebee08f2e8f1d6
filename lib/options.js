'use strict'

const { SessionStoreError } = require('./error.js')
const { LAYOUTS, layoutOf } = require('./layouts.js')
const { describeDatabase, describeModel, isModel, sequelizeOf, sessionModel } = require('./sequelize.js')
const { isObject, isWellFormed, kindOf } = require('./session.js')

/** The largest whole number that the addon takes for a time or a count. */
const MAX_INTEGER = 2 ** 32 - 1

const DEFAULTS = Object.freeze({
  db: 'sqlite:./sessions.sqlite',
  tableName: LAYOUTS.sequelize.tableName,
  modelKey: 'Session',
  columns: Object.freeze({}),
  expiration: 24 * 60 * 60 * 1000,
  checkExpirationInterval: 15 * 60 * 1000,
  extendDefaultFields: undefined,
  disableTouch: false,
  touchAfter: 0,
  createTable: true,
  serializer: JSON,
  timezone: '+00:00',
  preparedStatements: true,
  pool: Object.freeze({
    max: 5,
    acquireTimeout: 10_000,
    queryTimeout: 30_000,
    idleTimeout: 60_000,
    maxLifetime: 30 * 60 * 1000
  }),
  queue: Object.freeze({ maxOperations: 100_000, maxBytes: 256 * 1024 * 1024 })
})

/** Defaults that differ where the database is a file: opening it takes no time but that of other processes' locks. */
const SQLITE_POOL = Object.freeze({ ...DEFAULTS.pool, max: 4, acquireTimeout: 30_000 })

const DIALECTS = ['sqlite', 'postgres', 'postgresql', 'mysql', 'mariadb']

/** Options that mean something to a server only; on SQLite they can only be a mistake. */
const NOT_ON_SQLITE = ['schema', 'timezone', 'preparedStatements']

/**
 * @typedef {(value: any) => boolean} Test
 * @type {Record<string, { expected: string, test: Test }>}
 */
const KINDS = {
  name: { expected: 'a non-empty string of valid Unicode without NUL characters', test: isName },
  model: {
    expected: 'a model of Sequelize, or the name of one',
    test: (value) => isName(value) || isModel(value)
  },
  boolean: { expected: 'a boolean', test: (value) => typeof value === 'boolean' },
  function: { expected: 'a function', test: (value) => typeof value === 'function' },
  lifetime: { expected: 'a positive number of milliseconds', test: (value) => Number.isFinite(value) && value > 0 },
  period: {
    expected: 'a number of milliseconds (0 or less: never)',
    test: (value) => typeof value === 'number' && !Number.isNaN(value)
  },
  time: {
    expected: 'a whole number of milliseconds, 0 or more',
    test: (value) => Number.isSafeInteger(value) && value >= 0
  },
  timeout: {
    expected: `a whole number of milliseconds from 1 to ${MAX_INTEGER}`,
    test: (value) => Number.isInteger(value) && value >= 1 && value <= MAX_INTEGER
  },
  count: {
    expected: `a whole number from 1 to ${MAX_INTEGER}`,
    test: (value) => Number.isInteger(value) && value >= 1 && value <= MAX_INTEGER
  },
  bytes: {
    expected: 'a whole number of bytes, 1 or more',
    test: (value) => Number.isSafeInteger(value) && value >= 1
  },
  connections: {
    expected: 'a whole number from 1 to 1000',
    test: (value) => Number.isInteger(value) && value >= 1 && value <= 1000
  },
  column: { expected: 'the name of a column', test: isName },
  optionalColumn: {
    expected: 'the name of a column, or false for none',
    test: (value) => value === false || isName(value)
  },
  offset: {
    expected: 'an offset from UTC such as `+05:30`',
    test: (value) => typeof value === 'string' && /^[+-](0\d|1[0-4]):[0-5]\d$/.test(value)
  },
  layout: {
    expected: `one of ${Object.keys(LAYOUTS).join(', ')}`,
    test: (value) => typeof value === 'string' && Object.hasOwn(LAYOUTS, value)
  },
  serializer: {
    expected: 'an object with the functions `stringify` and `parse`',
    test: (value) => typeof value?.stringify === 'function' && typeof value?.parse === 'function'
  }
}

/** @type {Record<string, keyof typeof KINDS>} */
const OPTIONS = {
  tableName: 'name',
  modelKey: 'name',
  table: 'model',
  layout: 'layout',
  expiration: 'lifetime',
  checkExpirationInterval: 'period',
  extendDefaultFields: 'function',
  disableTouch: 'boolean',
  touchAfter: 'time',
  createTable: 'boolean',
  serializer: 'serializer',
  schema: 'name',
  timezone: 'offset',
  preparedStatements: 'boolean'
}

/** @type {Record<string, Record<string, keyof typeof KINDS>>} */
const GROUPS = {
  columns: {
    sid: 'column',
    expires: 'column',
    data: 'column',
    createdAt: 'optionalColumn',
    updatedAt: 'optionalColumn',
    deletedAt: 'optionalColumn'
  },
  pool: {
    max: 'connections',
    acquireTimeout: 'timeout',
    queryTimeout: 'timeout',
    idleTimeout: 'timeout',
    maxLifetime: 'timeout'
  },
  queue: { maxOperations: 'count', maxBytes: 'bytes' }
}

/**
 * Checks what the caller gave and completes it with what a Sequelize instance says and with the defaults.
 * @param {any} given
 * @returns {{ options: any, url: string, model: any, fields: Record<string, string> | undefined, json: boolean }} the store's
 *   live options, what is not among them because it may hold a password, and the model with its names of columns
 */
function complete(given = {}) {
  if (!isObject(given)) throw refused(`expected the options to be an object, got ${kindOf(given)}`)
  checkNames(given, ['db', ...Object.keys(OPTIONS), ...Object.keys(GROUPS)], '')
  checkValues(given, OPTIONS, '')
  for (const [group, kinds] of Object.entries(GROUPS)) {
    const value = given[group]
    if (value === undefined) continue
    if (!isObject(value)) throw refused(`expected option \`${group}\` to be an object, got ${kindOf(value)}`)
    checkNames(value, Object.keys(kinds), `${group}.`)
    checkValues(value, kinds, `${group}.`)
  }
  const { url, model, timezone, pool } = typeof given.db === 'object' ? fromSequelize(given) : fromUrl(given)
  const onSqlite = /^sqlite:/i.test(url)
  for (const name of NOT_ON_SQLITE) {
    if (onSqlite && given[name] !== undefined) throw refused(`option \`${name}\` is not for SQLite`)
  }
  const { fields, json = false, ...described } = model ? describeModel(model, given.layout) : /** @type {any} */ ({})
  /** @type {Record<string, any>} */
  const defaults = {
    ...DEFAULTS,
    ...(given.layout && { tableName: LAYOUTS[given.layout].tableName }),
    ...present({ ...described, timezone }),
    pool: { ...(onSqlite ? SQLITE_POOL : DEFAULTS.pool), ...pool }
  }
  const options = { ...defaults, ...present(given) }
  for (const group of Object.keys(GROUPS)) options[group] = { ...defaults[group], ...present(given[group] ?? {}) }
  // As with connect-session-sequelize: a model knows its table best.
  if (model) options.tableName = described.tableName
  if (given.table !== undefined) options.schema = described.schema
  checkColumns(options.columns)
  // Readable, but out of sight of util.inspect and JSON.stringify: there may be a password in it.
  Object.defineProperty(options, 'db', { value: given.db ?? url, enumerable: false })
  return { options, url, model, fields, json }
}

/**
 * What `db` says: the URL, and beside it what only a Sequelize instance can say.
 * @typedef {{ url: string, model?: any, timezone?: string, pool?: Record<string, number> }} Found
 */

/**
 * What the caller's Sequelize instance says.
 * @param {any} given
 * @returns {Found}
 */
function fromSequelize(given) {
  if (given.db === null) throw noDatabase()
  const sequelize = sequelizeOf(given.db, given.table)
  if (!sequelize) {
    throw refused(
      `expected option \`db\` to be a database URL or a Sequelize instance, got ${kindOf(given.db)} that is neither`
    )
  }
  const database = describeDatabase(sequelize, given.timezone)
  // The table of another package is not one of Sequelize's models.
  const foreign = given.layout !== undefined && given.layout !== 'sequelize' && given.table === undefined
  const { tableName = DEFAULTS.tableName, modelKey = DEFAULTS.modelKey } = given
  const model = foreign ? undefined : sessionModel(given.db, { ...given, tableName, modelKey })
  return { ...database, model }
}

/** @param {Record<string, string | false>} columns */
function checkColumns(columns) {
  const names = Object.values(columns).filter((name) => name !== false)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw refused(`option \`columns\` names the column \`${twice}\` twice`)
}

/**
 * What the addon needs of complete options.
 * @param {ReturnType<typeof complete>} complete
 */
function forAddon({ options, url, model, json }) {
  const { preparedStatements, pool, queue } = options
  const table = tableForAddon(options, json)
  // Only the application knows what else the table of its own model has.
  if (model && options.table !== undefined) table.create = false
  // Schemes ignore case, and the drivers do not.
  const lower = url.replace(/^[^:]+/, (scheme) => scheme.toLowerCase())
  const sharedFile = typeof options.db !== 'string' && lower.startsWith('sqlite:')
  return { url: lower, preparedStatements, sharedFile, table, pool, queue }
}

/**
 * What the addon needs for the DDL of a table.
 * @param {unknown} dialect
 * @param {any} given
 */
function forDdl(dialect, given) {
  if (typeof dialect !== 'string' || !DIALECTS.includes(dialect)) {
    throw refused(`expected the dialect to be one of ${DIALECTS.join(', ')}`)
  }
  return tableForAddon(complete({ ...given, db: `${dialect}:` }).options, false)
}

/**
 * What the addon needs to know of the table.
 * @param {any} options
 * @param {boolean} json whether the data is a column of JSON that connect-session-sequelize writes
 */
function tableForAddon({ schema, tableName, createTable, columns, timezone, layout }, json) {
  /** @type {import('./layouts.js').Layout[]} */
  let layouts = layout === undefined ? Object.values(LAYOUTS) : [LAYOUTS[layout]]
  if (json) layouts = [{ ...layoutOf(layout), json: 'strings' }]
  return {
    schema,
    name: tableName,
    create: createTable,
    layouts,
    columns,
    utcOffsetMinutes: minutes(timezone)
  }
}

/**
 * Minutes east of UTC.
 * @param {string} offset such as `-03:30`
 */
function minutes(offset) {
  const [hours, rest] = offset.slice(1).split(':').map(Number)
  return (offset[0] === '-' ? -1 : 1) * (hours * 60 + rest)
}

/**
 * No `db` at all means the embedded default. A `db` that is there but empty is a configuration that went missing, such
 * as an unset environment variable, and must never silently become a local file.
 * @param {any} given
 * @returns {Found}
 */
function fromUrl(given) {
  if (given.table !== undefined) {
    throw refused('option `table` names a model of a Sequelize instance, and `db` is a URL; use `tableName`')
  }
  if (!('db' in given)) return { url: DEFAULTS.db }
  const { db } = given
  if (db === undefined || db === '') throw noDatabase()
  if (typeof db !== 'string') {
    throw refused(`expected option \`db\` to be a database URL or a Sequelize instance, got ${kindOf(db)}`)
  }
  if (db.includes('\0')) throw refused('expected option `db` to be a database URL without NUL characters')
  if (!/^[a-z][a-z0-9+.-]*:/i.test(db)) {
    throw refused('expected option `db` to be a database URL such as `sqlite:./sessions.sqlite`')
  }
  return { url: db }
}

function noDatabase() {
  return refused('Database connection is required')
}

/**
 * @param {Record<string, any>} given
 * @param {string[]} known
 * @param {string} prefix
 */
function checkNames(given, known, prefix) {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    const hint = near ? `; did you mean \`${prefix}${near}\`?` : `; known are ${known.join(', ')}`
    throw refused(`unknown option \`${prefix}${name}\`${hint}`)
  }
}

/**
 * @param {Record<string, any>} given
 * @param {Record<string, keyof typeof KINDS>} kinds
 * @param {string} prefix
 */
function checkValues(given, kinds, prefix) {
  for (const [name, kind] of Object.entries(kinds)) {
    const value = given[name]
    if (value === undefined || KINDS[kind].test(value)) continue
    const got = typeof value === 'number' ? String(value) : kindOf(value)
    throw refused(`expected option \`${prefix}${name}\` to be ${KINDS[kind].expected}, got ${got}`)
  }
}

/** @param {Record<string, any>} given */
function present(given) {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** @param {unknown} value */
function isName(value) {
  return typeof value === 'string' && value !== '' && !value.includes('\0') && isWellFormed(value)
}

/**
 * The name that was meant, if it differs by a slip: in case, or in a third of its letters at most.
 * @param {string} name
 * @param {string[]} known
 */
function nearest(name, known) {
  const [best] = known
    .map((candidate) => ({ candidate, off: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, off }) => off <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.off - b.off)
  return best?.candidate
}

/**
 * Edit distance (Levenshtein 1966).
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]))
    }
    row = next
  }
  return row[b.length]
}

/** @param {string} message */
function refused(message) {
  return new SessionStoreError('ERR_SESSION_OPTIONS', message)
}

module.exports = { complete, forAddon, forDdl, present }
