'use strict'

const createDebug = require('debug')

const { NativeStore, OutcomeType } = require('./addon.js')
const { extendFields } = require('./columns.js')
const { SessionStoreError, translated } = require('./error.js')
const { layoutOf } = require('./layouts.js')
const { openNative } = require('./operations/index.js')
const { complete, forAddon, forDdl } = require('./options.js')
const { checkSession, checkSid, expiresAt, isObject, parse, serialize } = require('./session.js')
const { MAX_TIMER_MS } = require('./timers.js')

const debug = createDebug('rust-sequelize-store')

/** Sessions that `all` and `iterate` hold at a time, and ids that `ids` does. */
const PAGE_SESSIONS = 500
const PAGE_IDS = 10_000

/**
 * The store as a subclass of the given Store: express-session's, or anything that emits events.
 * @param {any} Store
 */
function storeClass(Store) {
  return class RustSequelizeStore extends Store {
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
    /**
     * The sid under which a session was read from the table, so that saving it does not bring it back when it was
     * destroyed meanwhile.
     * @type {WeakMap<object, string>}
     */
    #loaded = new WeakMap()
    /**
     * When the row of a session expires as far as we know, for `touchAfter`. In ms.
     * @type {WeakMap<object, number>}
     */
    #expiries = new WeakMap()
    /**
     * The columns by the attributes of the model.
     * @type {Record<string, string> | undefined}
     */
    #fields
    /** @type {Promise<void> | undefined} */
    #closed

    /**
     * The DDL of the table that a store with these options creates.
     * @param {'sqlite' | 'postgres' | 'postgresql' | 'mysql' | 'mariadb'} dialect
     * @param {any} [options] `tableName`, `schema`, `layout` and `columns` count
     * @returns {string}
     */
    static ddl(dialect, options) {
      return translated(() => NativeStore.ddl(dialect, forDdl(dialect, options)))
    }

    /** @param {any} [options] */
    constructor(options) {
      super()
      const completed = complete(options)
      this.options = completed.options
      // The application may query it, as with connect-session-sequelize.
      if (completed.model) this.sessionModel = completed.model
      this.#fields = completed.fields
      /** @type {NodeJS.Timeout | null} */
      this._expirationInterval = null
      const counts = this.#counts
      const { native, operations } = openNative(forAddon(completed), (error) => {
        counts.errors++
        debug('%s: %s', error.code, error.message)
      })
      this.#native = native
      this.#operations = operations
      // One store may serve any number of session() middlewares, each of which listens for two events.
      this.setMaxListeners?.(0)
      this.startExpiringSessions()
    }

    /**
     * Yields the live session, or null. A row that cannot be read counts as none, and so does, for a callback, one
     * without a cookie: express-session would throw on it.
     * @param {string} sid
     * @param {...any} rest
     */
    get(sid, ...rest) {
      const callback = lastFunction(rest)
      this.#counts.gets++
      log('get', sid)
      return this.#start(
        callback,
        sid,
        (ticket) => this.#native.get(ticket, sid),
        (type, value, expires) => this.#read(sid, type, value, expires, callback !== undefined)
      )
    }

    /**
     * Writes the session as it is now.
     * @param {string} sid
     * @param {any} session
     * @param {...any} rest lifetime in ms, if the caller knows it better than the cookie; callback
     */
    set(sid, session, ...rest) {
      this.#counts.sets++
      log('set', sid)
      const callback = lastFunction(rest)
      /** @type {number | undefined} */
      let expires
      /** @type {import('./columns.js').Row | undefined} */
      let row
      const start = (/** @type {number} */ ticket) => {
        const { expiration, extendDefaultFields, serializer } = this.options
        row = { data: serialize(session, serializer), expires: expiresAt(session, expiration, rest[0]) }
        if (extendDefaultFields) row = extendFields(extendDefaultFields, row, session, this.#fields)
        const loaded = this.#loaded.get(session) === sid
        this.#native.set(ticket, sid, row.data, row.expires, loaded, row.columns)
        expires = row.expires
      }
      return this.#start(callback, sid, start, () => {
        this.#remember(session, expires)
        // A session of express-session knows its id. From its first save on it is in the table, or was destroyed.
        if (callback && session.id === sid) this.#loaded.set(session, sid)
        // connect-session-sequelize yields the row. express-session's callbacks take an error only.
        const { layout } = this.options
        return this.sessionModel && callback?.length !== 1 ? buildRow(this.sessionModel, sid, row, layout) : undefined
      })
    }

    /**
     * Moves the expiry of a live session. That there is none is a success.
     * @param {string} sid
     * @param {any} session
     * @param {...any} rest
     */
    touch(sid, session, ...rest) {
      const callback = lastFunction(rest)
      this.#counts.touches++
      log('touch', sid)
      if (this.#skipsTouch(session)) {
        this.#counts.touchesSkipped++
        return this.#operations.adopt(callback, this.#skipped(sid))
      }
      /** @type {number | undefined} */
      let expires
      const start = (/** @type {number} */ ticket) => {
        checkSession(session)
        expires = expiresAt(session, this.options.expiration)
        this.#native.touch(ticket, sid, expires)
      }
      return this.#start(callback, sid, start, () => this.#remember(session, expires))
    }

    /**
     * The outcome of a touch that does not reach the addon.
     * @param {string} sid
     */
    async #skipped(sid) {
      checkSid(sid)
      if (this.#closed) throw new SessionStoreError('ERR_SESSION_CLOSED', 'the session store is closed')
    }

    /**
     * Whether a touch is not wanted, or would gain less than `touchAfter`.
     * @param {any} session
     */
    #skipsTouch(session) {
      const { disableTouch, expiration, touchAfter } = this.options
      if (disableTouch) return true
      const known = touchAfter > 0 && isObject(session) ? this.#expiries.get(session) : undefined
      if (known === undefined) return false
      const gained = expiresAt(session, expiration) - known
      // A session that is used must not end because its touches are skipped.
      return gained >= 0 && gained < Math.min(touchAfter, (known - Date.now()) / 2)
    }

    /**
     * Removes the session. That there is none is a success.
     * @param {string} sid
     * @param {...any} rest
     */
    destroy(sid, ...rest) {
      this.#counts.destroys++
      log('destroy', sid)
      return this.#start(lastFunction(rest), sid, (ticket) => this.#native.destroy(ticket, sid))
    }

    /**
     * Yields the live sessions by sid; for a callback only those with a cookie, as `get` does.
     * @param {import('./operations/index.js').Callback} [callback]
     */
    all(callback) {
      return this.#operations.adopt(callback, this.#collect(callback !== undefined))
    }

    /** @param {boolean} needsCookie */
    async #collect(needsCookie) {
      /** @type {[string, any][]} */
      const sessions = []
      for await (const entry of this.iterate()) {
        if (!needsCookie || isObject(entry[1].cookie)) sessions.push(entry)
      }
      // Defines each property, as an assignment would not for the sid `__proto__`.
      return Object.fromEntries(sessions)
    }

    /**
     * Yields `[sid, session]` of the live sessions, in the order of their sids, without holding all of them.
     * @returns {AsyncGenerator<[string, any], void, void>}
     */
    async *iterate() {
      for await (const rows of this.#pages(PAGE_SESSIONS, true)) {
        for (let at = 0; at < rows.length; at += 2) {
          const session = rows[at + 1] === null ? undefined : parse(rows[at + 1], this.options.serializer)
          if (session === undefined) this.#unreadable(rows[at])
          else yield [rows[at], session]
        }
      }
    }

    /**
     * Yields the sids of the live sessions.
     * @param {import('./operations/index.js').Callback} [callback]
     */
    ids(callback) {
      return this.#operations.adopt(callback, this.#collectIds())
    }

    async #collectIds() {
      const sids = []
      for await (const rows of this.#pages(PAGE_IDS, false)) {
        for (let at = 0; at < rows.length; at += 2) sids.push(rows[at])
      }
      return sids
    }

    /**
     * Pages of sids and data by turns.
     * @param {number} limit
     * @param {boolean} withData
     */
    async *#pages(limit, withData) {
      let after
      let more = true
      while (more) {
        const last = after
        const start = (/** @type {number} */ ticket) => this.#native.page(ticket, last, limit, withData)
        const read = (/** @type {number} */ _type, /** @type {any[]} */ rows, /** @type {any} */ full) => ({
          rows,
          full
        })
        const page = await this.#operations.start(undefined, start, read)
        yield page.rows
        after = page.rows.at(-2)
        more = page.full && after !== undefined
      }
    }

    /**
     * Yields the number of live sessions.
     * @param {import('./operations/index.js').Callback} [callback]
     */
    length(callback) {
      const start = (/** @type {number} */ ticket) => this.#native.length(ticket)
      return this.#operations.start(callback, start, (_type, value) => value)
    }

    /**
     * Removes every session.
     * @param {import('./operations/index.js').Callback} [callback]
     */
    clear(callback) {
      debug('clear')
      return this.#operations.start(callback, (ticket) => this.#native.clear(ticket))
    }

    /**
     * Creates the table if it is missing; with `force`, drops it first.
     * @param {...any} rest options, callback
     */
    sync(...rest) {
      const callback = lastFunction(rest)
      const options = isObject(rest[0]) ? rest[0] : {}
      const start = (/** @type {number} */ ticket) => this.#native.sync(ticket, Boolean(options.force))
      if (this.options.table === undefined) return this.#operations.start(callback, start)
      return this.#operations.adopt(callback, this.#syncModel(options))
    }

    /**
     * Has the application's model create its table, since it may have more columns than sessions need.
     * @param {Record<string, any>} options
     */
    async #syncModel(options) {
      await this.sessionModel.sync(options)
      // Has the addon look at the table again.
      await this.#operations.start(undefined, (ticket) => this.#native.sync(ticket, false))
    }

    /**
     * Removes the expired sessions; yields how many.
     * @param {import('./operations/index.js').Callback} [callback]
     */
    clearExpiredSessions(callback) {
      debug('clear expired sessions')
      const start = (/** @type {number} */ ticket) => this.#native.prune(ticket)
      return this.#operations.start(callback, start, (_type, value) => value)
    }

    /** Removes expired sessions from time to time, by `checkExpirationInterval`. */
    startExpiringSessions() {
      this.stopExpiringSessions()
      const interval = this.options.checkExpirationInterval
      if (!(interval > 0) || this.#closed) return
      // Half to one and a half times the period, so that processes started together do not prune together.
      const delay = Math.min(interval * (0.5 + Math.random()), MAX_TIMER_MS)
      // The timer must not keep a store alive that nobody holds any more.
      const store = new WeakRef(this)
      this._expirationInterval = setTimeout(() => {
        store.deref()?.startExpiringSessions()
        // An error was counted and logged, and the next run tries again.
        store.deref()?.clearExpiredSessions(() => {})
      }, delay)
      this._expirationInterval.unref?.()
    }

    stopExpiringSessions() {
      if (this._expirationInterval) clearTimeout(this._expirationInterval)
      this._expirationInterval = null
    }

    /**
     * Ends what was called before, refuses what is called after, and closes the connections.
     * @param {import('./operations/index.js').Callback} [callback]
     */
    close(callback) {
      this.stopExpiringSessions()
      this.#closed ??= this.#operations.start(undefined, (ticket) => this.#native.close(ticket))
      return this.#operations.adopt(callback, /** @type {Promise<void>} */ (this.#closed))
    }

    /** Counts since the store was made, and what is pending now. */
    stats() {
      const { operations, batches, retries, pruned, gone, pending, poolSize, poolIdle } = this.#native.stats()
      return {
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
     * When the session would expire if it were saved now.
     * @param {any} session
     * @returns {Date}
     */
    expiration(session) {
      return new Date(expiresAt(session, this.options.expiration))
    }

    /**
     * Called by express-session for sessions that `get` yielded, and for no others.
     * @param {any} req
     * @param {any} data
     */
    createSession(req, data) {
      const expires = this.#expiries.get(data)
      const session = super.createSession(req, data)
      this.#loaded.set(session, req.sessionID)
      if (expires !== undefined) this.#expiries.set(session, expires)
      return session
    }

    /**
     * @param {import('./operations/index.js').Callback | undefined} callback
     * @param {string} sid
     * @param {(ticket: number) => void} start
     * @param {import('./operations/index.js').Read} [read]
     */
    #start(callback, sid, start, read) {
      const checked = (/** @type {number} */ ticket) => {
        checkSid(sid)
        start(ticket)
      }
      return this.#operations.start(callback, checked, read)
    }

    /**
     * What `get` yields.
     * @param {string} sid
     * @param {import('./binding.js').OutcomeType} type
     * @param {any} value
     * @param {number | undefined} expires
     * @param {boolean} needsCookie
     */
    #read(sid, type, value, expires, needsCookie) {
      const session = type === OutcomeType.Session ? parse(value, this.options.serializer) : undefined
      if (session === undefined || (needsCookie && !isObject(session.cookie))) {
        this.#counts.misses++
        if (type !== OutcomeType.Missing) this.#unreadable(sid)
        return null
      }
      this.#counts.hits++
      this.#remember(session, expires)
      return session
    }

    /** @param {string} sid */
    #unreadable(sid) {
      this.#counts.unreadable++
      debug('the row of %s cannot be read as a session and is treated as absent', short(sid))
    }

    /**
     * @param {any} session
     * @param {number | undefined} expires
     */
    #remember(session, expires) {
      if (this.options.touchAfter > 0 && expires !== undefined) this.#expiries.set(session, expires)
    }
  }
}

/**
 * The row as the model shows it.
 * @param {any} model
 * @param {string} sid
 * @param {import('./columns.js').Row | undefined} row
 * @param {string} [layout]
 */
function buildRow(model, sid, row, layout) {
  const { data, expires = 0, extra = [] } = row ?? {}
  const names = layoutOf(layout)
  const instant = names.instants === 'seconds' ? Math.floor(expires / 1000) : new Date(expires)
  const values = { ...Object.fromEntries(extra), [names.sid]: sid, [names.data]: data, [names.expires]: instant }
  return model.build(values, { isNewRecord: false, raw: true })
}

/** @param {any[]} args */
function lastFunction(args) {
  const last = args[args.length - 1]
  return typeof last === 'function' ? last : undefined
}

/**
 * @param {string} verb
 * @param {unknown} sid
 */
function log(verb, sid) {
  if (debug.enabled) debug('%s %s', verb, short(sid))
}

/**
 * Enough of a sid to follow it through a log, and too little to use it.
 * @param {unknown} sid
 */
function short(sid) {
  return typeof sid === 'string' ? `${sid.slice(0, 6)}…` : typeof sid
}

module.exports = { storeClass }
