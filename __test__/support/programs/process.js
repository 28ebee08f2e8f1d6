'use strict'

// What a process with a store does at its end. Prints JSON, for the most part when it exits.

const fs = require('node:fs')
const { RustSequelizeStore } = require('../../..')
const { args } = require('../run')
const { session } = require('../sessions')

const [scenario, place, ...more] = args()
const report = {}
process.on('exit', () => {
  if (scenario !== 'exit') fs.writeSync(1, JSON.stringify(report))
})

const open = (options) => new RustSequelizeStore({ ...place, ...options })

const scenarios = {
  // A store that nobody uses, with its timer.
  unused() {
    open()
  },

  // A store that has been used and is not closed.
  used() {
    open().set('ada', session(), (error) => {
      report.error = error
      report.called = true
    })
  },

  // Nothing but pending operations keeps the process alive.
  pending() {
    const store = open()
    report.calls = 0
    for (let i = 0; i < 500; i++) {
      store.set(`sid-${i}`, session({ i }), () => report.calls++)
      store.get(`sid-${i}`, (_error, found) => {
        if (found.i === i) report.calls++
      })
    }
  },

  // One operation after another, each the only thing that keeps the process alive.
  async chain() {
    const store = open()
    report.rounds = 0
    for (let i = 0; i < 100; i++) {
      await store.set('ada', session({ i }))
      if ((await store.get('ada')).i === i) report.rounds++
    }
    let pairs = 0
    for await (const _pair of store.iterate()) pairs++
    report.pairs = pairs
    report.length = await store.length()
    report.removed = await store.clearExpiredSessions()
    await store.destroy('ada')
    await store.sync()
    await store.clear()
    await store.close()
    report.done = true
  },

  // The loop is free again between two operations, and is held again by the second.
  pauses() {
    const store = open()
    report.rounds = 0
    let rounds = 3
    process.on('beforeExit', () => {
      if (rounds-- === 0) return
      store.set('ada', session(), () => report.rounds++)
    })
    store.set('ada', session(), () => report.rounds++)
  },

  // An iterator that nobody goes on with.
  async iterator() {
    const store = open()
    await Promise.all(Array.from({ length: 2000 }, (_, i) => store.set(`${i}`, session())))
    await store.iterate().next()
    report.done = true
  },

  // process.exit with work pending.
  exit() {
    const store = open()
    for (let i = 0; i < 5000; i++) store.set(`sid-${i}`, session())
    setImmediate(() => process.exit(7))
  },

  // An error that nobody catches, with work pending.
  error() {
    const store = open()
    for (let i = 0; i < 5000; i++) store.set(`sid-${i}`, session())
    setImmediate(() => {
      throw new Error('thrown with work pending')
    })
  },

  // Says which writes were acknowledged until it is killed.
  async acknowledge() {
    const store = open()
    for (let i = 0; ; i++) {
      const sids = Array.from({ length: 10 }, (_, j) => `sid-${i}-${j}`)
      await Promise.all(sids.map((sid) => store.set(sid, session())))
      fs.writeSync(1, sids.map((sid) => `${sid}\n`).join(''))
    }
  },

  // Opens and closes many stores and says what is left of them.
  async many() {
    const [places] = more
    const descriptors = () => fs.readdirSync('/proc/self/fd').length
    const threads = () => Number(/Threads:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status'))[1])
    // Whatever is made once for all stores is not theirs.
    const first = open()
    await Promise.all([...Array(100)].map(() => first.set('ada', session())))
    await first.close()
    const before = { descriptors: descriptors(), threads: threads() }
    const stores = places.map((each) => new RustSequelizeStore(each))
    await Promise.all(
      stores.flatMap((store, i) => [store.set(`sid-${i}`, session({ i })), store.set('shared', session({ i }))])
    )
    const found = await Promise.all(stores.map((store, i) => store.get(`sid-${i}`)))
    report.found = found.filter((value, i) => value.i === i).length
    report.open = descriptors() - before.descriptors
    report.threads = threads() - before.threads
    await Promise.all(stores.map((store) => store.close()))
    report.left = descriptors() - before.descriptors
  }
}

scenarios[scenario]()
