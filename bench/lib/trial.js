'use strict'

// The child process of a trial: one peer, one cell. Its specification comes as an argument, its result goes back as a message.

const assert = require('node:assert/strict')
const { setTimeout: sleep } = require('node:timers/promises')
const { promisify } = require('node:util')
const { findPeer } = require('../peers')
const { Load } = require('./load')
const { NewSids, newSession, sessionData, storedSid } = require('./sessions')

async function main(spec) {
  const peer = findPeer(spec.peer)
  const { store, close } = await peer.open(spec.url, spec)
  await verify(store, spec.size)
  const set = promisify(store.set).bind(store)
  const data = sessionData(spec.size)
  const filled = peer.single ? spec.rows : spec.fill ? 1 : 0
  for (let index = 0; index < filled; index++) {
    const sid = storedSid(index)
    await set(sid, newSession(store, sid, data))
  }
  if (spec.fill) {
    await close()
    return send({ filled })
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
  const stats = typeof store.stats === 'function' ? store.stats() : undefined
  await close()
  await send({ result: { ...result, stats } })
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
