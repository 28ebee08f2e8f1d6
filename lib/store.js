'use strict'

const { inspect } = require('node:util')

const { NativeStore, OutcomeType } = require('./addon.js')
const { extendFields } = require('./columns.js')
const { cookieExpiry, raiseCookieExpiry } = require('./cookie-expiry.js')
const { openEngine } = require('./engine/index.js')
const { SessionStoreError, errorOf, translated } = require('./error.js')
const { inspectOptions } = require('./inspect.js')
const { collectSessions, listIds, listSessions } = require('./listing.js')
const { LoadedSessions, contextOf } = require('./loaded-sessions.js')
const { debug, logCall, shortSid } = require('./log.js')
const { complete } = require('./options/complete.js')
const { forDdl } = require('./options/for-addon.js')
const { startPruneTimer } = require('./prune-timer.js')
const { buildRow } = require('./sequelize/model.js')
const { checkSession, checkSid, expiresAt, hasCookie, parse, serialize } = require('./session.js')
const { TouchGate } = require('./touch-gate.js')
const { isName, isObject, reasonOf } = require('./values.js')

/**
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./operations/index.js').Callback} Callback
 * @typedef {import('./operations/index.js').Read} Read
 *
 * What the class extends: express-session's `Store`, or anything that emits events. Only express-session calls
 * `createSession`.
 * @typedef {new () => import('node:events').EventEmitter & {
 *   createSession(req: { sessionID: string }, data: Session): object
 * }} StoreBase
 */

/**
 * The store as a subclass of the given Store.
 * @param {StoreBase} Store
 */
