'use strict'

const { objectNotes } = require('./object-notes.js')
const { RecentMap } = require('./recent-map.js')
const { isObject } = require('./values.js')

/** The number of session ids that a store remembers. */
const MAX_IDS = 100_000

/**
 * After this number of sessions that no framework has saved or touched as an object that knows its id, loaded sessions are not
 * remembered by id any more: it would cost each `get` a tenth of its time for nothing.
 */
const TRIAL = 1000

/** For a row that never expires: its session is only updated at any time. */
const ALWAYS = Number.MAX_SAFE_INTEGER

/**
 * What is known of a session that was loaded from the table, or saved to it.
 *
 * - `until`: when its row is to expire, in ms. A row that is missing before was destroyed, one that is missing later may have
 *   been pruned.
 * - `cookie`: when its cookie expired as it was loaded, in ms.
 * - `at`: the number of changes called before.
 * - `state`: whether its row was there; or whether this store has only called for it to be written or moved, or has called for
 *   it to be destroyed.
 *
 * @typedef {{
 *   sid: string, until: number, cookie: number | undefined, at: number, state: 'found' | 'called' | 'destroyed'
 * }} Loaded
 *
 * A save under way: what was known of its session, `undefined` for a new one; whether that was removed; until when the save only
 * replaces an existing row, in ms; what is known by the id; and the number of changes called before.
 *
 * @typedef {{
 *   loaded: Loaded | undefined, removed: boolean, updateUntil: number | undefined, entry: Loaded | undefined, at: number
 * }} Save
 */

/**
 * The sessions that were loaded, so that a save does not bring back one that was destroyed meanwhile.
 *
 * A middleware may hand back the object that it was given (koa-generic-session), an object of its own for the same request
 * (koa-session, which passes the context of Koa), or one that knows its id (@fastify/session). express-session says itself
 * which sessions were loaded.
 */
class LoadedSessions {
  #sessions = /** @type {typeof objectNotes<Loaded>} */ (objectNotes)()
  /**
   * By the contexts of Koa.
   * @type {WeakMap<object, Loaded>}
   */
  #contexts = new WeakMap()
  /** @type {RecentMap<Loaded>} */
  #ids = new RecentMap(MAX_IDS)
  /** Number of loaded sessions that are still remembered by id. Infinite after a framework was met that needs it. */
  #trial = TRIAL
  /** Number of calls that end sessions, or let them end sooner. */
  #changes = 0
  /** What that number was after the last call that removes all sessions. */
  #cleared = 0

  /** The number of such calls so far. An outcome that comes later knows nothing of the calls after that. */
  get changes() {
    return this.#changes
  }

  /**
   * Remembers a session that `get` yields.
   * @param {string} sid
   * @param {object} session
   * @param {number | undefined} expires when its row expires, in ms; undefined for never
   * @param {number | undefined} cookie when its cookie expires
   * @param {number} at the changes when it was requested
   * @param {object | undefined} context
   */
  found(sid, session, expires, cookie, at, context) {
    /** @type {Loaded} */
    const loaded = { sid, until: expires ?? ALWAYS, cookie, at, state: 'found' }
    this.#sessions.write(session, loaded)
    if (context) this.#contexts.set(context, loaded)
    if (this.#trial === 0) return
    this.#trial--
    this.#learn(this.#ids.get(sid), loaded)
  }

  /**
   * Remembers by its id what an outcome says of a session. An entry is changed in place, since the garbage collector spends
   * more on objects that are kept than on those that are dropped soon.
   * @param {Loaded | undefined} latest what is known by the id
   * @param {Loaded} loaded
   */
  #learn(latest, { sid, until, cookie, at, state }) {
    if (latest === undefined) {
      this.#ids.set(sid, { sid, until, cookie, at, state })
    } else if (latest.at <= at) {
      latest.until = until
      latest.cookie = cookie
      latest.at = at
      latest.state = state
    } else if (latest.state !== 'destroyed') {
      // What was called meanwhile comes after it.
      latest.state = state
    }
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
    /** @type {Loaded} */
    const loaded = { sid, until: expires ?? ALWAYS, cookie, at, state: 'found' }
    this.#sessions.write(session, loaded)
    const latest = this.#ids.get(sid)
    if (latest && latest.state !== 'destroyed') latest.until = Math.min(latest.until, loaded.until)
  }

  /**
   * Lets another object stand for a session that was loaded.
   * @param {string} sid
   * @param {object} from
   * @param {object} to
   */
  pass(sid, from, to) {
    const known = this.#sessions.of(from)
    if (known?.sid === sid) {
      this.#sessions.write(to, known)
      return
    }
    // A copy of what was loaded, as far as is known.
    const latest = this.#ids.get(sid)
    const { until, cookie } = latest ?? { until: ALWAYS, cookie: undefined }
    this.#sessions.write(to, { sid, until, cookie, at: this.#changes, state: 'found' })
  }

