'use strict'

const { databaseOfUrl } = require('../databases.js')
const { SessionStoreError } = require('../error.js')
const { DEFAULT_LAYOUT, layoutOf } = require('../layouts.js')
const { reach } = require('../sequelize/connection.js')
const { isModel, sequelizeOf } = require('../sequelize/instance.js')
const { describeModel, sessionModel } = require('../sequelize/model.js')
const { present, reasonOf, typeName } = require('../values.js')
const { warnOnce } = require('../warning.js')
const { checkColumns, checkOptions } = require('./check.js')
const { optionsError } = require('./error.js')
const { lenient, ofInstance } = require('./lenient.js')
const { GROUPS, OPTIONS } = require('./schema.js')
const { TYPES } = require('./types.js')

/**
 * @typedef {import('../../index.js').CompleteOptions<import('../session.js').Session>} CompleteOptions
 * @typedef {import('../sequelize/instance.js').Model} Model
 *
 * What the caller gave, checked.
 * @typedef {Record<string, unknown> & {
 *   db?: string | object, table?: string | Model, tableName?: string, modelKey?: string, schema?: string,
 *   layout?: import('../layouts.js').LayoutName, timezone?: string
 * }} Given
 *
 * What `db` says: the URL, and what a Sequelize instance says in addition.
 * @typedef {import('../sequelize/connection.js').Reached & { model?: Model }} Source
 *
 * Everything a store is made of.
 * - `options`: the store's live options.
 * - `url`: apart from them, because it may hold a password.
 * - `model`: the Sequelize model of the table.
 * - `fields`: the columns by the attributes of the model.
 * - `json`: whether the data is a column of JSON that connect-session-sequelize writes.
 * - `onlySequelize`: there if the addon is not to serve this database, and why, if the application should know.
 *
 * @typedef {{
 *   options: CompleteOptions, url: string, model: Model | undefined, fields: Record<string, string> | undefined,
 *   json: boolean, onlySequelize: { reason?: string } | undefined
 * }} Completed
 */

/**
 * Checks what the caller gave and completes it with what a Sequelize instance says and with the defaults.
 * @param {unknown} given
 * @returns {Completed}
 */
function complete(given = {}) {
  try {
    return completed(given)
  } catch (error) {
    if (SessionStoreError.is(error)) throw error
    throw optionsError(`the options cannot be read: ${reasonOf(error)}`, error)
  }
}

/**
 * @param {unknown} passed
 * @returns {Completed}
 */
function completed(passed) {
  const given = ofInstance(passed) ? lenient(passed) : passed
  checkOptions(given)
  const { db = OPTIONS.db.default } = given
  const source = typeof db === 'object' ? fromSequelize(given, db) : fromUrl(given, db)
  const { url, model, timezone, pool, onlySequelize } = source
  const database = databaseOfUrl(url)
  for (const name of database?.refusedOptions ?? []) {
    if (given[name] === undefined) continue
    const message = `option \`${name}\` is not for ${database?.title}; remove it`
    if (typeof db !== 'object') throw optionsError(message)
    warnOnce('SESSION_UNKNOWN_OPTION', message)
    delete given[name]
  }
  const described = model && describeModel(model, given.layout)
  /** @type {Record<string, unknown>} */
  const options = {
    ...defaultsOf(OPTIONS),
    ...(given.layout && { tableName: layoutOf(given.layout).tableName }),
    ...present({ schema: described?.schema, timezone }),
    ...present(given)
  }
  /** @type {Record<string, object | undefined>} */
  const found = { columns: described?.columns, pool: { ...database?.pool, ...pool } }
  for (const [group, { members }] of Object.entries(GROUPS)) {
    const own = /** @type {object | undefined} */ (given[group])
    options[group] = { ...defaultsOf(members), ...found[group], ...present(own ?? {}) }
  }
  if (described) {
    // As with connect-session-sequelize: a model knows its table best.
    options.tableName = described.tableName
    if (given.table !== undefined) {
      options.schema = described.schema
      // Only the application knows which other columns the table of its own model has.
      options.createTable = false
    }
  }
  const { db: _, table, ...shown } = options
  const secret = isModel(table) ? { db, table } : { db }
  const all = concealing(secret, table === undefined || isModel(table) ? shown : { ...shown, table })
  checkColumns(all.columns)
  return { options: all, url, model, fields: described?.fields, json: described?.json ?? false, onlySequelize }
}

/**
 * The options, some of which are readable, but hidden from `JSON.stringify` and from `util.inspect`, whatever it is asked to
 * show: a URL or a Sequelize instance holds a password. These are on a prototype that passes for the one of plain objects,
 * whose properties are never shown.
 * @param {object} secret
 * @param {object} shown
 * @returns {CompleteOptions}
 */
function concealing(secret, shown) {
  const prototype = Object.create(Object.prototype, { constructor: { value: Object } })
  for (const [name, value] of Object.entries(secret)) Object.defineProperty(prototype, name, { get: () => value })
  return Object.assign(Object.create(prototype), shown)
}

/** @param {Record<string, Pick<import('./schema.js').Descriptor, 'type' | 'default'>>} descriptors */
function defaultsOf(descriptors) {
  const entries = Object.entries(descriptors).map(([name, descriptor]) => [name, descriptor.default])
  return present(Object.fromEntries(entries))
}

/**
 * What the caller's Sequelize instance says.
 * @param {Given} given
 * @param {object} db
 * @returns {Source}
 */
function fromSequelize(given, db) {
  const sequelize = sequelizeOf(db, given.table)
  if (!sequelize) {
    throw optionsError(`expected option \`db\` to be ${TYPES.database.expected}, got ${typeName(db)} that is neither`)
  }
  const connection = reach(sequelize, given)
  // The table of another package is not one of Sequelize's models.
  const foreign = given.layout !== undefined && given.layout !== DEFAULT_LAYOUT && given.table === undefined
  const { table, tableName = OPTIONS.tableName.default, modelKey = OPTIONS.modelKey.default, schema } = given
  const model = foreign ? undefined : sessionModel(db, { table, tableName, modelKey, schema })
  if (!model && connection.onlySequelize) {
    throw optionsError(
      `layout \`${given.layout}\` is not for the engine \`sequelize\`, which serves this instance; pass a model as option \`table\``
    )
  }
  return { ...connection, model }
}

/**
 * @param {Given} given
 * @param {string} db
 * @returns {Source}
 */
function fromUrl(given, db) {
  // A file or a secret often ends with a line break.
  const url = db.trim()
  for (const [name, descriptor] of Object.entries(OPTIONS)) {
    const { withUrl } = /** @type {import('./schema.js').Descriptor} */ (descriptor)
    if (withUrl === undefined || given[name] === undefined) continue
    throw optionsError(
      `option \`${name}\` needs a Sequelize instance as option \`db\`, got a URL; use option \`${withUrl}\` instead`
    )
  }
  if (given.engine === 'sequelize') {
    throw optionsError('option `engine` can be `sequelize` only if option `db` is a Sequelize instance, got a URL')
  }
  if (url.includes('\0')) {
    throw optionsError('expected option `db` to be a database URL, got a string with a NUL character')
  }
  if (!/^[a-z][a-z0-9+.-]*:/i.test(url)) {
    throw optionsError(
      `expected option \`db\` to be a database URL such as \`${OPTIONS.db.default}\`, got a string without a scheme`
    )
  }
  return { url }
}

module.exports = { complete }
