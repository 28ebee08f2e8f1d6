'use strict'

const { createHistogram } = require('node:perf_hooks')
const { Usage } = require('./usage')
const { NewSids, StoredSids, loadedSession, newSession, sessionData } = require('./sessions')

/** Each workload makes, for one caller, a function that starts one operation, which calls `done` at its end. */
const workloads = {
  get: ({ store, sids }, done) => {
    const got = (error, session) => done(error ?? missing(session))
    return () => store.get(sids.next(), got)
  },

  /** Saves a session that was loaded and changed. */
  set: ({ store, sids, data }, done) => {
    const session = loadedSession(store, 'old', plain(store, data))
    return () => {
      change(session)
      store.set(sids.next(), session, done)
    }
  },

  /** Saves a session that has no row yet. */
  'set-new': ({ store, newSids, data }, done) => {
    const session = newSession(store, 'new', data)
    return () => {
      change(session)
      store.set(newSids.next(), session, done)
    }
  },

  touch: ({ store, sids, data }, done) => {
    const session = loadedSession(store, 'old', plain(store, data))
    return () => {
      session.touch()
      store.touch(sids.next(), session, done)
    }
  },

  /** The calls of express-session for a request: get, then touch, or set if the session was changed, as in one of five. */
  mix: ({ store, sids }, done) => {
    let sid = ''
    const got = (error, found) => {
      const failure = error ?? missing(found)
      if (failure) return done(failure)
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

/** The length of its JSON stays the same. */
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
    this.latency = createHistogram()
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
    const parts = { store, sids: new StoredSids(rows, seed), newSids: new NewSids(), data: sessionData(size) }
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
        this.latency.record(Math.max(1, Math.round((now - due) * 1e6)))
      }
      if (now >= this.deadline) this.reachDeadline()
      // Waiting for its turn is part of the latency, so that rate × mean latency is the number of callers.
      due = now
      // A store that calls back synchronously would never let the event loop turn; in a server, the next request comes from there.
      if (starting) setImmediate(next)
      else next()
    })
    return next
  }

  start() {
    for (const next of this.callers) next()
  }

  /** Counts what the running load does in the given time. */
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

  begin() {
    this.operations = 0
    this.latency = createHistogram()
    this.usage = new Usage()
    this.counting = true
  }

  /** Rate in operations per second, p50 and p99 in microseconds, CPU times in microseconds per operation. */
  end() {
    this.counting = false
    const { operations, errors, firstError, latency } = this
    const { seconds, mainCpu, processCpu, ...usage } = this.usage.end()
    return {
      rate: operations / seconds,
      p50: latency.percentile(50) / 1000,
      p99: latency.percentile(99) / 1000,
      mainCpu: mainCpu === null ? null : mainCpu / operations,
      processCpu: processCpu / operations,
      ...usage,
      errors,
      firstError
    }
  }

  /** Waits until the operations under way have ended. */
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

module.exports = { Load, workloads: Object.keys(workloads) }
