'use strict'

const { randomUUID } = require('node:crypto')
const { createHistogram } = require('node:perf_hooks')
const { storedSids, newSession, sessionData } = require('./sessions')
const { Usage } = require('./usage')

/** Each workload makes, for one caller, a function that starts one operation, which calls `done` at its end. */
const workloads = {
  get({ store, sids }, done) {
    const got = (error, found) => done(error ?? missing(found))
    return () => store.get(sids.next(), got)
  },

  /** Saves a session that was loaded and changed. */
  set({ store, sids, loaded }, done) {
    return () => store.set(sids.next(), changed(loaded), done)
  },

  /** Saves a session that has no row yet. */
  'set-new'({ store, created }, done) {
    return () => store.set(randomUUID(), changed(created), done)
  },

  touch({ store, sids, loaded }, done) {
    return () => store.touch(sids.next(), loaded.touch(), done)
  },

  /** The calls of express-session for a request: get, then touch, or set if the session was changed, as in one of five. */
  mix({ store, sids }, done) {
    let sid = ''
    const got = (error, found) => {
      const failure = error ?? missing(found)
      if (failure) return done(failure)
      const session = store.createSession({ sessionStore: store, sessionID: sid }, found)
      if (sids.random(5) > 0) store.touch(sid, session.touch(), done)
      else store.set(sid, changed(session), done)
    }
    return () => {
      sid = sids.next()
      store.get(sid, got)
    }
  }
}

const missing = (found) => (found?.cookie ? null : new Error('a stored session was not found'))

/** The length of its JSON stays the same. */
function changed(session) {
  session.views++
  return session.touch()
}

/** A number of callers, each of which starts its next operation when the last one has ended. */
class Load {
  constructor(store, { workload, callers, rows, size, round }, fail) {
    this.counting = false
    this.stopping = false
    this.operations = 0
    this.errors = 0
    this.fail = fail
    const sids = storedSids(rows, round)
    const operations = Array.from({ length: callers }, () => {
      const created = newSession(store, 'new', sessionData(size))
      const plain = JSON.parse(JSON.stringify(created))
      const loaded = store.createSession({ sessionStore: store, sessionID: 'old' }, plain)
      return (done) => workloads[workload]({ store, sids, created, loaded }, done)
    })
    this.callers = operations.map((operation) => new Promise((stopped) => this.caller(operation, stopped)))
  }

  caller(makeOperation, stopped) {
    let due = performance.now()
    let waiting = false
    let starting = false
    const next = () => {
      if (this.stopping) return stopped()
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
      // Waiting for its turn is part of the latency, so that rate × mean latency is the number of callers.
      due = now
      // A store that calls back synchronously would never let the event loop turn; in a server, the next request comes from there.
      if (starting) setImmediate(next)
      else next()
    })
    next()
  }

  /** What the load does until `work` has ended. Latencies are in microseconds. */
  async measure(work) {
    this.operations = 0
    this.latency = createHistogram()
    const usage = new Usage()
    this.counting = true
    await usage.tick()
    const begin = performance.now()
    await work()
    const workSeconds = (performance.now() - begin) / 1000
    // Work that has blocked the event loop let nobody in: those who waited are to be counted.
    await usage.tick()
    this.counting = false
    const { operations, latency, errors, firstError } = this
    const [p50, p99] = [50, 99].map((percentile) => latency.percentile(percentile) / 1000)
    return { ...usage.end(operations), p50, p99, errors, firstError, workSeconds }
  }

  /** Waits until the operations under way have ended. */
  async stop() {
    this.stopping = true
    await Promise.all(this.callers)
  }
}

module.exports = { Load, workloads: Object.keys(workloads) }
