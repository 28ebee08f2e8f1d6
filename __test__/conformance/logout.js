'use strict'

const { Session } = require('express-session')
const { styles } = require('../support/calls')
const { loaded, session } = require('../support/sessions')
const { HOUR, MINUTE, apart } = require('../support/time')

// A slow request must not bring back a session that was destroyed while the request was going on.
module.exports = (database, { withClient, withSecondStore }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('a loaded session that was destroyed meanwhile is not written', async () => {
      const store = database.open()
      await store.set('ada', session({ user: 'ada' }))
      const slow = loaded(store, 'ada', await store.get('ada'))
      slow.visits = 2
      await store.destroy('ada')
      const { gone } = store.stats()
      expect(await call(store, 'set', 'ada', slow)).toBeUndefined()
      expect(await store.get('ada')).toBeNull()
      expect(await store.length()).toBe(0)
      expect(store.stats().gone).toBe(gone + 1)
    })

    test('a loaded session is written while its row is there', async () => {
      const store = database.open()
      await store.set('ada', session({ visits: 1 }))
      const request = loaded(store, 'ada', await store.get('ada'))
      request.visits = 2
      await call(store, 'set', 'ada', request)
      expect((await store.get('ada')).visits).toBe(2)
      request.visits = 3
      await call(store, 'set', 'ada', request)
      expect((await store.get('ada')).visits).toBe(3)
      expect(store.stats().gone).toBe(0)
    })
  })

  test('a new session is written under the id of a destroyed one', async () => {
    const store = database.open()
    await store.set('ada', session({ visits: 1 }))
    await store.destroy('ada')
    await store.set('ada', session({ visits: 1 }))
    expect((await store.get('ada')).visits).toBe(1)
  })

  test('concurrent calls take effect in their order', async () => {
    const store = database.open()
    await store.set('ada', session())
    await store.set('bob', session())
    const ada = loaded(store, 'ada', await store.get('ada'))
    const bob = loaded(store, 'bob', await store.get('bob'))
    await Promise.all([
      store.set('ada', ada),
      store.destroy('ada'),
      store.set('ada', ada),
      store.touch('ada', ada),
      store.destroy('bob'),
      store.set('bob', session({ visits: 1 })),
      store.set('bob', Object.assign(bob, { visits: 2 }))
    ])
    expect(await store.get('ada')).toBeNull()
    expect((await store.get('bob')).visits).toBe(2)
    expect(store.stats().gone).toBe(1)
  })

  test('it holds for a session loaded through express-session', async () => {
    const store = database.open()
    await store.set('ada', session({ user: 'ada' }))
    const slow = await styles.callback(store, 'load', 'ada')
    await store.destroy('ada')
    await store.set('ada', slow)
    expect(await store.get('ada')).toBeNull()
  })

  test('it holds for a new session of express-session from its first save on', async () => {
    const store = database.open()
    const made = new Session({ sessionID: 'ada' }, session({ visits: 1 }))
    await styles.callback(store, 'set', 'ada', made)
    made.visits = 2
    await styles.callback(store, 'set', 'ada', made)
    expect((await store.get('ada')).visits).toBe(2)
    await store.destroy('ada')
    await styles.callback(store, 'set', 'ada', made)
    expect(await store.get('ada')).toBeNull()
  })

  test('it does not hold for a new session whose first save has failed', async () => {
    const store = database.open()
    const made = new Session({ sessionID: 'ada' }, session({ big: 1n }))
    const failed = styles.callback(store, 'set', 'ada', made)
    await expect(failed).rejects.toHaveProperty('code', 'ERR_SESSION_DATA')
    made.big = 1
    await styles.callback(store, 'set', 'ada', made)
    expect((await store.get('ada')).big).toBe(1)
  })

  test('it holds among hundreds of other calls', async () => {
    const store = database.open()
    const sids = Array.from({ length: 300 }, (_, i) => `sid-${i}`)
    await Promise.all(sids.map((sid) => store.set(sid, session({ sid }))))
    const requests = await Promise.all(sids.map(async (sid) => loaded(store, sid, await store.get(sid))))
    await Promise.all(
      requests.flatMap((request, i) => [
        i % 2 ? store.destroy(sids[i]) : undefined,
        store.set(sids[i], Object.assign(request, { saved: true })),
        store.set(`new-${i}`, session())
      ])
    )
    const all = await store.all()
    const kept = sids.filter((_, i) => i % 2 === 0)
    const found = Object.keys(all).filter((sid) => sid.startsWith('sid-'))
    expect(found.sort()).toEqual(kept.sort())
    expect(kept.every((sid) => all[sid].saved)).toBe(true)
    expect(store.stats().gone).toBe(150)
  })

  test('the data of a loaded session may be written under another id', async () => {
    const store = database.open()
    await store.set('ada', session({ user: 'ada' }))
    const request = loaded(store, 'ada', await store.get('ada'))
    await store.set('renamed', request)
    expect((await store.get('renamed')).user).toBe('ada')
  })

  test('a save never undoes a clear', async () => {
    const store = database.open()
    await store.set('ada', session())
    const slow = loaded(store, 'ada', await store.get('ada'))
    await store.clear()
    await store.set('ada', slow)
    expect(await store.length()).toBe(0)
  })

  withClient('a save of a loaded session writes expires, data and updatedAt', async () => {
    const store = database.open()
    await store.sync()
    const old = new Date('2020-01-02T03:04:05Z')
    await database.insertRow(store, {
      sid: 'ada',
      data: JSON.stringify(session({ visits: 1 })),
      expires: session().cookie.expires,
      createdAt: old,
      updatedAt: old
    })
    const request = loaded(store, 'ada', await store.get('ada'))
    request.visits = 2
    request.cookie.expires = new Date(Date.now() + 5 * HOUR)
    await store.set('ada', request)
    const row = await database.row(store, 'ada')
    expect(JSON.parse(row.data).visits).toBe(2)
    expect(apart(row.expires, request.cookie.expires)).toBeLessThan(1000)
    expect(row.createdAt).toEqual(old)
    expect(apart(row.updatedAt, Date.now())).toBeLessThan(MINUTE)
  })

  withClient('it holds for a row that another program has removed', async () => {
    const store = database.open()
    await store.set('ada', session())
    const slow = loaded(store, 'ada', await store.get('ada'))
    await database.deleteRow(store, 'ada')
    await store.set('ada', slow)
    expect(await database.count(store)).toBe(0)
  })

  withSecondStore('it holds for a session that another store has destroyed', async () => {
    const store = database.open()
    const other = database.openAgain(store)
    await store.set('ada', session())
    const slow = loaded(store, 'ada', await store.get('ada'))
    await other.destroy('ada')
    await store.set('ada', slow)
    expect(await other.get('ada')).toBeNull()
    expect(store.stats().gone).toBe(1)
  })
}
