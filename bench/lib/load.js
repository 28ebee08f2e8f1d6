'use strict'

const { Histogram, Usage } = require('./measure')
const { NewSids, StoredSids, loadedSession, newSession, sessionData } = require('./sessions')

/**
 * Each workload makes, for one caller, a function that starts one operation and calls `done` at its end.
 */
const workloads = {
  get: ({ store, sids }, done) => {
    const got = (error, session) => done(error ?? missing(session))
    return () => store.get(sids.next(), got)
  },

  'set-new': ({ store, newSids, data }, done) => {
    const session = newSession(store, 'new', data)
    return () => {
      change(session)
      store.set(newSids.next(), session, done)
    }
  },

  // A session that exists was loaded: express-session makes it with createSession.
  'set-existing': ({ store, sids, data }, done) => {
    const session = loadedSession(store, 'old', plain(store, data))
    return () => {
      change(session)
      store.set(sids.next(), session, done)
    }
  },

  touch: ({ store, sids, data }, done) => {
    const session = loadedSession(store, 'old', plain(store, data))
    return () => {
      session.touch()
      store.touch(sids.next(), session, done)
    }
  },

  // One operation is a request: express-session gets, then touches what is unchanged and sets what was changed.
  mix: ({ store, sids }, done) => {
    let sid = ''
    const got = (error, found) => {
      if (error ?? missing(found)) return done(error ?? missing(found))
      const session = loadedSession(store, sid, found)
      if (sids.random(5) > 0) {
        session.touch()
        store.touch(sid, session, done)
      } else {
        change(session)
        store.set(sid, session, done)
      }
    }
    return () => {
      sid = sids.next()
      store.get(sid, got)
    }
  }
}

function missing(session) {
  return session?.cookie ? null : new Error('a stored session was not found')
}

function plain(store, data) {
  return JSON.parse(JSON.stringify(newSession(store, 'old', data)))
}

/** As an application and express-session do before a session is saved. The length of its JSON stays. */
function change(session) {
  session.views++
  session.touch()
}

/** A number of callers, each of which starts its next operation when the last one has ended. */
class Load {
  /**
   * @param {any} store
   * @param {{ workload: string, callers: number, rows: number, size: number, seed: number }} spec
   */
  constructor(store, { workload, callers, rows, size, seed }) {
    this.counting = false
    this.stopping = false
    this.operations = 0
    this.errors = 0
    this.firstError = undefined
    this.histogram = new Histogram()
    this.usage = /** @type {any} */ (null)
    this.running = callers
    this.deadline = Infinity
    this.reachDeadline = () => {}
    this.failed = new Promise((_, reject) => {
      this.fail = reject
    })
    this.failed.catch(() => {})
    this.stopped = new Promise((resolve) => {
      this.resolveStopped = resolve
    })
    const parts = {
      store,
      sids: new StoredSids(rows, seed),
      newSids: new NewSids(),
      data: sessionData(size)
    }
    this.callers = Array.from({ length: callers }, () => this.caller((done) => workloads[workload](parts, done)))
  }

  caller(makeOperation) {
    let due = performance.now()
    let waiting = false
    let starting = false
    const next = () => {
      if (this.stopping) {
        if (--this.running === 0) this.resolveStopped()
        return
      }
      waiting = true
      starting = true
      operation()
      starting = false
    }
    const operation = makeOperation((error) => {
      const now = performance.now()
      if (!waiting) return this.fail(new Error('a callback was called twice'))
      waiting = false
      if (error) {
        this.errors++
        this.firstError ??= error.message
      } else if (this.counting) {
        this.operations++
        this.histogram.add(now - due)
      }
      if (now >= this.deadline) this.reachDeadline()
      // Waiting for one's turn is a part of the latency, so that the rate times the latency is always the number of callers.
      due = now
      // A store that calls back at once would never let the event loop turn: in a server, the next request comes from there.
      if (starting) setImmediate(next)
      else next()
    })
    return next
  }

  start() {
    for (const next of this.callers) next()
  }

  /** Counts for the given time what a load that runs already does. */
  async measure(/** @type {number} */ seconds) {
    const reached = new Promise((resolve) => {
      this.reachDeadline = () => {
        this.deadline = Infinity
        resolve(this.end())
      }
    })
    this.begin()
    this.deadline = performance.now() + seconds * 1000
    return Promise.race([reached, this.failed])
  }

  /** Counts from now on, until `end`. */
  begin() {
    this.operations = 0
    this.histogram = new Histogram()
    this.usage = new Usage()
    this.counting = true
  }

  end() {
    this.counting = false
    const { operations, errors, firstError } = this
    return { operations, errors, firstError, ...this.usage.end(), latency: this.histogram.entries() }
  }

  /** Waits until each caller has had its turn. */
  async turn() {
    const goal = this.operations + this.errors + this.callers.length
    while (this.operations + this.errors < goal) {
      await Promise.race([new Promise((resolve) => setImmediate(resolve)), this.failed])
    }
  }

  async stop() {
    this.stopping = true
    await Promise.race([this.stopped, this.failed])
  }
}

module.exports = { Load, workloads }
