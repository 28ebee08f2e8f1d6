'use strict'

const { layoutOf } = require('../layouts.js')
const { optionsError } = require('../options/error.js')
const { typeName } = require('../values.js')
const {
  attributesOf,
  isModel,
  isSequelize,
  modelNames,
  modelOf,
  property,
  tableNameOf,
  timestampsOf
} = require('./instance.js')

/**
 * @typedef {import('./instance.js').Model} Model
 * @typedef {import('./instance.js').Sequelize} Sequelize
 * @typedef {import('../layouts.js').LayoutName} LayoutName
 */

/**
 * The model of the sessions: the one that option `table` gives or names, or else one like that of
 * connect-session-sequelize.
 * @param {object} db a Sequelize instance, or an object of models
 * @param {{ table?: unknown, modelKey: string, tableName: string, schema?: string }} options
 * @returns {Model}
 */
function sessionModel(db, { table, modelKey, tableName, schema }) {
  if (isModel(table)) return ownModel(db, table)
  if (typeof table === 'string') return namedModel(db, table)
  return defineModel(
    db,
    modelKey,
    ({ STRING, DATE, TEXT }) => ({ sid: { type: STRING(36), primaryKey: true }, expires: DATE, data: TEXT }),
    schema !== undefined && isSequelize(db) && hasSchemas(db) ? { tableName, schema } : { tableName }
  )
}

/**
 * @param {object} db
 * @param {Model} model
 */
function ownModel(db, model) {
  if (isSequelize(db) && model.sequelize !== db) {
    throw optionsError(
      `expected option \`table\` to be a model of the Sequelize instance \`db\`, got \`${model.name}\` of another instance`
    )
  }
  return model
}

/**
 * @param {object} db
 * @param {string} name
 */
function namedModel(db, name) {
  const model = modelOf(db, name) ?? property(db, name)
  if (isModel(model)) return model
  const names = modelNames(db)
  const list = names.length > 0 ? names.map((name) => `\`${name}\``).join(', ') : 'none'
  throw optionsError(
    `expected option \`table\` to name a model of the Sequelize instance, got \`${name}\`; its models: ${list}`
  )
}

/**
 * A model for this table: the existing one, or a new one. A model of the application is never replaced: where it has the
 * name, the new one gets a longer name.
 * @param {unknown} db
 * @param {string} name
 * @param {(types: import('./instance.js').DataTypes) => Record<string, unknown>} attributes the first is the primary key
 * @param {{ tableName: string, [option: string]: unknown }} options
 * @returns {Model}
 */
function defineModel(db, name, attributes, options) {
  if (!isSequelize(db)) throw optionsError(`expected a Sequelize instance, got ${typeName(db)}`)
  const { tableName } = options
  const defined = attributes(db.constructor.DataTypes)
  const [key] = Object.keys(defined)
  const existing = modelOf(db, name)
  if (existing && tableNameOf(existing).tableName === tableName && attributesOf(existing)[key]) return existing
  const free = existing ? `${name} of ${tableName}` : name
  return modelOf(db, free) ?? db.define(free, defined, options)
}

/**
 * What a model says about its table.
 *
 * - `fields`: the columns by the attributes of the model.
 * - `json`: whether the data is a column of JSON.
 *
 * @param {Model} model
 * @param {LayoutName} [layout] the package whose names the attributes have
 * @returns {{
 *   tableName: string, schema: string | undefined, columns: import('../../index.js').Columns,
 *   fields: Record<string, string>, json: boolean
 * }}
 */
function describeModel(model, layout) {
  const attributes = attributesOf(model)
  const names = layoutOf(layout)
  for (const name of [names.sid, names.expires, names.data]) {
    if (attributes[name]) continue
    const list = Object.keys(attributes).join(', ')
    throw optionsError(`model \`${model.name}\` has no attribute \`${name}\`; its attributes: ${list}`)
  }
  const folded = foldsNames(model.sequelize)
  const fields = Object.fromEntries(
    Object.entries(attributes).map(([name, { field = name }]) => [name, folded ? field.toLowerCase() : field])
  )
  const timestamps = timestampsOf(model)
  const timestamp = (/** @type {string} */ name) => fields[timestamps[name]] ?? false
  const { tableName, schema } = tableOf(model)
  return {
    tableName: folded ? tableName.toLowerCase() : tableName,
    schema: folded ? schema?.toLowerCase() : schema,
    columns: {
      sid: fields[names.sid],
      expires: fields[names.expires],
      data: fields[names.data],
      createdAt: timestamp('createdAt'),
      updatedAt: timestamp('updatedAt'),
      deletedAt: timestamp('deletedAt')
    },
    fields,
    // Version 6 calls the class of its type JSON `JSONTYPE`.
    json: ['JSON', 'JSONTYPE', 'JSONB'].includes(attributes[names.data].type?.constructor.name ?? '')
  }
}

/**
 * The row of a session as an instance of the model, as connect-session-sequelize yields it.
 * @param {Model} model
 * @param {string} sid
 * @param {import('../columns.js').Row} row
 * @param {LayoutName} [layout]
 */
function buildRow(model, sid, { data, expires, extra = [] }, layout) {
  const names = layoutOf(layout)
  const instant = names.instants === 'seconds' ? Math.floor(expires / 1000) : new Date(expires)
  const values = { ...Object.fromEntries(extra), [names.sid]: sid, [names.data]: data, [names.expires]: instant }
  return model.build(values, { isNewRecord: false, raw: true })
}

/**
 * The table as the database knows it.
 * @param {Model} model
 * @returns {{ tableName: string, schema: string | undefined }}
 */
function tableOf(model) {
  const { tableName, schema, delimiter } = tableNameOf(model)
  if (!schema) return { tableName, schema: undefined }
  if (hasSchemas(model.sequelize)) return { tableName, schema }
  return { tableName: `${schema}${delimiter || '.'}${tableName}`, schema: undefined }
}

/**
 * Whether a schema of Sequelize is one of the database. If not, Sequelize makes it a part of the table's name.
 * @param {Sequelize} sequelize
 */
function hasSchemas(sequelize) {
  return Boolean(sequelize.dialect.supports.schemas)
}

/**
 * Whether Sequelize writes names without quotes, which PostgreSQL then folds to lower case.
 * @param {Sequelize} sequelize
 */
function foldsNames(sequelize) {
  return sequelize.options.quoteIdentifiers === false && sequelize.dialect.name === 'postgres'
}

module.exports = { buildRow, defineModel, describeModel, sessionModel }
