'use strict'

// A cluster whose processes share a table that none of them has found. Prints JSON.

const cluster = require('node:cluster')
const { once } = require('node:events')
const { RustSequelizeStore } = require('../../..')
const { args } = require('../run')
const { session } = require('../sessions')

const PROCESSES = 4
const [place] = args()

async function primary() {
  const workers = Array.from({ length: PROCESSES }, () => cluster.fork())
  const exits = workers.map((worker) => once(worker, 'exit'))
  await Promise.all(workers.map((worker) => once(worker, 'online')))
  for (const worker of workers) worker.send('go')
  const codes = (await Promise.all(exits)).map(([code]) => code)
  const store = new RustSequelizeStore(place)
  const all = await store.all()
  const own = Object.keys(all).filter((sid) => sid.startsWith('own-'))
  const { shared } = all
  await store.close()
  console.log(
    JSON.stringify({
      codes,
      own: own.length,
      shared: shared.last,
      gone: all.gone
    })
  )
}

async function worker() {
  await once(process, 'message')
  const { id } = cluster.worker
  const store = new RustSequelizeStore(place)
  const calls = []
  for (let i = 0; i < 200; i++) {
    calls.push(
      store.set(`own-${id}-${i}`, session()),
      store.set('shared', session({ last: i })),
      store.touch('shared', session()),
      store.get(`own-${1 + (id % PROCESSES)}-${i}`),
      store.destroy('gone')
    )
    if (i % 20 === 0) {
      calls.push(store.set(`dead-${id}-${i}`, session(), -1000))
      calls.push(store.clearExpiredSessions())
      await Promise.all(calls)
    }
  }
  await Promise.all(calls)
  // The store is not closed: the process has to end all the same.
  process.disconnect()
}

if (cluster.isPrimary) primary()
else worker()
