'use strict'

const { EventEmitter } = require('node:events')

const { RustSequelizeStore, SessionStoreError } = require('../index.js')
const { LAYOUTS } = require('../lib/layouts.js')
const { present } = require('../lib/options.js')
const { defineModel } = require('../lib/sequelize.js')

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

/** How often `sync()` is tried: processes that start together trip over each other's table and indexes, and then find them. */
const ATTEMPTS = 4

/** A store of koa-generic-session with the constructor, the methods and the table of koa-generic-session-sequelize. */
class SequelizeStore extends EventEmitter {
  #store
  /** @type {Promise<void> | undefined} */
  #syncing

  /**
   * @param {any} sequelize a Sequelize instance
   * @param {Partial<typeof DEFAULTS>} [options]
   */
  constructor(sequelize, options = {}) {
    super()
    this.sequelize = sequelize
    this.options = { ...DEFAULTS, ...present(options) }
    const { modelName, tableName, timestamps } = this.options
    this.Model = defineModel(
      sequelize,
      modelName,
      ({ STRING, TEXT, BIGINT }) => ({ id: { type: STRING(100), primaryKey: true }, data: TEXT, expires: BIGINT }),
      { tableName, timestamps, deletedAt: false, paranoid: false, indexes: [{ fields: ['expires'] }] }
    )
    // Readable, but out of sight of util.inspect: both hold a password.
    for (const name of ['sequelize', 'Model']) Object.defineProperty(this, name, { enumerable: false })
    // `gc` alone removes expired sessions.
    this.#store = new RustSequelizeStore({
      db: sequelize,
      layout: LAYOUT,
      table: this.Model,
      checkExpirationInterval: 0
    })
    this.synced = !this.options.sync
    // Who calls a method is told of a failure.
    if (this.options.sync) this.#sync().catch(() => {})
    else this.#connected()
  }

  /** @param {string} sid */
  async get(sid) {
    if (!this.synced) await this.#ready()
    if (Math.random() * this.options.gcFrequency < 1 && this.options.gcFrequency > 0) {
      // The next one tries again.
      this.gc().catch(() => {})
    }
    return this.#store.get(sid)
  }

  /**
   * @param {string} sid
   * @param {any} session
   * @param {number} [ttl] in ms
   */
  async set(sid, session, ttl) {
    if (!this.synced) await this.#ready()
    const lifetime = ttl || session?.cookie?.maxAge || this.options.browserSessionLifetime
    return this.#store.set(sid, session, Math.max(lifetime, 0))
  }

  /** @param {string} sid */
  async destroy(sid) {
    if (!this.synced) await this.#ready()
    return this.#store.destroy(sid)
  }

  /** Removes the expired sessions; yields how many. */
  async gc() {
    if (!this.synced) await this.#ready()
    return this.#store.clearExpiredSessions()
  }

  /** Ends what was called before and closes the store's connections, which are not those of Sequelize. */
  close() {
    return this.#store.close()
  }

  /** Waits for the table, but no longer than `syncTimeout`. */
  async #ready() {
    const { modelName, syncTimeout } = this.options
    /** @type {NodeJS.Timeout | undefined} */
    let timer
    const late = new Promise((_resolve, reject) => {
      const message = `could not sync() the ${modelName} model in time`
      timer = setTimeout(() => reject(new SessionStoreError('ERR_SESSION_TIMEOUT', message)), syncTimeout)
    })
    try {
      await Promise.race([this.#sync(), late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Has the model create its table. A failed attempt is followed by another when the table is needed. */
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
      const reason = cause instanceof Error ? cause.message : String(cause)
      const message = `could not sync() the ${this.options.modelName} model: ${reason}`
      throw new SessionStoreError('ERR_SESSION_TABLE', message, cause)
    }
    this.synced = true
    this.#connected()
  }

  /** Not before the constructor has returned, nor within a promise, where a listener that throws would be unseen. */
  #connected() {
    process.nextTick(() => this.emit('connect'))
  }
}

module.exports = SequelizeStore
