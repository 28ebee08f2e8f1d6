'use strict'

const { RecentMap } = require('./recent-map.js')
const { isObject } = require('./values.js')

/** The number of session ids that a store remembers. */
const MAX_IDS = 100_000

/** For a row that never expires: its session is only updated at any time. */
const ALWAYS = Number.MAX_SAFE_INTEGER

/**
 * What is known of a session that was loaded from the table, or saved to it.
 *
 * - `until`: when its row is to expire, in ms. A row that is missing before was destroyed, one that is missing later may have
 *   been pruned.
 * - `cookie`: when its cookie expired as it was loaded, in ms.
 * - `at`: the number of removals called before.
 * - `destroyed`: it was destroyed by this store.
 *
 * @typedef {{ sid: string, until: number, cookie: number | undefined, at: number, destroyed: boolean }} Loaded
 */

/**
 * The sessions that were loaded, so that a save does not bring back one that was destroyed meanwhile.
 *
 * A middleware may hand back the object that it was given (koa-generic-session), an object of its own for the same request
 * (koa-session, which passes the context of Koa), or one that knows its id (@fastify/session). express-session says itself
 * which sessions were loaded.
 */
class LoadedSessions {
  /** @type {WeakMap<object, Loaded>} */
  #sessions = new WeakMap()
  /**
   * By the contexts of Koa.
   * @type {WeakMap<object, Loaded>}
   */
  #contexts = new WeakMap()
  /** @type {RecentMap<Loaded>} */
  #ids = new RecentMap(MAX_IDS)
  /** Number of calls that remove sessions. */
  #removals = 0
  /** What that number was after the last call that removes all sessions. */
  #cleared = 0

  /** The number of removals called so far, by which a later outcome tells whether the session was destroyed meanwhile. */
  get removals() {
    return this.#removals
  }

  /**
   * Remembers a session that `get` yields.
   * @param {string} sid
   * @param {object} session
   * @param {number | undefined} expires when its row expires, in ms; undefined for never
   * @param {number | undefined} cookie when its cookie expires
   * @param {number} at the removals when it was requested
   * @param {object | undefined} context
   */
  found(sid, session, expires, cookie, at, context) {
    const loaded = this.listed(sid, session, expires, cookie, at)
    if (context) this.#contexts.set(context, loaded)
    const latest = this.#ids.get(sid)
    if (!latest?.destroyed || latest.at <= at) this.#ids.set(sid, loaded)
  }

  /**
   * Remembers a session that is yielded among others.
   * @param {string} sid
   * @param {object} session
   * @param {number | undefined} expires
   * @param {number | undefined} cookie
   * @param {number} at
   */
  listed(sid, session, expires, cookie, at) {
    const loaded = { sid, until: expires ?? ALWAYS, cookie, at, destroyed: false }
    this.#sessions.set(session, loaded)
    return loaded
  }

  /**
   * Lets another object stand for a session that was loaded.
   * @param {string} sid
   * @param {object} from
   * @param {object} to
   */
  pass(sid, from, to) {
    const known = this.#sessions.get(from)
    if (known?.sid === sid) {
      this.#sessions.set(to, known)
      return
    }
    // A copy of what was loaded, as far as is known.
    const latest = this.#ids.get(sid)
    const { until, cookie } = latest ?? { until: ALWAYS, cookie: undefined }
    this.#sessions.set(to, { sid, until, cookie, at: this.#removals, destroyed: false })
  }

  /**
   * What is known of a session that is to be saved; undefined if it is a new one.
   * @param {string} sid
   * @param {{ sessionId?: unknown }} session
   * @param {object | undefined} context
   */
  of(sid, session, context) {
    const known = this.#sessions.get(session)
    if (known?.sid === sid) return known
    const inContext = context && this.#contexts.get(context)
    if (inContext?.sid === sid) return inContext
    // express-session passes such objects too, but says which of them were loaded.
    return session.sessionId === sid && !isPlain(session) ? this.#ids.get(sid) : undefined
  }

