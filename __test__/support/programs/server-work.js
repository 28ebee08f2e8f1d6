'use strict'

// One of several processes that work on the same tables of a server. Prints JSON.

const { RustSequelizeStore } = require('../../..')
const { generator } = require('../generator')
const { args } = require('../run')
const { session } = require('../sessions')
const { sleep } = require('../time')

const [scenario, options, ...more] = args()

/** What became of calls: the messages of those that failed. */
async function failures(calls) {
  const settled = await Promise.allSettled(calls)
  return settled.filter(({ status }) => status === 'rejected').map(({ reason }) => `${reason.code}: ${reason.message}`)
}

const scenarios = {
  // Starts on tables that are not there, at the same moment as the others.
  async create() {
    const [id, start, tables] = more
    const failed = []
    for (const [i, tableName] of tables.entries()) {
      await sleep(start + i * 200 - Date.now())
      const store = new RustSequelizeStore({ ...options, tableName })
      failed.push(
        ...(await failures([
          store.set(`${id}`, session()),
          store.get('nobody'),
          store.touch('nobody', session()),
          store.destroy('nobody'),
          store.length(),
          store.sync()
        ]))
      )
      await store.close()
    }
    return { failed }
  },

  // Works on a few sessions for a while, and a number of times at least, in bursts of everything.
  async hammer() {
    const [seed, ms, least, sids] = more
    const store = new RustSequelizeStore({ ...options, checkExpirationInterval: 0 })
    const random = generator(seed)
    const pick = () => sids[Math.floor(random() * sids.length)]
    const failed = new Set()
    let operations = 0
    const end = Date.now() + ms
    while (Date.now() < end || operations < least) {
      const calls = []
      for (let i = 0; i < 100; i++) {
        const sid = pick()
        const dice = random()
        if (dice < 0.3) calls.push(store.set(sid, session({ text: 'x'.repeat(500 * random()) })))
        else if (dice < 0.5) calls.push(store.set(sid, store.createSession({ sessionID: sid }, session())))
        else if (dice < 0.7) calls.push(store.touch(sid, session()))
        else if (dice < 0.85) calls.push(store.destroy(sid))
        else if (dice < 0.87) calls.push(store.set(sid, session(), -1000))
        else calls.push(store.get(sid))
      }
      if (random() < 0.1) calls.push(store.clearExpiredSessions())
      if (random() < 0.05) calls.push(store.length(), store.all())
      operations += calls.length
      for (const message of await failures(calls)) failed.add(message)
    }
    const { retries } = store.stats()
    await store.close()
    return { failed: [...failed], operations, retries }
  }
}

scenarios[scenario]().then((result) => console.log(JSON.stringify(result)))
