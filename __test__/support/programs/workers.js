'use strict'

// Stores in worker threads. Prints JSON.

const { once } = require('node:events')
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { RustSequelizeStore } = require('../../..')
const { args } = require('../run')
const { session } = require('../sessions')
const { sleep, until } = require('../time')

const tasks = {
  // Writes and reads, and ends by itself without closing the store.
  async write({ place, id, count }) {
    const store = new RustSequelizeStore(place)
    const sids = Array.from({ length: count }, (_, i) => `worker-${id}-${i}`)
    await Promise.all(sids.map((sid) => store.set(sid, session({ sid }))))
    const found = await Promise.all(sids.map((sid) => store.get(sid)))
    parentPort.postMessage(found.filter((value, i) => value.sid === sids[i]).length)
  },

  // Has always something pending, with callbacks, promises and an iterator.
  async busy({ place, id }) {
    const store = new RustSequelizeStore(place)
    await store.set(`worker-${id}`, session())
    parentPort.postMessage('busy')
    for (let i = 0; ; i++) {
      for (let j = 0; j < 200; j++) {
        store.set(`worker-${id}-${j}`, session({ i }), () => {})
        store.get(`worker-${id}-${j}`)
      }
      store.clearExpiredSessions()
      store.iterate().next()
      await store.get(`worker-${id}`)
    }
  },

  // Ends with calls that nobody awaits.
  dropped({ place, id, count }) {
    const store = new RustSequelizeStore(place)
    for (let i = 0; i < count; i++) {
      store.set(`worker-${id}-${i}`, session(), () => {})
    }
  },

  // Leaves with calls pending.
  exit({ place, id, count }) {
    tasks.dropped({ place, id, count })
    process.exit(0)
  }
}

const start = (task, data) => new Worker(__filename, { workerData: { task, ...data } })

const scenarios = {
  async write(place) {
    const store = new RustSequelizeStore(place)
    const workers = [1, 2, 3, 4].map((id) => start('write', { place, id, count: 200 }))
    const own = Array.from({ length: 200 }, (_, i) => store.set(`main-${i}`, session()))
    const results = await Promise.all(
      workers.map(async (worker) => {
        const exited = once(worker, 'exit')
        const [found] = await once(worker, 'message')
        const [code] = await exited
        return { found, code }
      })
    )
    await Promise.all(own)
    const length = await store.length()
    await store.close()
    return { results, length }
  },

  async terminate(place) {
    const store = new RustSequelizeStore(place)
    await store.sync()
    for (let round = 0; round < 6; round++) {
      const workers = [1, 2].map((id) => start('busy', { place, id }))
      await Promise.all(workers.map((worker) => once(worker, 'message')))
      await sleep(5 * round)
      await Promise.all(workers.map((worker) => worker.terminate()))
      await store.set(`main-${round}`, session())
    }
    const ids = await store.ids()
    // What the stores of the workers had accepted is written even after their end.
    let length
    await until(async () => {
      await store.clear()
      await sleep(50)
      length = await store.length()
      return length === 0
    })
    await store.close()
    return { own: ids.filter((sid) => sid.startsWith('main-')).length, length }
  },

  async dropped(place) {
    const worker = start('dropped', { place, id: 1, count: 300 })
    const [code] = await once(worker, 'exit')
    const store = new RustSequelizeStore(place)
    const length = await store.length()
    await store.close()
    return { code, length }
  },

  async exit(place) {
    const codes = []
    for (let id = 0; id < 6; id++) {
      const worker = start('exit', { place, id, count: 2000 })
      codes.push((await once(worker, 'exit'))[0])
    }
    const store = new RustSequelizeStore(place)
    await store.set('ada', session({ user: 'ada' }))
    const { user } = await store.get('ada')
    await store.close()
    return { codes, user }
  }
}

async function main() {
  const [scenario, place] = args()
  console.log(JSON.stringify(await scenarios[scenario](place)))
}

if (isMainThread) main()
else tasks[workerData.task](workerData)