  /**
   * Until when the save of a loaded session only replaces an existing row, in ms. To be called for each save when it is
   * called, after `of`.
   * @param {string} sid
   * @param {Loaded | undefined} loaded
   * @param {number} expires when its row will expire
   * @returns {number | undefined} undefined for a new session
   */
  updateUntil(sid, loaded, expires) {
    const latest = this.#ids.get(sid)
    if (!loaded) {
      // A new session is not the one that was destroyed.
      if (latest?.destroyed) this.#ids.delete(sid)
      else this.#shorten(latest, expires)
      return undefined
    }
    if (loaded.at < this.#cleared || latest?.destroyed) return ALWAYS
    const until = Math.min(loaded.until, latest?.until ?? ALWAYS)
    this.#shorten(latest, expires)
    return until
  }

  /**
   * Remembers a session whose save was acknowledged.
   * @param {string} sid
   * @param {object} session
   * @param {Loaded | undefined} loaded what was known of it when it was saved
   * @param {number} expires when its row expires
   * @param {number | undefined} cookie when its cookie expires
   * @param {number} at the removals when it was saved
   * @param {object | undefined} context
   */
  saved(sid, session, loaded, expires, cookie, at, context) {
    const now = { sid, until: expires, cookie, at, destroyed: false }
    if (context) this.#contexts.set(context, now)
    // After its first save, a session of a framework is in the table, or was destroyed. A plain object may be the first
    // save of another session with this id.
    if (this.#sessions.has(session) ? loaded : knowsId(session, sid)) this.#sessions.set(session, now)
    if (!this.#ids.get(sid)?.destroyed) this.#ids.set(sid, now)
  }

  /**
   * Remembers the expiry that a touch was to give a row. Whether there was a live row is not known.
   * @param {string} sid
   * @param {number} expires in ms
   */
  touching(sid, expires) {
    this.#shorten(this.#ids.get(sid), expires)
  }

  /**
   * Remembers the cookie with which a session was touched: to save it with the same is no change.
   * @param {object} session
   * @param {number | undefined} cookie
   */
  touched(session, cookie) {
    const known = this.#sessions.get(session)
    if (known) this.#sessions.set(session, { ...known, cookie })
  }

  /**
   * Remembers a session that is to be destroyed.
   * @param {string} sid
   * @param {object | undefined} context
   */
  destroying(sid, context) {
    const at = ++this.#removals
    this.#ids.set(sid, { sid, until: ALWAYS, cookie: undefined, at, destroyed: true })
    // What the same request saves after that is a new session.
    if (context && this.#contexts.get(context)?.sid === sid) this.#contexts.delete(context)
  }

  /** Remembers that all sessions are to be removed. */
  clearing() {
    this.#cleared = ++this.#removals
  }

  /**
   * @param {Loaded | undefined} latest
   * @param {number} expires
   */
  #shorten(latest, expires) {
    if (latest && !latest.destroyed && expires < latest.until) latest.until = expires
  }
}

/**
 * Whether a session is an object of a framework that knows its id.
 * @param {{ id?: unknown, sessionId?: unknown }} session
 * @param {string} sid
 */
function knowsId(session, sid) {
  try {
    return (session.id === sid || session.sessionId === sid) && !isPlain(session)
  } catch {
    // A getter of the application threw.
    return false
  }
}

/**
 * Whether the object is of no class. By the depth of its chain, since those of another realm have another `Object`.
 * @param {object} value
 */
function isPlain(value) {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/**
 * The context of Koa in the options that koa-session passes with a call.
 * @param {unknown[]} rest
 * @returns {object | undefined}
 */
function contextOf(rest) {
  try {
    for (const value of rest) {
      if (isObject(value) && isObject(value.ctx)) return value.ctx
    }
  } catch {
    // A getter of the caller threw.
  }
  return undefined
}

module.exports = { LoadedSessions, contextOf }
