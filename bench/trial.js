'use strict'

// The process of a trial: one store under one load. It can also make the table of a store and its first rows.

const assert = require('node:assert/strict')
const { randomUUID } = require('node:crypto')
const { setTimeout: sleep } = require('node:timers/promises')
const { promisify } = require('node:util')
const { Load } = require('./load')
const { peers } = require('./peers')
const { newSession, sessionData, storedSid } = require('./sessions')

async function main(spec) {
  const peer = peers[spec.peer]
  const { store, close } = await peer.open(spec)
  const call = (method, ...args) => promisify(store[method]).apply(store, args)
  await verify(store, call, spec.size)
  if (spec.suite === 'express') return require('./server').serve(store, spec)
  const write = (sort, index = 0) => {
    const session = newSession(store, '', sessionData(spec.size))
    if (sort === 'expired') session.cookie.maxAge = 3000
    return call('set', storedSid(index, sort), session)
  }
  if (spec.fill) {
    for (const sort of spec.fill) await write(sort)
    await close()
    return {}
  }
  if (peer.service) {
    for (let index = 0; index < spec.rows; index++) await write('session', index)
  }
  globalThis.gc?.()
  const load = new Load(store, spec, fail)
  await sleep(spec.warmup * 1000)
  let result = await load.measure(() => sleep(spec.seconds * 1000))
  if (spec.expired) {
    const pruning = await load.measure(() => peer.prune(store))
    result = { ...pruning, rateBefore: result.rate, p99Before: result.p99 }
  }
  await load.stop()
  if (!(result.rate > 0)) throw new Error(result.firstError ?? 'no operation ended in time')
  if (peer.service) await call('clear')
  await close()
  return result
}

/** A store that does not do its work must not be measured. */
async function verify(store, call, size) {
  const sid = randomUUID()
  const session = newSession(store, sid, sessionData(size))
  const text = JSON.stringify(session)
  assert.equal(text.length, size, 'size of a session')
  await call('set', sid, session)
  assert.deepEqual({ ...(await call('get', sid)) }, JSON.parse(text), 'get after set')
  await call('touch', sid, session.touch())
  await call('destroy', sid)
  assert.ok(!(await call('get', sid)), 'get after destroy')
}

// Some stores have timers or sockets that would keep the process alive.
function fail(error) {
  process.send?.({ error: error.stack ?? String(error) }, () => process.exit(1))
}

process.on('disconnect', () => process.exit(1))
process.on('unhandledRejection', fail)

main(JSON.parse(process.argv[2])).then((result) => {
  process.send?.(result, () => {
    if (!result.port) process.exit(0)
  })
}, fail)