function storeClass(Store) {
  return class RustSequelizeStore extends Store {
    #engine
    #native
    #operations
    #counts = {
      gets: 0,
      hits: 0,
      misses: 0,
      sets: 0,
      touches: 0,
      touchesSkipped: 0,
      destroys: 0,
      errors: 0,
      unreadable: 0
    }
    #touchGate = new TouchGate()
    #loaded = new LoadedSessions()
    /**
     * The columns by the attributes of the model.
     * @type {Record<string, string> | undefined}
     */
    #fields
    /** @type {import('./sequelize/instance.js').Model | undefined} */
    #model
    /** @type {Promise<void> | undefined} */
    #closed

    /**
     * The DDL of the table that a store with these options creates.
     * @param {import('../index.js').Dialect} dialect
     * @param {object} [options] only `tableName`, `schema`, `layout` and `columns` matter
     * @returns {string}
     */
    static ddl(dialect, options) {
      return translated(() => NativeStore.ddl(dialect, forDdl(dialect, options)))
    }

    /** @param {import('../index.js').StoreOptions<Session>} [options] */
    constructor(options) {
      super()
      const completed = complete(options)
      this.options = completed.options
      this.#model = completed.model
      this.#fields = completed.fields
      /** @type {NodeJS.Timeout | null} */
      this._expirationInterval = null
      const counts = this.#counts
      const { name, native, operations } = openEngine(completed, (error) => {
        counts.errors++
        debug('%s: %s', error.code, error.message)
      })
      this.#engine = name
      // Nothing else holds the addon's store.
      this.#native = native
      this.#operations = operations
      // One store may serve any number of session() middlewares, each of which listens for two events.
      this.setMaxListeners?.(0)
      this.startExpiringSessions()
    }

    /** The model of the table, for queries of the application, as with connect-session-sequelize. */
    get sessionModel() {
      // Tools read the properties of a prototype, too.
      return #model in this ? this.#model : undefined
    }

    /**
     * What `util.inspect` shows. Not the model, which holds the password of its Sequelize instance.
     * @type {import('./inspect.js').Inspect}
     */
    [inspect.custom](depth, context, show) {
      return #model in this ? inspectOptions(this, depth, context, show) : this
    }

    /**
     * Yields the live session, or null. Its cookie expires no sooner than its row. A row that cannot be read counts as
     * absent. For a callback so does a session without a cookie, on which express-session would throw.
     * @param {string} sid
     * @param {...unknown} rest what koa-session passes; callback
     */
    get(sid, ...rest) {
      const callback = callbackOf(rest)
      const context = contextOf(rest)
      const { changes } = this.#loaded
      this.#counts.gets++
      logCall('get', sid)
      if (!isName(sid)) {
        this.#counts.misses++
        return this.#answer(callback, null)
      }
      /** @type {Read} */
      const read = (type, data, expires) => {
        const session = type === OutcomeType.Session ? parse(data, this.options.serializer) : undefined
        if (session === undefined || (callback && !hasCookie(session))) {
          this.#counts.misses++
          if (type !== OutcomeType.Missing) this.#countUnreadable(sid)
          return null
        }
        this.#counts.hits++
        const cookie = raiseCookieExpiry(session, expires)
        this.#loaded.found(sid, session, expires, cookie, changes, context)
        this.#touchGate.remember(session, expires, this.options.touchAfter)
        return session
      }
      return this.#operations.start(callback, (ticket) => this.#native.get(ticket, Date.now(), sid), read)
    }

    /**
     * Writes the session as it is at the time of the call. A loaded session does not come back if it was destroyed
     * meanwhile, and does not expire sooner than its row unless the application has changed its expiry.
     * @param {string} sid
     * @param {Session} session
     * @param {...unknown} rest lifetime in ms, if the caller knows it better than the cookie; what koa-session passes;
     *   callback
     */
    set(sid, session, ...rest) {
      const callback = callbackOf(rest)
      this.#counts.sets++
      logCall('set', sid)
      const [ttl] = rest
      const context = contextOf(rest)
      /** @type {import('./columns.js').Row | undefined} */
      let row
      /** @type {import('./loaded-sessions.js').Save | undefined} */
      let save
      /** @type {number | undefined} */
      let cookie
      const begin = (/** @type {number} */ ticket) => {
        checkSid(sid)
        const now = Date.now()
        checkSession(session)
        cookie = cookieExpiry(session)
        row = this.#rowOf(session, cookie, ttl, now)
        save = this.#loaded.saving(sid, session, row.expires, context)
        const { loaded, updateUntil } = save
        const keepLater =
          loaded !== undefined && cookie !== undefined && cookie === loaded.cookie && typeof ttl !== 'number'
        this.#native.set(ticket, now, sid, row.data, row.expires, updateUntil, keepLater, row.columns, row.extra)
      }
      return this.#operations.start(callback, begin, () => {
        if (row && save) this.#loaded.saved(save, sid, session, row.expires, cookie, context)
        this.#touchGate.remember(session, row?.expires, this.options.touchAfter)
        // connect-session-sequelize yields the row. express-session's callbacks take only an error.
        if (!this.sessionModel || !row || callback?.length === 1) return undefined
        return buildRow(this.sessionModel, sid, row, this.options.layout)
      })
    }

    /**
     * @param {Session} session
     * @param {number | undefined} cookie when its cookie expires, in ms
     * @param {unknown} ttl lifetime in ms
     * @param {number} now
     */
    #rowOf(session, cookie, ttl, now) {
      const { expiration, extendDefaultFields, serializer } = this.options
      const row = { data: serialize(session, serializer), expires: expiresAt(session, expiration, cookie, ttl, now) }
      return extendDefaultFields ? extendFields(extendDefaultFields, row, session, this.#fields) : row
    }

    /**
     * Moves the expiry of a live session. Succeeds if there is none.
     * @param {string} sid
     * @param {Session} session
     * @param {...unknown} rest callback
     */
    touch(sid, session, ...rest) {
      const callback = callbackOf(rest)
      this.#counts.touches++
      logCall('touch', sid)
      if (!isName(sid)) return this.#answer(callback)
      let skipped = false
      try {
        skipped = this.#touchGate.skips(session, this.options)
      } catch (error) {
        return this.#operations.adopt(callback, Promise.reject(errorOf(error)))
      }
      if (skipped) {
        this.#counts.touchesSkipped++
        return this.#answer(callback)
      }
      /** @type {number | undefined} */
      let atLeast
      /** @type {number | undefined} */
      let cookie
      const begin = (/** @type {number} */ ticket) => {
        const { expiration, touchAfter } = this.options
        const now = Date.now()
        checkSession(session)
        cookie = cookieExpiry(session)
        const expires = expiresAt(session, expiration, cookie, undefined, now)
        const unlessAfter = this.#touchGate.unlessAfter(expires, now, touchAfter)
        // The row may have been left alone.
        atLeast = unlessAfter ?? expires
        this.#loaded.touching(sid, session, expires)
        this.#native.touch(ticket, now, sid, expires, unlessAfter)
      }
      const read = () => {
        this.#loaded.touched(session, cookie)
        this.#touchGate.remember(session, atLeast, this.options.touchAfter)
      }
      return this.#operations.start(callback, begin, read)
    }

    /**
     * The outcome of a call that does not reach the addon.
     * @param {Callback | undefined} callback
     * @param {unknown} [value]
     */
    #answer(callback, value) {
      const answer = this.#closed
        ? Promise.reject(new SessionStoreError('ERR_SESSION_CLOSED', 'the session store is closed'))
        : Promise.resolve(value)
      return this.#operations.adopt(callback, answer)
    }

    /**
     * Removes the session. Succeeds if there is none.
     * @param {string} sid
     * @param {...unknown} rest what koa-session passes; callback
     */
    destroy(sid, ...rest) {
      this.#counts.destroys++
      logCall('destroy', sid)
      const callback = callbackOf(rest)
      if (!isName(sid)) return this.#answer(callback)
      const context = contextOf(rest)
      return this.#operations.start(callback, (ticket) => {
        this.#native.destroy(ticket, Date.now(), sid)
        this.#loaded.destroying(sid, context)
      })
    }

    /**
     * Yields the live sessions by their ids; for a callback only those with a cookie, as `get` does.
     * @param {Callback} [callback]
     */
    all(callback) {
      return this.#operations.adopt(callback, collectSessions(this.iterate(), callback !== undefined))
    }

    /** Yields `[sid, session]` of the live sessions in the order of their ids, without holding all of them in memory. */
    iterate() {
      const { changes } = this.#loaded
      return listSessions(this.#readPage, (sid, data, expires) => {
        try {
          const session = data === null ? undefined : parse(data, this.options.serializer)
          if (session === undefined) this.#countUnreadable(sid)
          else this.#loaded.listed(sid, session, expires, raiseCookieExpiry(session, expires), changes)
          return session
        } catch (error) {
          throw errorOf(error)
        }
      })
    }

    /**
     * Yields the ids of the live sessions.
     * @param {Callback} [callback]
     */
    ids(callback) {
      return this.#operations.adopt(callback, listIds(this.#readPage))
    }

    /** @type {import('./listing.js').ReadPage} */
    #readPage = async (after, limit, withData) => {
      /** @type {Read} */
      const read = (_type, rows, next) => ({ rows, next })
      const begin = (/** @type {number} */ ticket) => this.#native.page(ticket, Date.now(), after, limit, withData)
      return this.#operations.start(undefined, begin, read)
    }

    /**
     * Yields the number of live sessions.
     * @param {Callback} [callback]
     */
    length(callback) {
      return this.#operations.start(callback, (ticket) => this.#native.length(ticket, Date.now()), count)
    }

    /**
     * Removes every session.
     * @param {Callback} [callback]
     */
    clear(callback) {
      debug('clear')
      const begin = (/** @type {number} */ ticket) => {
        this.#native.clear(ticket, Date.now())
        this.#loaded.clearing()
      }
      return this.#operations.start(callback, begin)
    }

    /**
     * Creates the table if it is missing; with `force`, drops it first.
     * @param {...unknown} rest options, callback
     */
    sync(...rest) {
      const callback = callbackOf(rest)
      const options = isObject(rest[0]) ? rest[0] : {}
      if (this.options.table !== undefined) return this.#operations.adopt(callback, this.#syncModel(options))
      const begin = (/** @type {number} */ ticket) => {
        this.#native.sync(ticket, Date.now(), Boolean(options.force))
        if (options.force) this.#loaded.clearing()
      }
      return this.#operations.start(callback, begin)
    }

    /**
     * Lets the application's model create its table, which may have more columns than sessions need.
     * @param {object} options
     */
    async #syncModel(options) {
      try {
        await this.sessionModel?.sync(options)
      } catch (cause) {
        throw new SessionStoreError('ERR_SESSION_TABLE', reasonOf(cause), cause)
      }
      // Makes the addon inspect the table again.
      await this.#operations.start(undefined, (ticket) => this.#native.sync(ticket, Date.now(), false))
    }

    /**
     * Removes the expired sessions and yields their number.
     * @param {Callback} [callback]
     */
    clearExpiredSessions(callback) {
      debug('clear expired sessions')
      return this.#operations.start(callback, (ticket) => this.#native.prune(ticket, Date.now()), count)
    }

    /** Removes expired sessions at intervals of about `checkExpirationInterval`. */
    startExpiringSessions() {
      this.stopExpiringSessions()
      const interval = this.options.checkExpirationInterval
      // The options are live, and an error of this timer would end the process.
      const due = typeof interval === 'number' && interval > 0
      if (due && !this.#closed) this._expirationInterval = startPruneTimer(this, interval)
    }

    stopExpiringSessions() {
      if (this._expirationInterval) clearTimeout(this._expirationInterval)
      this._expirationInterval = null
    }

    /**
     * Completes the calls made before, refuses those made after, and closes the connections.
     * @param {Callback} [callback]
     */
    close(callback) {
      this.stopExpiringSessions()
      const begin = (/** @type {number} */ ticket) => this.#native.close(ticket)
      this.#closed ??= this.#operations.start(undefined, begin, () => this.#native.release())
      return this.#operations.adopt(callback, /** @type {Promise<void>} */ (this.#closed))
    }

    /** What the store has done since it was created, and what is pending now. */
    stats() {
      const { operations, batches, retries, pruned, gone, pending, poolSize, poolIdle } = this.#native.stats()
      return {
        engine: this.#engine,
        ...this.#counts,
        batches,
        operationsPerBatch: batches > 0 ? operations / batches : 0,
        retries,
        pruned,
        gone,
        pending,
        pool: { size: poolSize, idle: poolIdle }
      }
    }

    /**
     * The time at which the session would expire if it were saved now.
     * @param {Session} session
     * @returns {Date}
     */
    expiration(session) {
      return new Date(expiresAt(session, this.options.expiration, cookieExpiry(session)))
    }

    /**
     * Called by express-session for sessions that `get` yielded, and for no others.
     * @param {{ sessionID: string }} req
     * @param {Session} data
     */
    createSession(req, data) {
      const session = super.createSession(req, data)
      this.#loaded.pass(req.sessionID, data, session)
      this.#touchGate.pass(data, session)
      return session
    }

    /** @param {string} sid */
    #countUnreadable(sid) {
      this.#counts.unreadable++
      debug('the row of %s cannot be read as a session and is treated as absent', shortSid(sid))
    }
  }
}

/** @type {Read} */
function count(_type, value) {
  return value
}

/**
 * The callback of a call: its last argument, if that is a function.
 * @param {unknown[]} rest
 * @returns {Callback | undefined}
 */
function callbackOf(rest) {
  const last = rest.at(-1)
  return typeof last === 'function' ? /** @type {Callback} */ (last) : undefined
}

module.exports = { storeClass }
