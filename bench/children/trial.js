'use strict'

// The child process of a trial: one peer, one cell. Its specification comes as an argument, its result goes back as a message.

const assert = require('node:assert/strict')
const { setTimeout: sleep } = require('node:timers/promises')
const { promisify } = require('node:util')
const { findPeer } = require('../peers')
const { Load } = require('../lib/load')
const { NewSids, newSession, sessionData, storedSid } = require('../lib/sessions')

async function main(spec) {
  const peer = findPeer(spec.peer)
  const { store, close } = await peer.open(spec.url, spec)
  await verify(store, spec.size)
  if (spec.fill) {
    const expires = await fill(store, spec)
    await close()
    return send({ expires })
  }
  if (peer.single) {
    const set = promisify(store.set).bind(store)
    const data = sessionData(spec.size)
    for (let index = 0; index < spec.rows; index++) {
      const sid = storedSid(index)
      await set(sid, newSession(store, sid, data))
    }
  }

  globalThis.gc?.()
  const load = new Load(store, spec)
  load.start()
  await Promise.race([sleep(spec.warmup * 1000), load.failed])
  await new Promise((resolve) => {
    process.once('message', resolve)
    process.send({ ready: true })
  })
  const result = await load.measure(spec.seconds)
  await load.stop()
  if (result.operations === 0) throw new Error(result.firstError ?? 'no operation ended in time')
  const stats = typeof store.stats === 'function' ? store.stats() : undefined
  await close()
  await send({ result: { ...result, stats } })
}

// Time enough to open a second connection and write, and no more to be waited for than that.
const SHORT = 3000

/** Writes the first session of each sort. Of those that are to expire soon, it tells when. */
async function fill(store, { fill: sorts, size }) {
  const set = promisify(store.set).bind(store)
  for (const sort of sorts) {
    const sid = storedSid(0, sort)
    const session = newSession(store, sid, sessionData(size))
    if (sort === 'expired') session.cookie.maxAge = SHORT
    await set(sid, session)
  }
  // A second more: some stores keep whole seconds, rounded up.
  return Date.now() + SHORT + 1000
}

/** A peer that does not do the work must not be measured. */
async function verify(store, size) {
  const [get, set, touch, destroy] = ['get', 'set', 'touch', 'destroy'].map((method) =>
    promisify(store[method]).bind(store)
  )
  const sid = new NewSids().next()
  const session = newSession(store, sid, sessionData(size))
  const text = JSON.stringify(session)
  assert.equal(text.length, size, 'size of a session')
  await set(sid, session)
  assert.deepEqual({ ...(await get(sid)) }, JSON.parse(text), 'get after set')
  session.touch()
  await touch(sid, session)
  await destroy(sid)
  assert.ok(!(await get(sid)), 'get after destroy')
}

function send(message) {
  return new Promise((resolve) => process.send(message, resolve))
}

process.on('unhandledRejection', (error) => {
  console.error(error)
  process.exit(1)
})

main(JSON.parse(process.argv[2])).then(
  // Some peers keep timers or sockets that would keep the process alive.
  () => process.exit(0),
  (error) => {
    process.send({ error: error.stack ?? String(error) }, () => process.exit(1))
  }
)
