'use strict'

const { codes, collect, styles } = require('../support/calls')
const { session } = require('../support/sessions')
const verbs = require('../support/verbs')

const CLOSED = 'ERR_SESSION_CLOSED'

module.exports = (database, { withClient, withSecondStore }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('pending operations are done first', async () => {
      const store = database.open()
      const sids = Array.from({ length: 500 }, (_, i) => `sid-${i}`)
      const written = sids.map((sid) => call(store, 'set', sid, session()))
      const read = sids.map((sid) => call(store, 'get', sid))
      expect(await call(store, 'close')).toBeUndefined()
      expect(store.stats().pending).toBe(0)
      expect(await codes(written)).toEqual(Array(500).fill(null))
      const found = await Promise.all(read)
      expect(found.every((value) => value !== null)).toBe(true)
    })

    test('can be called twice, and concurrently', async () => {
      const store = database.open()
      await store.set('ada', session())
      await Promise.all([call(store, 'close'), call(store, 'close')])
      expect(await call(store, 'close')).toBeUndefined()
    })

    test('can be called on a store that was never used', async () => {
      const store = database.open()
      expect(await call(store, 'close')).toBeUndefined()
    })
  })

  const { close, ...others } = verbs

  test.each(Object.entries(others))('%s fails after close', async (_name, verb) => {
    const store = database.open()
    await store.set('ada', session())
    await store.close()
    expect(await codes([verb(store)])).toEqual([CLOSED])
    const error = await new Promise((resolve) => verb(store, resolve))
    expect(error.code).toBe(CLOSED)
  })

  test.each(Object.entries(others))('%s fails while closing', async (_name, verb) => {
    const store = database.open()
    const written = store.set('ada', session())
    const closed = store.close()
    expect(await codes([verb(store)])).toEqual([CLOSED])
    await Promise.all([written, closed])
  })

  test('a closed store rejects even an invalid id or session as closed', async () => {
    const store = database.open()
    await store.close()
    for (const code of await codes([store.get(''), store.set('ada', null)])) {
      expect([CLOSED, 'ERR_SESSION_SID', 'ERR_SESSION_DATA']).toContain(code)
    }
  })

  test('iterate fails after close', async () => {
    const store = database.open()
    await store.set('ada', session())
    const begun = store.iterate()
    await store.close()
    expect(await codes([collect(store.iterate())])).toEqual([CLOSED])
    expect(await codes([begun.next()])).toEqual([CLOSED])
  })

  test('a running iterator ends or fails', async () => {
    const store = database.open()
    const sids = Array.from({ length: 3000 }, (_, i) => `sid-${i}`)
    await Promise.all(sids.map((sid) => store.set(sid, session())))
    const iterator = store.iterate()
    await iterator.next()
    await store.close()
    const [code] = await codes([collect(iterator)])
    expect([null, CLOSED]).toContain(code)
  })

  test('stats and expiration still work after close', async () => {
    const store = database.open()
    await store.set('ada', session())
    await store.close()
    expect(store.stats()).toMatchObject({
      sets: 1,
      pending: 0,
      pool: { size: 0, idle: 0 }
    })
    expect(store.expiration(session())).toBeInstanceOf(Date)
  })

  test('a running removal of expired sessions ends and reports what it removed', async () => {
    const store = database.open()
    const sids = Array.from({ length: 5000 }, (_, i) => `sid-${i}`)
    await Promise.all(sids.map((sid) => store.set(sid, session({}, -1000))))
    const removal = store.clearExpiredSessions()
    await store.close()
    const removed = await removal
    expect(removed).toBeGreaterThan(0)
    expect(store.stats().pruned).toBe(removed)
    if (!database.supports.otherClient) return
    expect(await database.count(store)).toBe(5000 - removed)
  })

  withClient('pending writes are in the table', async () => {
    const store = database.open()
    const sids = Array.from({ length: 500 }, (_, i) => `sid-${i}`)
    for (const sid of sids) store.set(sid, session())
    for (const sid of sids.slice(0, 100)) store.destroy(sid)
    await store.close()
    expect(await database.count(store)).toBe(400)
  })

  withSecondStore('leaves other stores open', async () => {
    const store = database.open()
    const other = database.openAgain(store)
    await store.set('ada', session({ user: 'ada' }))
    await other.get('ada')
    await store.close()
    expect((await other.get('ada')).user).toBe('ada')
    await other.set('bob', session())
    const third = database.openAgain(store)
    expect((await third.ids()).sort()).toEqual(['ada', 'bob'])
  })
}