  /**
   * Remembers that a session is to be saved. To be called for each save when it is called.
   * @param {string} sid
   * @param {{ sessionId?: unknown }} session
   * @param {number} expires when its row will expire, in ms
   * @param {object | undefined} context
   * @returns {Save}
   */
  saving(sid, session, expires, context) {
    const latest = this.#ids.get(sid)
    const loaded = this.#of(sid, session, latest, context)
    const at = this.#changes
    // A session may have been loaded after the last call that is remembered by its id.
    const known = loaded && latest && latest.at > loaded.at ? latest : loaded
    const removed = known !== undefined && this.#isRemoved(known)
    // A new session is not the one that was removed.
    const entry = removed ? latest : this.#endsBy(sid, latest && this.#isRemoved(latest) ? undefined : latest, expires)
    return { loaded, removed, updateUntil: removed ? ALWAYS : known?.until, entry, at }
  }

  /**
   * What is known of a session that is to be saved; undefined if it is a new one.
   * @param {string} sid
   * @param {{ sessionId?: unknown }} session
   * @param {Loaded | undefined} latest what is known by the id
   * @param {object | undefined} context
   */
  #of(sid, session, latest, context) {
    const known = this.#sessions.of(session)
    if (known?.sid === sid) return known
    const inContext = context && this.#contexts.get(context)
    if (inContext?.sid === sid) return inContext
    if (!isFrameworks(session, sid)) return undefined
    this.#trial = Number.POSITIVE_INFINITY
    return latest?.state === 'called' ? undefined : latest
  }

  /**
   * Remembers a session whose save was acknowledged.
   * @param {Save} save
   * @param {string} sid
   * @param {object} session
   * @param {number} expires when its row expires
   * @param {number | undefined} cookie when its cookie expires
   * @param {object | undefined} context
   */
  saved({ loaded, removed, entry, at }, sid, session, expires, cookie, context) {
    // Such a save only replaces a row, so it does not tell that there is one.
    if (removed) return
    /** @type {Loaded} */
    const now = { sid, until: expires, cookie, at, state: 'found' }
    if (context) this.#contexts.set(context, now)
    // After its first save, a session of a framework is in the table, or was destroyed. A plain object may be the first
    // save of another session with this id.
    if (this.#sessions.of(session) ? loaded : knowsId(session, sid)) this.#sessions.write(session, now)
    this.#learn(entry, now)
  }

  /**
   * Remembers that a session is to be touched.
   * @param {string} sid
   * @param {{ sessionId?: unknown }} session
   * @param {number} expires when its row will expire, in ms
   */
  touching(sid, session, expires) {
    if (isFrameworks(session, sid)) this.#trial = Number.POSITIVE_INFINITY
    this.#endsBy(sid, this.#ids.get(sid), expires)
  }

  /**
   * Remembers that a call may let a row expire sooner than it was to.
   * @param {string} sid
   * @param {Loaded | undefined} latest what is known by the id
   * @param {number} expires in ms
   * @returns what is known now
   */
  #endsBy(sid, latest, expires) {
    if (!latest) {
      /** @type {Loaded} */
      const called = { sid, until: expires, cookie: undefined, at: ++this.#changes, state: 'called' }
      this.#ids.set(sid, called)
      return called
    }
    if (latest.until > expires && !this.#isRemoved(latest)) {
      latest.until = expires
      latest.at = ++this.#changes
    }
    return latest
  }

  /**
   * Remembers the cookie with which a session was touched: to save it with the same is no change.
   * @param {object} session
   * @param {number | undefined} cookie
   */
  touched(session, cookie) {
    const known = this.#sessions.of(session)
    if (known) this.#sessions.write(session, { ...known, cookie })
  }

  /**
   * Remembers a session that is to be destroyed.
   * @param {string} sid
   * @param {object | undefined} context
   */
  destroying(sid, context) {
    const at = ++this.#changes
    this.#ids.set(sid, { sid, until: ALWAYS, cookie: undefined, at, state: 'destroyed' })
    // What the same request saves after that is a new session.
    if (context && this.#contexts.get(context)?.sid === sid) this.#contexts.delete(context)
  }

  /**
   * Whether this store has called for the session to be removed, and for nothing else since.
   * @param {Loaded} known
   */
  #isRemoved(known) {
    return known.state === 'destroyed' || known.at < this.#cleared
  }

  /** Remembers that all sessions are to be removed. */
  clearing() {
    this.#cleared = ++this.#changes
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
 * Whether a session is an object of a framework that does not say which sessions it has loaded. express-session, which has
 * such objects too, does.
 * @param {{ sessionId?: unknown }} session
 * @param {string} sid
 */
function isFrameworks(session, sid) {
  return session.sessionId === sid && !isPlain(session)
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
