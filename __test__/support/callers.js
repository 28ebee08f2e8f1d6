'use strict'

const { content, possibleStates } = require('./crash-journal')
const { session } = require('./sessions')
const { sleep, until } = require('./time')

const started = new Set()

/** A caller with a session of its own, whose calls never overlap, and its journal of what was acknowledged. */
class Caller {
  /** The number that the session holds since the last acknowledged write, null for none, and the writes since then. */
  #held = null
  #open = []
  #last = 0
  errors = []

  constructor(index) {
    this.sid = `caller-${index}`
  }

  /** Notes a write: its number, and a function for its acknowledgement. */
  write(verb) {
    const call = { number: ++this.#last, verb, done: false }
    this.#open.push(call)
    const done = () => {
      this.#held = possibleStates(this.#held, [{ ...call, done: true }])[0]
      this.#open = []
    }
    return { number: call.number, done }
  }

  /** What is wrong with a session, or null, that was read: an acknowledged write is not in it. Else undefined. */
  fault(found) {
    const number = found?.number ?? null
    const possible = possibleStates(this.#held, this.#open)
    return possible.includes(number) ? undefined : { sid: this.sid, found: number, expected: possible }
  }
}

/**
 * Callers that write, read and now and then destroy sessions of their own, one call after the other, with a journal of the writes that
 * were acknowledged: `{ writes, reads, errors, mostErrors, wrong, pause, measure(), more(writes), end() }`. `mostErrors` is the number of
 * errors of the caller that has most. `wrong` are reads of something else than what was written last; `pause` is the longest time in ms
 * in which no write was acknowledged, since the start or `measure()`. `more` waits for more than so many further writes. `end()` ends the callers,
 * and resolves when all calls have ended.
 */
function startCallers(store, count = 32) {
  const callers = Array.from({ length: count }, (_, i) => new Caller(i))
  let running = true
  let last = Date.now()

  async function write(caller, verb) {
    const { number, done } = caller.write(verb)
    if (verb === 'set') await store.set(caller.sid, session(content(number)))
    else await store.destroy(caller.sid)
    done()
    all.writes++
    all.pause = Math.max(all.pause, Date.now() - last)
    last = Date.now()
  }

  async function work(caller) {
    for (let round = 1; running; round++) {
      try {
        await write(caller, round % 8 === 0 ? 'destroy' : 'set')
        const fault = caller.fault(await store.get(caller.sid))
        all.reads++
        if (fault !== undefined) all.wrong.push(fault)
      } catch (error) {
        caller.errors.push(error.message)
        await sleep(50)
      }
    }
  }

  const all = {
    callers,
    writes: 0,
    reads: 0,
    wrong: [],
    pause: 0,
    get errors() {
      return callers.flatMap(({ errors }) => errors)
    },
    get mostErrors() {
      return Math.max(...callers.map(({ errors }) => errors.length))
    },
    measure() {
      all.pause = 0
    },
    more(writes) {
      const enough = all.writes + writes
      return until(() => all.writes > enough)
    },
    async end() {
      running = false
      started.delete(all)
      await working
      return all
    }
  }
  started.add(all)
  const working = Promise.all(callers.map(work))
  return all
}

/** Ends the callers that a test has left running. */
const endCallers = () => Promise.all([...started].map((callers) => callers.end()))

/** The acknowledged writes of callers that a store does not find. */
async function lostWrites(store, { callers }) {
  const faults = []
  for (const caller of callers) faults.push(caller.fault(await store.get(caller.sid)))
  return faults.filter((fault) => fault !== undefined)
}

module.exports = { endCallers, lostWrites, startCallers }
