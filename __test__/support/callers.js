'use strict'

const { session } = require('./sessions')
const { sleep } = require('./time')

const started = new Set()

/**
 * Callers that write and read sessions of their own, one call after the other, with a journal of the writes that were acknowledged:
 * `{ writes, errors, wrong, pause, end() }`. `wrong` are reads of something else than what the caller wrote last; `pause` is the
 * longest time in ms in which no write was acknowledged. `end()` ends them, and resolves when all calls have ended.
 */
function startCallers(store, count) {
  const journal = new Map()
  const all = { writes: 0, errors: [], wrong: [], pause: 0, journal, end }
  let running = true
  let last = Date.now()

  async function write(sid, n) {
    await store.set(sid, session({ n }))
    journal.set(sid, n)
    all.writes++
    all.pause = Math.max(all.pause, Date.now() - last)
    last = Date.now()
  }

  async function call(sid) {
    for (let n = 1; running; n++) {
      try {
        await write(sid, n)
        const found = await store.get(sid)
        if (found?.n !== n) all.wrong.push({ sid, n, found: found?.n })
      } catch (error) {
        all.errors.push(error.message)
        await sleep(50)
      }
    }
  }

  const work = Array.from({ length: count }, (_, i) => call(`caller-${i}`))

  async function end() {
    running = false
    started.delete(all)
    await Promise.all(work)
    return all
  }

  started.add(all)
  return all
}

/** Ends the callers that a test has left running. */
const endCallers = () => Promise.all([...started].map((callers) => callers.end()))

/** The acknowledged writes of callers that a store does not find. */
async function lostWrites(store, { journal }) {
  const lost = []
  for (const [sid, n] of journal) {
    const found = await store.get(sid)
    if (!(found?.n >= n)) lost.push({ sid, n, found: found?.n })
  }
  return lost
}

module.exports = { endCallers, lostWrites, startCallers }
