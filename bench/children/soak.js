'use strict'

// The child process of a long run: the mix on one peer, and what the process holds, every half second.

const { promisify } = require('node:util')
const { findPeer } = require('../peers')
const { Load } = require('../lib/load')
const { newSession, sessionData, storedSid } = require('../lib/sessions')

async function main(spec) {
  const { store, close } = await findPeer(spec.peer).open(spec.url, spec)
  const set = promisify(store.set).bind(store)
  for (let index = 0; index < spec.rows; index++) {
    const sid = storedSid(index)
    await set(sid, newSession(store, sid, sessionData(spec.size)))
  }
  const load = new Load(store, { ...spec, workload: 'mix', seed: 1 })
  const samples = []
  const begin = performance.now()
  const sampling = setInterval(() => {
    const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
    const seconds = (performance.now() - begin) / 1000
    samples.push({ seconds, rss, heapTotal, heapUsed, external })
  }, 500)
  load.start()
  const { operations, errors, firstError } = await load.measure(spec.seconds)
  clearInterval(sampling)
  await load.stop()
  await close()
  process.send({ operations, errors, firstError, samples }, () => process.exit(0))
}

process.on('unhandledRejection', (error) => {
  console.error(error)
  process.exit(1)
})

main(JSON.parse(process.argv[2])).catch((error) => {
  process.send({ error: error.stack }, () => process.exit(1))
})
