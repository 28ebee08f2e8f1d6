'use strict'

const { styles } = require('../support/calls')
const { withClock } = require('../support/clock')
const { session } = require('../support/sessions')
const { HOUR, MINUTE } = require('../support/time')

// A loaded session that expires before it is saved is kept, whether or not its row was pruned in between. Only a destroyed one stays away.
module.exports = (database, { withSecondStore }) => {
  const setClock = withClock()
  const later = () => new Date(Date.now() + HOUR)

  /** A session that was loaded and has expired since. */
  async function expired(store, load) {
    await store.set('ada', session({ visits: 1 }, HOUR))
    const found = await load()
    expect(found.visits).toBe(1)
    setClock(HOUR + MINUTE)
    expect(await store.get('ada')).toBeNull()
    found.visits = 2
    found.cookie.expires = later()
    return found
  }

  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    describe.each([
      ['before', false],
      ['after', true]
    ])('a save %s the row is pruned', (_when, pruned) => {
      const prune = async (store) => {
        if (pruned) expect(await store.clearExpiredSessions()).toBe(1)
      }

      test('keeps the session that get yielded', async () => {
        const store = database.open({ checkExpirationInterval: 0 })
        const found = await expired(store, () => call(store, 'get', 'ada'))
        await prune(store)
        await call(store, 'set', 'ada', found)
        expect((await store.get('ada')).visits).toBe(2)
        expect(store.stats().gone).toBe(0)
        // Its next saves are those of a loaded session.
        await store.destroy('ada')
        await call(store, 'set', 'ada', found)
        expect(await store.get('ada')).toBeNull()
      })

      test('keeps a session of express-session', async () => {
        const store = database.open({ checkExpirationInterval: 0 })
        const found = await expired(store, () => styles.callback(store, 'load', 'ada'))
        await prune(store)
        await call(store, 'set', 'ada', found)
        expect((await store.get('ada')).visits).toBe(2)
      })

      test('does not bring back a session that was destroyed', async () => {
        const store = database.open({ checkExpirationInterval: 0 })
        const found = await expired(store, () => call(store, 'get', 'ada'))
        await prune(store)
        await store.destroy('ada')
        await call(store, 'set', 'ada', found)
        expect(await store.get('ada')).toBeNull()
        expect(await store.length()).toBe(0)
      })

      test('does not bring back a session that was cleared', async () => {
        const store = database.open({ checkExpirationInterval: 0 })
        const found = await expired(store, () => call(store, 'get', 'ada'))
        await prune(store)
        await store.clear()
        await call(store, 'set', 'ada', found)
        expect(await store.length()).toBe(0)
      })

      test('keeps a session that a touch of this store has ended', async () => {
        const store = database.open({ checkExpirationInterval: 0 })
        await store.set('ada', session({ visits: 1 }, HOUR))
        const found = await call(store, 'get', 'ada')
        await call(store, 'touch', 'ada', session({}, -1000))
        await prune(store)
        found.cookie.expires = later()
        await call(store, 'set', 'ada', found)
        expect((await store.get('ada')).visits).toBe(1)
      })
    })

    test('an acknowledged save is not lost to a removal of expired sessions that was called after it', async () => {
      const store = database.open({ checkExpirationInterval: 0 })
      const sids = Array.from({ length: 60 }, (_, i) => `sid-${i}`)
      await Promise.all(sids.map((sid) => store.set(sid, session({ sid }, HOUR))))
      const found = await Promise.all(sids.map((sid) => call(store, 'get', sid)))
      setClock(HOUR + MINUTE)
      const calls = []
      for (const [i, sid] of sids.entries()) {
        found[i].cookie.expires = later()
        calls.push(call(store, 'set', sid, found[i]))
        if (i % 10 === 0) calls.push(call(store, 'clearExpiredSessions'))
      }
      await Promise.all(calls)
      expect((await store.ids()).sort()).toEqual([...sids].sort())
    })
  })

  test('what touches have given is kept, whatever was known of the row', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    const sids = Array.from({ length: 40 }, (_, i) => `sid-${i}`)
    await Promise.all(sids.map((sid) => store.set(sid, session({ visits: 1 }, 2 * HOUR))))
    const found = await Promise.all(sids.map((sid) => store.get(sid)))
    for (const lifetime of [HOUR, 4 * HOUR]) {
      await Promise.all(sids.map((sid) => store.touch(sid, session({}, lifetime))))
    }
    setClock(HOUR + MINUTE)
    await Promise.all(sids.map((sid, i) => store.set(sid, Object.assign(found[i], { visits: 2 }))))
    setClock(3 * HOUR)
    const all = await store.all()
    expect(Object.keys(all).sort()).toEqual([...sids].sort())
    for (const each of Object.values(all)) expect(each.visits).toBe(2)
  })

  withSecondStore('it holds where another store prunes', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    const other = database.openAgain(store)
    const found = await expired(store, () => store.get('ada'))
    await other.clearExpiredSessions()
    await store.set('ada', found)
    expect((await other.get('ada')).visits).toBe(2)
  })

  withSecondStore('what another store has given an expired session is kept', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    const other = database.openAgain(store)
    await store.set('ada', session({ visits: 1 }, HOUR))
    const found = await store.get('ada')
    await other.touch('ada', session({}, 2 * HOUR))
    setClock(HOUR + MINUTE)
    found.visits = 2
    await store.set('ada', found)
    expect((await other.get('ada')).visits).toBe(2)
  })
}
