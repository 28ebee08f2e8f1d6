'use strict'

const connect = require('../index.js')
const { isSequelize, modelOf, plainTable } = require('../lib/sequelize.js')
const { isObject } = require('../lib/session.js')

const { SessionStoreError } = connect

/** The name of an application's own model, which is taken without being asked for. */
const FOUND = 'ConnectSession'
const DEFAULT = 'DefaultSession'

/** In seconds. */
const DEFAULT_TTL = 14 * 24 * 60 * 60

/**
 * The class of stores for a copy of express-session, with the options and the models of sequelstore-connect.
 * @param {any} session express-session, or a module that has it as `session`
 */
module.exports = (session) => {
  const { Store, MemoryStore } = session.Store ? session : session.session
  /** @type {any} */
  const RustSequelizeStore = connect(Store)

  return class SequelStore extends RustSequelizeStore {
    /** @param {any} [options] */
    // biome-ignore lint/correctness/noUnreachableSuper: a store in memory is none of ours
    constructor(options = {}) {
      const { database, sessionModel, ttl = DEFAULT_TTL, autoRemoveInterval, fallbackMemory, transform } = options
      // biome-ignore lint/correctness/noConstructorReturn: as with sequelstore-connect
      if (fallbackMemory && MemoryStore) return new MemoryStore()
      if (!isSequelize(database)) {
        throw new SessionStoreError(
          'ERR_SESSION_OPTIONS',
          'No database: option `database` has to be a Sequelize instance'
        )
      }
      const own = modelOf(database, FOUND) ?? sessionModel
      super({
        db: own?.sequelize ?? database,
        ...(own ? { table: own } : defaultTable(database)),
        expiration: ttl * 1000,
        checkExpirationInterval: autoRemoveInterval,
        serializer: transform && serializer(transform)
      })
      // If it fails, the first session tries again.
      if (!own) this.sync()
    }

    /**
     * Yields the live sessions as an array. Each knows its id.
     * @param {(error: any, sessions?: any[]) => void} [callback]
     */
    all(callback) {
      if (!callback) return super.all().then(withIds)
      return super.all((/** @type {any} */ error, /** @type {any} */ sessions) => {
        if (error) callback(error)
        else callback(null, withIds(sessions))
      })
    }
  }
}

/**
 * The table for applications without a model for sessions, and its model.
 * @param {any} database
 */
function defaultTable(database) {
  const { STRING, DATE, TEXT } = database.constructor.DataTypes
  const attributes = { sid: { type: STRING, primaryKey: true }, expires: DATE, data: TEXT }
  const model = modelOf(database, DEFAULT) ?? database.define(DEFAULT, attributes)
  database[DEFAULT] ??= model
  return { modelKey: DEFAULT, tableName: plainTable(model).tableName }
}

/**
 * Sessions to text and back by the one function that sequelstore-connect knows for both.
 * @param {(value: any) => any} transform
 */
function serializer(transform) {
  return {
    stringify: transform,
    parse(/** @type {string} */ text) {
      try {
        const session = transform(text)
        if (isObject(session)) return session
      } catch {
        // It is for writing only.
      }
      return JSON.parse(text)
    }
  }
}

/** @param {Record<string, any>} sessions by sid */
function withIds(sessions) {
  return Object.entries(sessions).map(([id, session]) => Object.defineProperty(session, 'id', { value: id }))
}
