'use strict'

// The child process of a trial of pruning: gets of live sessions, first alone, then while the peer removes the expired ones.

const { setTimeout: sleep } = require('node:timers/promises')
const { findPeer } = require('../peers')
const { Load } = require('../lib/load')
const { quantile } = require('../lib/measure')

const WINDOWS = 3

async function main(spec) {
  const { store, prune, close } = await findPeer(spec.peer).open(spec.url, spec)
  globalThis.gc?.()
  const load = new Load(store, { ...spec, workload: 'get' })
  load.start()
  await Promise.race([sleep(spec.warmup * 1000), load.failed])
  const windows = []
  for (let index = 0; index < WINDOWS; index++) windows.push(await load.measure(spec.seconds))
  load.begin()
  await load.usage.tick()
  const begin = performance.now()
  await Promise.race([prune(), load.failed])
  const pruneSeconds = (performance.now() - begin) / 1000
  // A peer that keeps the event loop has let nobody in so far: those who waited are to be counted.
  await load.turn()
  await load.usage.tick()
  const during = load.end()
  await load.stop()
  await close()
  const without = windows.flatMap((one) => one.latency)
  return {
    windows: windows.map(rate),
    rateWithout: windows.reduce((sum, one) => sum + rate(one), 0) / WINDOWS,
    p99Without: quantile(without, 0.99),
    loopDelayMaxWithout: Math.max(...windows.map((one) => one.loopDelayMax)),
    rate: rate(during),
    p50: quantile(during.latency, 0.5),
    p99: quantile(during.latency, 0.99),
    loopDelayP99: during.loopDelayP99,
    loopDelayMax: during.loopDelayMax,
    errors: during.errors,
    firstError: during.firstError,
    pruneSeconds
  }
}

function rate({ operations, seconds }) {
  return operations / seconds
}

process.on('unhandledRejection', (error) => {
  console.error(error)
  process.exit(1)
})

main(JSON.parse(process.argv[2])).then(
  (result) => process.send({ result }, () => process.exit(0)),
  (error) => process.send({ error: error.stack }, () => process.exit(1))
)
