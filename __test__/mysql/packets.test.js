'use strict'

const mysql = require('mysql2/promise')
const { codes } = require('../support/calls')
const { loaded, session } = require('../support/sessions')
const { onRunningServers, run } = require('./setup')

onRunningServers(({ open, server, withGlobals }) => {
  test('a burst never exceeds the packet size that its sessions fit into', async () => {
    // As small as the default of MySQL 5.7.
    await withGlobals({ max_allowed_packet: 4 * 2 ** 20 }, async () => {
      const store = open(undefined, { pool: { max: 1 } })
      for (const [length, size] of [
        [13, 300_000],
        [9, 450_000],
        [17, 450_000],
        [9, 1_300_000]
      ]) {
        const text = 'x'.repeat(size)
        const sids = Array.from({ length }, (_, i) => `${i}`)
        const outcome = await asOneBatch(store, () => sids.map((sid) => store.set(sid, session({ text }))))
        expect(outcome).toEqual(Array(length + 1).fill(null))
        const slow = await Promise.all(sids.map(async (sid) => loaded(store, sid, await store.get(sid))))
        const again = await asOneBatch(store, () => sids.map((sid, i) => store.set(sid, slow[i])))
        expect(again).toEqual(Array(length + 1).fill(null))
        expect(await store.length()).toBe(length + 1)
        await store.clear()
      }
      expect(store.stats().errors).toBe(0)
    })
  })

  /** What is called in `work` waits for the table, and is a batch then. */
  async function asOneBatch(store, work) {
    await store.sync()
    const other = await mysql.createConnection({ uri: server().url() })
    try {
      await other.query('LOCK TABLES `Sessions` READ')
      const calls = [store.set('first', session()), ...work()]
      await other.query('UNLOCK TABLES')
      return await codes(calls)
    } finally {
      other.destroy()
    }
  }

  test('a large session among many small ones is sent once', async () => {
    const store = open(undefined, { pool: { max: 1 } })
    const text = 'x'.repeat(3_000_000)
    const sids = Array.from({ length: 100 }, (_, i) => `sid-${i}`)
    const received = async () => (await run(server().url(), "SHOW GLOBAL STATUS LIKE 'Bytes_received'"))[0].Value
    const before = await received()
    // Rows are sorted by their ids: this one is the last.
    const large = () => store.set('zzz', session({ text }))
    const outcome = await asOneBatch(store, () => [large(), ...sids.map((sid) => store.set(sid, session()))])
    expect(outcome).toEqual(Array(102).fill(null))
    expect((await received()) - before).toBeLessThan(4_000_000)
    expect((await store.get('zzz')).text).toHaveLength(3_000_000)
    expect(store.stats()).toMatchObject({ errors: 0, retries: 0 })
  })

  /** What becomes of a session that is too large, and of those that are written with it. */
  async function besideLarge(bytes) {
    const store = open(undefined, { pool: { max: 1 } })
    let outcome
    await withGlobals({ max_allowed_packet: 2 ** 20 }, async () => {
      await store.set('ada', session({ user: 'ada' }))
      outcome = await asOneBatch(store, () => [
        store.set('bob', session()),
        store.set('large', session({ text: 'x'.repeat(bytes) })),
        store.get('ada'),
        store.set('carl', session()),
        store.touch('ada', session())
      ])
      expect((await store.ids()).sort()).toEqual(['ada', 'bob', 'carl', 'first'])
      expect((await store.get('ada')).user).toBe('ada')
    })
    return outcome
  }

  test.each([1.5, 5, 17])(
    'a session of %d MiB where the server takes one is an error of its own',
    async (mebibytes) => {
      expect(await besideLarge(mebibytes * 2 ** 20)).toEqual([null, null, 'ERR_SESSION_DATABASE', null, null, null])
    }
  )
})
