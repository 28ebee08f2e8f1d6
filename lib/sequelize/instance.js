'use strict'

const { isObject } = require('../values.js')

// What differs between Sequelize 6 and 7 (`@sequelize/core`). Nothing of either is loaded here.

/**
 * The parts of Sequelize that the store uses. `config`, `rawAttributes`, `_timestampAttributes`, `hasHook`,
 * `connectionManager` and `_cls` are of version 6; `modelDefinition`, `options.replication.write`, `hooks`, `pool` and
 * `getCurrentClsTransaction` of version 7.
 *
 * @typedef {{ tableName: string, schema?: string, delimiter?: string }} TableName
 * @typedef {{ field?: string, set?: unknown, validate?: unknown, type?: { constructor: { name: string } } }} Attribute
 * @typedef {{
 *   name: string, sequelize: Sequelize, getTableName(): string | TableName,
 *   rawAttributes: Record<string, Attribute>, _timestampAttributes?: Record<string, string>,
 *   modelDefinition?: {
 *     attributes: ReadonlyMap<string, Attribute>, timestampAttributeNames: Record<string, string>
 *   },
 *   build(values: object, options: object): object, sync(options?: object): Promise<unknown>,
 *   findOne(options: object): Promise<Instance | null>, findAll(options: object): Promise<Instance[]>,
 *   count(options: object): Promise<number>, create(values: object, options: object): Promise<unknown>, upsert(values: object, options: object): Promise<unknown>,
 *   update(values: object, options: object): Promise<[number, ...unknown[]]>, destroy(options: object): Promise<number>
 * }} Model
 * @typedef {{ get(name: string): unknown }} Instance
 * @typedef {Record<string, Model | undefined> | (Iterable<Model> & { get(name: string): Model | undefined })} Models
 * @typedef {Record<string, unknown> & {
 *   host?: string, port?: number | string, username?: string, user?: string, password?: unknown, database?: string,
 *   storage?: unknown, socketPath?: string, ssl?: unknown, dialectOptions?: Record<string, unknown>
 * }} ConnectionSettings
 * @typedef {{ max?: unknown, acquire?: unknown, idle?: unknown }} PoolSettings
 * @typedef {{
 *   dialect?: string, host?: string, storage?: unknown, timezone?: string, pool?: PoolSettings,
 *   quoteIdentifiers?: boolean, define?: Record<string, unknown>,
 *   replication?: { write?: ConnectionSettings | ConnectionSettings[] } | false | null
 * }} Settings
 * @typedef {{ size?: number, available?: number }} Pool
 * @typedef {Pool & { write?: Pool }} Pools
 * @typedef {{
 *   DataTypes: DataTypes, Op: Record<'and' | 'gt' | 'lte' | 'or', symbol>, _cls?: { get(name: string): unknown },
 *   cast(value: unknown, type: string): object, col(name: string): object, where(left: object, right: unknown): object
 * }} SequelizeClass
 * @typedef {((length: number) => unknown) & object} SizedType
 * @typedef {{ STRING: SizedType, TEXT: unknown, DATE: SizedType, BIGINT: unknown }} DataTypes
 * @typedef {{
 *   options: Settings, config?: ConnectionSettings, dialect: { name: string, supports: { schemas?: unknown } },
 *   models: Models, constructor: SequelizeClass, pool?: Pools, connectionManager?: { pool?: Pools },
 *   hasHook?(name: string): boolean, hooks?: { hasListeners(name: string): boolean },
 *   getCurrentClsTransaction?(): object | undefined,
 *   define(name: string, attributes: object, options?: object): Model
 * }} Sequelize
 */

/**
 * Whether the value is a Sequelize instance.
 * @param {unknown} db
 * @returns {db is Sequelize}
 */
function isSequelize(db) {
  return isObject(db) && typeof db.define === 'function' && isObject(db.options) && isObject(db.models)
}

/**
 * Whether the value is a model of Sequelize.
 * @param {unknown} value
 * @returns {value is Model}
 */
function isModel(value) {
  return typeof (/** @type {Partial<Model> | null | undefined} */ (value)?.getTableName) === 'function'
}

/**
 * The Sequelize instance of an object of models, such as the `models` folder of Sequelize's generator exports.
 * @param {object} db a Sequelize instance, or an object of models
 * @param {unknown} table the model of the sessions or its name, if there is one
 * @returns {Sequelize | undefined}
 */
function sequelizeOf(db, table) {
  if (isSequelize(db)) return db
  const model = typeof table === 'string' ? property(db, table) : table
  return isModel(model) && isSequelize(model.sequelize) ? model.sequelize : undefined
}

/**
 * @param {object} db a Sequelize instance, or an object of models
 * @param {string} name
 * @returns {Model | undefined}
 */
function modelOf(db, name) {
  const models = modelsOf(db)
  return typeof models?.get === 'function' ? models.get(name) : /** @type {Record<string, Model>} */ (models)?.[name]
}

/**
 * The names of the models of a Sequelize instance.
 * @param {object} db
 */
function modelNames(db) {
  const models = modelsOf(db) ?? {}
  const list = typeof models.get === 'function' ? models : Object.values(models)
  return [.../** @type {Iterable<Model>} */ (list)].map(({ name }) => name)
}

/**
 * @param {object} db
 * @returns {Models | undefined}
 */
function modelsOf(db) {
  return /** @type {Partial<Sequelize>} */ (db).models
}

/**
 * @param {object} object
 * @param {string} name
 */
function property(object, name) {
  return /** @type {Record<string, unknown>} */ (object)[name]
}

/**
 * Whether an instance has a hook of this name.
 * @param {Sequelize} sequelize
 * @param {string} name
 */
function hasHook(sequelize, name) {
  return Boolean(sequelize.hasHook?.(name) ?? sequelize.hooks?.hasListeners(name))
}

/**
 * The attributes of a model by their names.
 * @param {Model} model
 * @returns {Record<string, Attribute>}
 */
function attributesOf(model) {
  return model.modelDefinition ? Object.fromEntries(model.modelDefinition.attributes) : model.rawAttributes
}

/**
 * The names of the attributes that Sequelize fills with times: `createdAt`, `updatedAt`, `deletedAt` to the model's own.
 * @param {Model} model
 * @returns {Record<string, string>}
 */
function timestampsOf(model) {
  return model._timestampAttributes ?? model.modelDefinition?.timestampAttributeNames ?? {}
}

/**
 * The table of a model as Sequelize names it.
 * @param {Model} model
 * @returns {TableName}
 */
function tableNameOf(model) {
  const table = model.getTableName()
  return typeof table === 'string' ? { tableName: table } : table
}

module.exports = {
  attributesOf,
  hasHook,
  isModel,
  isSequelize,
  modelNames,
  modelOf,
  property,
  sequelizeOf,
  tableNameOf,
  timestampsOf
}
