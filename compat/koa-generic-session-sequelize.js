'use strict'

const { EventEmitter } = require('node:events')
const { inspect } = require('node:util')

const { RustSequelizeStore, SessionStoreError } = require('../index.js')
const { dataError } = require('../lib/error.js')
const { inspectOptions } = require('../lib/inspect.js')
const { LAYOUTS } = require('../lib/layouts.js')
const { defineModel } = require('../lib/sequelize/model.js')
const { present, reasonOf } = require('../lib/values.js')

const LAYOUT = 'koa-generic-session-sequelize'

const DEFAULTS = Object.freeze({
  tableName: LAYOUTS[LAYOUT].tableName,
  modelName: 'Session',
  sync: true,
  syncTimeout: 3000,
  gcFrequency: 10_000,
  timestamps: false,
  browserSessionLifetime: 24 * 60 * 60 * 1000
})

/**
 * The number of attempts of `sync()`. Processes that start together may fail on each other's table and indexes, and find
 * them on the next attempt.
 */
const ATTEMPTS = 4

/** A store for koa-generic-session with the constructor, the methods and the table of koa-generic-session-sequelize. */
class SequelizeStore extends EventEmitter {
  /** @type {import('../index.js').RustSequelizeStore<Record<string, unknown>>} */
  #store
  #sequelize
  #model
  /** @type {Promise<void> | undefined} */
  #syncing

  /**
   * @param {import('../index.js').SequelizeInstance} sequelize
   * @param {import('./koa-generic-session-sequelize.js').Settings} [options]
   */
  constructor(sequelize, options = {}) {
    super()
    this.#sequelize = sequelize
    this.options = { ...DEFAULTS, ...present(options) }
    const { modelName, tableName, timestamps } = this.options
    this.#model = defineModel(
      sequelize,
      modelName,
      ({ STRING, TEXT, BIGINT }) => ({ id: { type: STRING(100), primaryKey: true }, data: TEXT, expires: BIGINT }),
      { tableName, timestamps, deletedAt: false, paranoid: false, indexes: [{ fields: ['expires'] }] },
      ['id', 'data', 'expires']
    )
    // Only `gc` removes expired sessions.
    this.#store = new RustSequelizeStore({
      db: sequelize,
      layout: LAYOUT,
      table: this.#model,
      checkExpirationInterval: 0
    })
    this.synced = !this.options.sync
    // After a failure the next call tries again, and reports what it finds.
    if (this.options.sync) this.#sync().catch(() => {})
    else this.#connected()
  }

  get sequelize() {
    return #sequelize in this ? this.#sequelize : undefined
  }

  get Model() {
    return #model in this ? this.#model : undefined
  }

  /**
   * What `util.inspect` shows. Neither instance nor model, which hold a password.
   * @type {import('../lib/inspect.js').Inspect}
   */
  [inspect.custom](depth, context, show) {
    return #model in this ? inspectOptions(this, depth, context, show) : this
  }

  /** @param {string} sid */
  async get(sid) {
    if (!this.synced) await this.#ready()
    if (Math.random() * this.options.gcFrequency < 1 && this.options.gcFrequency > 0) {
      // After a failure a later one tries again.
      this.gc().catch(() => {})
    }
    return this.#store.get(sid)
  }

  /**
   * @param {string} sid
   * @param {Record<string, unknown>} session
   * @param {number} [ttl] in ms
   */
  async set(sid, session, ttl) {
    if (!this.synced) await this.#ready()
    const lifetimes = [ttl, maxAgeOf(session), this.options.browserSessionLifetime]
    const lifetime = lifetimes.find((each) => typeof each === 'number' && each) ?? 0
    return this.#store.set(sid, session, Math.max(lifetime, 0))
  }

  /** @param {string} sid */
  async destroy(sid) {
    if (!this.synced) await this.#ready()
    return this.#store.destroy(sid)
  }

  /** Removes the expired sessions and yields their number. */
  async gc() {
    if (!this.synced) await this.#ready()
    return this.#store.clearExpiredSessions()
  }

  /** Completes the calls made before and closes the store's connections, which are not those of Sequelize. */
  close() {
    return this.#store.close()
  }

  /** Waits for the table, but no longer than `syncTimeout`. */
  async #ready() {
    const { modelName, syncTimeout } = this.options
    /** @type {NodeJS.Timeout | undefined} */
    let timer
    /** @type {Promise<never>} */
    const late = new Promise((_resolve, reject) => {
      const message = `could not sync() the ${modelName} model within ${syncTimeout} ms; raise option \`syncTimeout\` if the database is slow`
      timer = setTimeout(() => reject(new SessionStoreError('ERR_SESSION_TIMEOUT', message)), syncTimeout)
    })
    try {
      await Promise.race([this.#sync(), late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Lets the model create its table. After a failure the next call that needs the table tries again. */
  #sync() {
    this.#syncing ??= this.#createTable().finally(() => {
      this.#syncing = undefined
    })
    return this.#syncing
  }

  /** @returns {Promise<void>} */
  async #createTable(attempts = ATTEMPTS) {
    try {
      await this.#store.sync()
    } catch (cause) {
      if (attempts > 1) return this.#createTable(attempts - 1)
      const message = `could not sync() the ${this.options.modelName} model: ${reasonOf(cause)}`
      throw new SessionStoreError('ERR_SESSION_TABLE', message, cause)
    }
    this.synced = true
    this.#connected()
  }

  /** Emits `connect` after the constructor has returned, and outside of any promise, which would hide what a listener throws. */
  #connected() {
    process.nextTick(() => this.emit('connect'))
  }
}

/**
 * @param {{ cookie?: unknown }} session
 * @returns {number | undefined} in ms
 */
function maxAgeOf(session) {
  try {
    return /** @type {{ maxAge?: number } | undefined} */ (session?.cookie)?.maxAge
  } catch (cause) {
    throw dataError(`the expiry of the session cannot be read: ${reasonOf(cause)}`, cause)
  }
}

module.exports = SequelizeStore
