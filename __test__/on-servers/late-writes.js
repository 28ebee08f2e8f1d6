'use strict'

const { codes } = require('../support/calls')
const { session } = require('../support/sessions')
const { sleep, until } = require('../support/time')
const { serverOf } = require('./setup')

const TIMED_OUT = 'ERR_SESSION_TIMEOUT'

const options = { pool: { max: 5, queryTimeout: 500, acquireTimeout: 3000 } }

/**
 * Writes that timed out: none takes effect after a later call, and none stays on the server. `kit` is as setup.js has it, with
 *
 * - `hold(url, statements)`: runs them on a connection, and returns a function that ends it;
 * - `lockRows`, `lockTable`: the statements; `waiting(url, user)`: the statements of a user that wait for a lock.
 */
module.exports = (kit) => {
  const { createUser, grant, hold, lockRows, lockTable, waiting } = kit
  const { admin, fresh, open, server } = serverOf(kit)
  const sids = Array.from({ length: 8 }, (_, i) => `sid-${i}`)

  /** A store with sessions, of a user of its own. */
  async function openOwn(given) {
    const database = await fresh()
    const user = `late_${database}`
    await admin(createUser(user, 'secret'))
    await admin(grant(user, database))
    const store = open(server().url({ user, pass: 'secret', database }), { ...options, ...given })
    await Promise.all(sids.map((sid) => store.set(sid, session({ old: true }))))
    return { store, url: server().url({ database }), user }
  }

  describe.each([
    ['rows', lockRows],
    ['a table', lockTable]
  ])('on %s locked by others', (_name, lock) => {
    test('they end on the server while it is locked, and take no effect afterwards', async () => {
      const { store, url, user } = await openOwn()
      const release = await hold(url, lock)
      try {
        for (const sid of sids) expect(await codes([store.set(sid, session({ late: true }))])).toEqual([TIMED_OUT])
        await until(async () => (await waiting(url, user)).length === 0)
      } finally {
        await release()
      }
      await Promise.all(sids.map((sid) => store.destroy(sid)))
      await sleep(300)
      expect(await Promise.all(sids.map((sid) => store.get(sid)))).toEqual(sids.map(() => null))
    })

    test('they do not pile up', async () => {
      const { store, url, user } = await openOwn()
      const release = await hold(url, lock)
      try {
        const written = codes(sids.map((sid) => store.set(sid, session())))
        let most = 0
        let pending = true
        written.then(() => {
          pending = false
        })
        while (pending) {
          most = Math.max(most, (await waiting(url, user)).length)
          await sleep(10)
        }
        expect(await written).toEqual(sids.map(() => TIMED_OUT))
        expect(most).toBeLessThanOrEqual(2)
      } finally {
        await release()
      }
      expect(await codes(sids.map((sid) => store.destroy(sid)))).toEqual(sids.map(() => null))
      expect(await store.length()).toBe(0)
    })
  })

  test('without prepared statements they take no effect afterwards', async () => {
    const { store, url } = await openOwn({ preparedStatements: false })
    const release = await hold(url, lockRows)
    try {
      expect(await codes(sids.map((sid) => store.set(sid, session())))).toEqual(sids.map(() => TIMED_OUT))
    } finally {
      await release()
    }
    await Promise.all(sids.map((sid) => store.destroy(sid)))
    await sleep(300)
    expect(await store.length()).toBe(0)
  })

  test('the calls behind a clear() that hangs have a limit', async () => {
    const { store, url } = await openOwn()
    const release = await hold(url, lockTable)
    let cleared
    try {
      cleared = codes([store.clear()])
      const started = Date.now()
      const calls = [...Array.from({ length: 50 }, (_, i) => store.get(sids[i % 8])), store.length(), store.sync()]
      expect(await codes(calls)).toEqual(calls.map(() => TIMED_OUT))
      expect(Date.now() - started).toBeLessThan(20_000)
    } finally {
      await release()
    }
    await cleared
    await store.set('ada', session())
    expect(await store.ids()).toContain('ada')
    expect(store.stats().pending).toBe(0)
  })
}
