'use strict'

const { collect, styles } = require('../support/calls')
const { session, stored } = require('../support/sessions')

module.exports = (database, { withClient, withSecondStore }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('all and ids of an empty table', async () => {
      const store = database.open()
      expect(await call(store, 'all')).toEqual({})
      expect(await call(store, 'ids')).toEqual([])
    })

    test('all gives the live sessions by their ids', async () => {
      const store = database.open()
      const ada = session({ user: 'ada' })
      const bob = session({ user: 'bob' })
      await store.set('ada', ada)
      await store.set('bob', bob)
      await store.set('carl', session({ user: 'carl' }, -1000))
      expect(await call(store, 'all')).toEqual({
        ada: stored(ada),
        bob: stored(bob)
      })
    })

    test('ids gives the ids of the live sessions', async () => {
      const store = database.open()
      await store.set('ada', session())
      await store.set('bob', session())
      await store.set('carl', session({}, -1000))
      const ids = await call(store, 'ids')
      expect(Array.isArray(ids)).toBe(true)
      expect(ids.sort()).toEqual(['ada', 'bob'])
    })
  })

  test('all lists ids that are names of properties of every object', async () => {
    const store = database.open()
    const sids = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    for (const sid of sids) await store.set(sid, session({ sid }))
    const all = await store.all()
    expect(Object.keys(all).sort()).toEqual([...sids].sort())
    for (const sid of sids) {
      expect(Object.getOwnPropertyDescriptor(all, sid).value.sid).toBe(sid)
    }
    expect({}.sid).toBeUndefined()
  })

  test('iterate yields ids and sessions', async () => {
    const store = database.open()
    const ada = session({ user: 'ada' })
    await store.set('ada', ada)
    await store.set('bob', session({}, -1000))
    expect(await collect(store.iterate())).toEqual([['ada', stored(ada)]])
  })

  test('iterate ends at once on an empty table', async () => {
    const store = database.open()
    expect(await collect(store.iterate())).toEqual([])
  })

  describe('with some thousand sessions', () => {
    const sids = Array.from({ length: 3000 }, (_, i) => `sid-${i}`).sort()

    async function filled() {
      const store = database.open()
      await Promise.all(sids.map((sid) => store.set(sid, session({ sid }))))
      return store
    }

    test('all, ids and iterate find each exactly once', async () => {
      const store = await filled()
      expect((await store.ids()).sort()).toEqual(sids)
      const all = await store.all()
      expect(Object.keys(all).sort()).toEqual(sids)
      expect(Object.entries(all).every(([sid, s]) => s.sid === sid)).toBe(true)
      const pairs = await collect(store.iterate())
      expect(pairs.map(([sid]) => sid).sort()).toEqual(sids)
      expect(pairs.every(([sid, s]) => s.sid === sid)).toBe(true)
    })

    test('iterate yields each session that stays, whatever happens to others', async () => {
      const store = await filled()
      const seen = []
      for await (const [sid] of store.iterate()) {
        if (seen.length % 200 === 0) {
          await Promise.all([
            store.destroy(sid),
            store.set(`new-${seen.length}`, session()),
            store.set(sids[0], session({ sid: sids[0], again: true }))
          ])
        }
        seen.push(sid)
      }
      expect(new Set(seen).size).toBe(seen.length)
      const old = seen.filter((sid) => sid.startsWith('sid-'))
      expect(old.sort()).toEqual(sids)
    })

    test('iterate can be left early, and several can run at once', async () => {
      const store = await filled()
      for await (const _pair of store.iterate()) break
      const one = store.iterate()
      const other = store.iterate()
      const seen = [[], []]
      for (let i = 0; i < sids.length; i++) {
        seen[0].push((await one.next()).value[0])
        seen[1].push((await other.next()).value[0])
      }
      expect(await one.next()).toEqual({ done: true, value: undefined })
      expect(await other.next()).toEqual({ done: true, value: undefined })
      expect(seen[0].sort()).toEqual(sids)
      expect(seen[1].sort()).toEqual(sids)
    })

    test('an abandoned iterator holds up no other call', async () => {
      const store = await filled()
      const iterators = Array.from({ length: 10 }, () => store.iterate())
      await Promise.all(iterators.map((iterator) => iterator.next()))
      await store.set('ada', session({ user: 'ada' }))
      await store.clear()
      await store.set('bob', session())
      expect(await store.ids()).toEqual(['bob'])
    })

    test('next can be called without waiting for the previous result', async () => {
      const store = await filled()
      const iterator = store.iterate()
      const results = await Promise.all(Array.from({ length: 3001 }, () => iterator.next()))
      const found = results.filter(({ done }) => !done)
      expect(found.map(({ value }) => value[0]).sort()).toEqual(sids)
      expect(results.at(-1).done).toBe(true)
    })
  })

  withClient('a session that never expires is listed', async () => {
    const store = database.open()
    await store.sync()
    const data = JSON.stringify(session({ user: 'ada' }))
    await database.insertRow(store, { sid: 'ada', data, expires: null })
    expect(await store.ids()).toEqual(['ada'])
    expect((await store.all()).ada.user).toBe('ada')
    const pairs = await collect(store.iterate())
    expect(pairs.map(([sid]) => sid)).toEqual(['ada'])
  })

  withSecondStore('all sees what other stores have written', async () => {
    const store = database.open()
    const other = database.openAgain(store)
    await store.set('ada', session())
    await other.set('bob', session())
    expect(Object.keys(await store.all()).sort()).toEqual(['ada', 'bob'])
    expect((await other.ids()).sort()).toEqual(['ada', 'bob'])
  })
}
