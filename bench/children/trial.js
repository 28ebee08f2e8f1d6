'use strict'

// The process of a trial: one peer under one load. It can also write the first rows of a table.

const assert = require('node:assert/strict')
const { setTimeout: sleep } = require('node:timers/promises')
const { promisify } = require('node:util')
const { Load } = require('../load')
const { findPeer } = require('../peers')
const { NewSids, newSession, sessionData, storedSid } = require('../sessions')

// Spans in which gets are measured before pruning begins.
const SPANS = 3
// Milliseconds until a session expires that is to be pruned: enough to write it.
const SHORT = 3000

async function main(spec) {
  const peer = findPeer(spec.peer)
  const opened = await peer.open(spec.url, spec)
  const methods = Object.fromEntries(
    ['get', 'set', 'touch', 'destroy'].map((name) => [name, promisify(opened.store[name]).bind(opened.store)])
  )
  await verify(opened.store, methods, spec.size)
  if (spec.fill) {
    for (const sort of spec.fill) await write(opened.store, methods, spec.size, sort)
    await opened.close()
    // One second more, since some stores keep whole seconds.
    return { expired: Date.now() + SHORT + 1000 }
  }
  if (peer.service) {
    for (let index = 0; index < spec.rows; index++) await write(opened.store, methods, spec.size, 'session', index)
  }
  globalThis.gc?.()
  const load = new Load(opened.store, spec)
  load.start()
  await Promise.race([sleep(spec.warmup * 1000), load.failed])
  const result = spec.expired ? await prune(load, opened, spec) : await load.measure(spec.seconds)
  await load.stop()
  if (!(result.rate > 0)) throw new Error(result.firstError ?? 'no operation ended in time')
  if (peer.service) await promisify(opened.store.clear).call(opened.store)
  await opened.close()
  return result
}

/** A peer that does not do its work must not be measured. */
async function verify(store, { get, set, touch, destroy }, size) {
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

async function write(store, { set }, size, sort, index = 0) {
  const sid = storedSid(index, sort)
  const session = newSession(store, sid, sessionData(size))
  if (sort === 'expired') session.cookie.maxAge = SHORT
  await set(sid, session)
}

/** Gets by themselves, then while the peer removes the expired sessions. */
async function prune(load, opened, { seconds }) {
  const before = []
  for (let span = 0; span < SPANS; span++) before.push(await load.measure(seconds))
  load.begin()
  await load.usage.tick()
  const begin = performance.now()
  await Promise.race([opened.prune(), load.failed])
  const pruneSeconds = (performance.now() - begin) / 1000
  // A peer that has blocked the event loop let nobody in: those who waited are to be counted.
  await load.turn()
  await load.usage.tick()
  const median = (name) => before.map((one) => one[name]).sort((a, b) => a - b)[SPANS >> 1]
  return { ...load.end(), pruneSeconds, rateBefore: median('rate'), p99Before: median('p99') }
}

process.on('disconnect', () => process.exit(1))

process.on('unhandledRejection', (error) => {
  throw error
})

main(JSON.parse(process.argv[2])).then(
  // Some peers have timers or sockets that would keep the process alive.
  (result) => process.send?.(result, () => process.exit(0)),
  (error) => process.send?.({ error: error.stack ?? String(error) }, () => process.exit(1))
)
