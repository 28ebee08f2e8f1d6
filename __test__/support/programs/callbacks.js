'use strict'

// What becomes of errors, seen from the process. Prints JSON.

const { RustSequelizeStore } = require('../../..')
const { args, run } = require('../run')
const { session } = require('../sessions')
const verbs = require('../verbs')

const [scenario, place] = args()
const thrown = []
const rejections = []

const turn = () => new Promise((resolve) => setImmediate(resolve))

async function callEach(store, calls) {
  for (const [name, call] of Object.entries(verbs)) {
    calls[name] = 0
    call(store, () => {
      calls[name]++
      throw new Error(name)
    })
    while (calls[name] === 0) await turn()
    await turn()
  }
}

const scenarios = {
  async throwing(store) {
    const calls = Array(20).fill(0)
    await new Promise((resolve) => {
      for (const i of calls.keys()) {
        store.get(`${i}`, () => {
          calls[i]++
          if (calls.every((count) => count > 0)) resolve()
          if (i === 7) throw new Error(`thrown by the callback of get ${i}`)
        })
      }
    })
    return { calls }
  },

  async verbs(store) {
    const calls = {}
    await callEach(store, calls)
    return { calls }
  },

  async closed(store) {
    await store.close()
    const calls = {}
    await callEach(store, calls)
    return { calls }
  },

  async ignored(store) {
    const circular = session()
    circular.self = circular
    store.set('ada', circular)
    store.set('ada', null)
    store.get('')
    store.set('', session())
    store.destroy(undefined)
    store.iterate().next()
    await store.close()
    for (const call of Object.values(verbs)) {
      call(store)
      call(store, () => {})
    }
    await store
      .iterate()
      .next()
      .catch(() => {})
    return {}
  },

  // Runs `fatalInside` without the handlers of this process.
  async fatal() {
    const { code, stderr } = await run('callbacks.js', ['fatalInside', place])
    return { code, stderr }
  }
}

async function main() {
  if (scenario === 'fatalInside') {
    const store = new RustSequelizeStore(place)
    store.set('ada', session(), () => {
      throw new Error('thrown for good')
    })
    return
  }
  process.on('uncaughtException', (error) => thrown.push(error.message))
  process.on('unhandledRejection', (error) => rejections.push(`${error}`))
  const store = new RustSequelizeStore(place)
  const result = await scenarios[scenario](store)
  for (let i = 0; i < 20; i++) await turn()
  await store.close()
  console.log(JSON.stringify({ ...result, thrown, rejections }))
}

main()
