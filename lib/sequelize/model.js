'use strict'

const { columnTypes } = require('../databases.js')
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
const { instantOf } = require('./instants.js')

/**
 * @typedef {import('./instance.js').Model} Model
 * @typedef {import('./instance.js').Sequelize} Sequelize
 * @typedef {import('../layouts.js').LayoutName} LayoutName
 */

/** The attributes of a session in the default layout. */
const NEEDED = Object.freeze(['sid', 'expires', 'data'])

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
    (types, sequelize) => {
      const { sid, expires, data, stamp } = columnTypes(sequelize.dialect.name, types)
      return { sid: { type: sid, primaryKey: true }, expires, data, ...stamps(sequelize, stamp) }
    },
    schema !== undefined && isSequelize(db) && hasSchemas(db) ? { tableName, schema } : { tableName }
  )
}

/**
 * The attributes that Sequelize adds to every model of an instance, with our type.
 * @param {Sequelize} sequelize
 * @param {unknown} type
 */
function stamps({ options: { define = {} } }, type) {
  if (define.timestamps === false) return {}
  const names = ['createdAt', 'updatedAt'].flatMap((name) => {
    const own = define[name] ?? true
    return own === false ? [] : [own === true ? name : String(own)]
  })
  return Object.fromEntries(names.map((name) => [name, { type, allowNull: false }]))
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
 * @param {(types: import('./instance.js').DataTypes, sequelize: Sequelize) => Record<string, unknown>} attributes
 * @param {{ tableName: string, [option: string]: unknown }} options
 * @param {readonly string[]} [needed] the attributes that an existing model must have
 * @returns {Model}
 */
function defineModel(db, name, attributes, options, needed = NEEDED) {
  if (!isSequelize(db)) throw optionsError(`expected a Sequelize instance, got ${typeName(db)}`)
  const { tableName } = options
  const defined = attributes(db.constructor.DataTypes, db)
  const existing = modelOf(db, name)
  if (existing && tableNameOf(existing).tableName === tableName && hasAll(existing, needed)) return existing
  const free = existing ? `${name} of ${tableName}` : name
  return modelOf(db, free) ?? db.define(free, defined, options)
}

/**
 * @param {Model} model
 * @param {readonly string[]} names of attributes
 */
function hasAll(model, names) {
  const attributes = attributesOf(model)
  return names.every((name) => attributes[name] !== undefined)
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
  const values = {
    ...Object.fromEntries(extra),
    [names.sid]: sid,
    [names.data]: data,
    [names.expires]: instantOf(expires, names)
  }
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

module.exports = { NEEDED, buildRow, defineModel, describeModel, hasAll, sessionModel }
