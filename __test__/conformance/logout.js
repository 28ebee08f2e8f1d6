'use strict'

const { Session } = require('express-session')
const { styles } = require('../support/calls')
const { loaded, session } = require('../support/sessions')
const { HOUR, MINUTE, apart } = require('../support/time')

/** A session like those of @fastify/session. */
class FastifySession {
  #id

  constructor(id, data) {
    this.#id = id
    Object.assign(this, data)
  }

  get sessionId() {
    return this.#id
  }
}

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
      await call(store, 'set', 'ada', slow)
      expect(await store.get('ada')).toBeNull()
      expect(await store.length()).toBe(0)
      expect(store.stats().gone).toBe(gone + 1)
    })

    test.each(['destroy', 'clear'])(
      '%s holds for several saves, and for one after a touch into the past',
      async (verb) => {
        const store = database.open()
        await store.set('ada', session({ user: 'ada' }))
        const slow = loaded(store, 'ada', await store.get('ada'))
        await (verb === 'destroy' ? store.destroy('ada') : store.clear())
        await call(store, 'set', 'ada', slow)
        await call(store, 'touch', 'ada', session({}, -HOUR))
        await call(store, 'set', 'ada', slow)
        expect(await store.get('ada')).toBeNull()
        expect(await store.length()).toBe(0)
      }
    )

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

    test('it holds for the object that get yielded, as koa-generic-session gives it back', async () => {
      const store = database.open()
      await call(store, 'set', 'ada', session({ user: 'ada' }))
      const slow = await call(store, 'get', 'ada')
      const unchanged = (await call(store, 'all')).ada
      await call(store, 'destroy', 'ada')
      await call(store, 'set', 'ada', slow, HOUR)
      await call(store, 'set', 'ada', unchanged)
      expect(await call(store, 'get', 'ada')).toBeNull()
      expect(store.stats().gone).toBe(2)
    })

    test('it holds for another object of the same request, as koa-session passes it with its context', async () => {
      const store = database.open()
      // A callback gets sessions with cookies only.
      const cookie = { path: '/' }
      const [ctx, other] = [{ name: 'slow' }, { name: 'logout' }]
      await call(store, 'set', 'ada', { user: 'ada', cookie }, HOUR, { ctx, changed: true })
      const again = { name: 'second' }
      expect(await call(store, 'get', 'ada', HOUR, { ctx: again })).toEqual({ user: 'ada', cookie })
      expect(await call(store, 'get', 'ada', HOUR, { ctx: other })).toEqual({ user: 'ada', cookie })
      await call(store, 'destroy', 'ada', { ctx: other })
      for (const slow of [ctx, again])
        await call(store, 'set', 'ada', { user: 'ada', n: 1, cookie }, HOUR, { ctx: slow })
      expect(await call(store, 'get', 'ada')).toBeNull()
      // The request that has logged out may begin anew.
      await call(store, 'set', 'ada', { user: 'eve', cookie }, HOUR, { ctx: other })
      expect(await call(store, 'get', 'ada')).toEqual({ user: 'eve', cookie })
    })

    test('it holds for objects that know their id, as those of @fastify/session', async () => {
      const store = database.open()
      const made = new FastifySession('ada', session({ user: 'ada' }))
      await call(store, 'set', 'ada', made)
      const slow = new FastifySession('ada', await call(store, 'get', 'ada'))
      await call(store, 'set', 'ada', slow)
      await call(store, 'destroy', 'ada')
      for (const each of [made, slow]) await call(store, 'set', 'ada', each)
      expect(await call(store, 'get', 'ada')).toBeNull()
      expect(store.stats().gone).toBe(2)
    })

    test('a plain object is a new session each time, whatever its properties are called', async () => {
      const store = database.open()
      const plain = session({ id: 'ada', sessionId: 'ada' })
      await call(store, 'set', 'ada', plain)
      await call(store, 'get', 'ada')
      for (let i = 0; i < 2; i++) {
        await call(store, 'destroy', 'ada')
        await call(store, 'set', 'ada', plain)
        expect(await call(store, 'get', 'ada')).not.toBeNull()
      }
      expect(store.stats().gone).toBe(0)
    })

    test('a get that is under way during the logout does not make the session new', async () => {
      const store = database.open()
      await call(store, 'set', 'ada', session({ user: 'ada' }))
      const [found] = await Promise.all([call(store, 'get', 'ada'), call(store, 'destroy', 'ada')])
      await call(store, 'set', 'ada', new FastifySession('ada', found))
      await call(store, 'set', 'ada', found)
      expect(await call(store, 'get', 'ada')).toBeNull()
    })
  })

  test('it does not hold for a first save that has failed, and a second one is a new session', async () => {
    const store = database.open()
    const made = new FastifySession('ada', session({ big: 1n }))
    await expect(store.set('ada', made)).rejects.toHaveProperty('code', 'ERR_SESSION_DATA')
    made.big = 1
    await store.set('ada', made)
    expect((await store.get('ada')).big).toBe(1)
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
