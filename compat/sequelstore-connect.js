'use strict'

const connect = require('../index.js')
const { dataError } = require('../lib/error.js')
const { optionsError } = require('../lib/options/error.js')
const { isSequelize, modelOf, tableNameOf } = require('../lib/sequelize/instance.js')
const { NEEDED, hasAll } = require('../lib/sequelize/model.js')
const { isObject, reasonOf, typeName } = require('../lib/values.js')

/**
 * @typedef {import('../lib/sequelize/instance.js').Model} Model
 * @typedef {import('../lib/sequelize/instance.js').Sequelize} Sequelize
 * @typedef {import('../lib/session.js').Session} Session
 *
 * express-session. Its `MemoryStore` may take the place of a store of ours.
 * @typedef {{ Store: import('../index.js').StoreConstructor, MemoryStore?: new () => never }} ExpressSession
 *
 * The store without the type of what `all` yields, which is another one here.
 * @typedef {{
 *   all(callback?: (error: Error | null, sessions?: unknown) => void): unknown, sync(): Promise<void>
 * }} BaseStore
 */

/** The name of an application's own model, which is used without being asked for. */
const OWN = 'ConnectSession'
const DEFAULT = 'DefaultSession'

/** The methods that need the table. */
const WAITING = ['get', 'set', 'touch', 'destroy', 'all', 'ids', 'length', 'clear', 'clearExpiredSessions']
const AFTER_SYNC = Symbol('after sync')

/** In seconds. */
const DEFAULT_TTL = 14 * 24 * 60 * 60

/**
 * The store class for a copy of express-session, with the options and the models of sequelstore-connect.
 * @param {ExpressSession | { session: ExpressSession }} session express-session, or a module that has it as `session`
 */
module.exports = (session) => {
  const { Store, MemoryStore } = 'Store' in session ? session : session.session
  const RustSequelizeStore = /** @type {new (options: import('../index.js').StoreOptions<Session>) => BaseStore} */ (
    /** @type {unknown} */ (connect(Store))
  )

  class SequelStore extends RustSequelizeStore {
    /**
     * There while the table of the option `sessionModel` is being created.
     * @type {Promise<void> | undefined}
     */
    #syncing

    /** @param {Partial<import('./sequelstore-connect.js').Options>} [options] */
    // biome-ignore lint/correctness/noUnreachableSuper: a MemoryStore needs nothing of this class
    constructor(options = {}) {
      const { database, sessionModel, ttl = DEFAULT_TTL, autoRemoveInterval, fallbackMemory, transform } = options
      // biome-ignore lint/correctness/noConstructorReturn: as with sequelstore-connect
      if (fallbackMemory && MemoryStore) return new MemoryStore()
      if (!isSequelize(database)) {
        throw optionsError(
          `No database: expected option \`database\` to be a Sequelize instance, got ${typeName(database)}`
        )
      }
      const found = modelOf(database, OWN)
      const own = found ?? /** @type {Model | undefined} */ (sessionModel)
      super({
        db: own?.sequelize ?? database,
        ...(own ? tableOf(own) : defaultTable(database)),
        expiration: ttl * 1000,
        checkExpirationInterval: autoRemoveInterval,
        serializer: transform && serializer(transform)
      })
      // If this fails, the first operation tries again.
      if (!own) this.sync()
      if (own && !found) this.#syncFirst()
    }

    /** Lets the calls that are made meanwhile wait for the table. */
    #syncFirst() {
      const synced = () => {
        this.#syncing = undefined
      }
      this.#syncing = this.sync().then(synced, synced)
    }

    /**
     * Makes a call when the table is there.
     * @param {(...args: unknown[]) => unknown} method
     * @param {unknown[]} args
     */
    [AFTER_SYNC](method, args) {
      if (!this.#syncing) return method.apply(this, args)
      const called = this.#syncing.then(() => method.apply(this, args))
      // Its rejection is that of the call, which nobody may be waiting for.
      called.catch(() => {})
      return typeof args.at(-1) === 'function' ? undefined : called
    }

    /**
     * Yields the live sessions as an array. Each knows its id.
     * @param {(error: Error | null, sessions?: Session[]) => void} [callback]
     */
    all(callback) {
      if (!callback) return /** @type {Promise<unknown>} */ (super.all()).then(withIds)
      return super.all((error, sessions) => {
        if (error) return callback(error)
        let list
        try {
          list = withIds(sessions)
        } catch (cause) {
          return callback(/** @type {Error} */ (cause))
        }
        callback(null, list)
      })
    }
  }

  for (const name of WAITING) {
    const method = /** @type {Record<string, (...args: unknown[]) => unknown>} */ (
      /** @type {unknown} */ (SequelStore.prototype)
    )[name]
    /** @this {SequelStore} @param {unknown[]} args */
    const waiting = function (...args) {
      return this[AFTER_SYNC](method, args)
    }
    Object.defineProperty(SequelStore.prototype, name, { value: waiting, writable: true, configurable: true })
  }
  return SequelStore
}

/**
 * The table of the application's own model. One that lacks an attribute says nothing about its columns, and the first call
 * names the column that is missing.
 * @param {Model} model
 */
function tableOf(model) {
  if (hasAll(model, NEEDED)) return { table: model }
  const { tableName, schema } = tableNameOf(model)
  return { tableName, schema: schema || undefined, modelKey: model.name, createTable: false }
}

/**
 * The table for applications without a model for sessions, and its model.
 * @param {Sequelize & { [DEFAULT]?: object }} database
 */
function defaultTable(database) {
  const { STRING, DATE, TEXT } = database.constructor.DataTypes
  const attributes = { sid: { type: STRING, primaryKey: true }, expires: DATE, data: TEXT }
  const model = modelOf(database, DEFAULT) ?? database.define(DEFAULT, attributes)
  database[DEFAULT] ??= model
  return { modelKey: DEFAULT, tableName: tableNameOf(model).tableName }
}

/**
 * A serializer of the one function that sequelstore-connect has for both ways.
 * @param {(value: unknown) => unknown} transform
 */
function serializer(transform) {
  return {
    stringify: /** @type {(session: Session) => string} */ (transform),
    /** @param {string} text */
    parse(text) {
      try {
        const session = transform(text)
        if (isObject(session)) return session
      } catch {
        // The function only turns sessions into text.
      }
      return JSON.parse(text)
    }
  }
}

/** @param {unknown} sessions by their ids */
function withIds(sessions) {
  const entries = Object.entries(/** @type {Record<string, Session>} */ (sessions))
  return entries.map(([id, session]) => {
    try {
      return Object.defineProperty(session, 'id', { value: id })
    } catch (cause) {
      throw dataError(`a session of option \`transform\` cannot be given its id: ${reasonOf(cause)}`, cause)
    }
  })
}
