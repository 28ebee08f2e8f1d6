'use strict'

const { collect, styles } = require('./calls')
const { loaded, session, stored } = require('./sessions')
const { HOUR } = require('./time')

/** What a store does on any table that can serve. `database.count` has to work on the table. */
async function exercise(database, store) {
  const { errors } = store.stats()
  const live = Array.from({ length: 20 }, (_, i) => `live-${i}`)
  const dead = Array.from({ length: 10 }, (_, i) => `dead-${i}`)
  const sessions = live.map((sid) => session({ sid, text: 'ä😀\'"\\' }))
  await Promise.all([
    ...live.map((sid, i) => store.set(sid, sessions[i])),
    ...dead.map((sid) => store.set(sid, session({}, -HOUR)))
  ])

  expect(await Promise.all(live.map((sid) => store.get(sid)))).toEqual(sessions.map(stored))
  expect(await styles.callback(store, 'get', 'live-0')).toEqual(stored(sessions[0]))
  expect(await Promise.all(dead.map((sid) => store.get(sid)))).toEqual(dead.map(() => null))
  expect((await store.ids()).sort()).toEqual([...live].sort())
  expect(Object.keys(await store.all()).sort()).toEqual([...live].sort())
  expect(await collect(store.iterate())).toHaveLength(20)
  expect(await store.length()).toBe(20)

  // One burst of every kind.
  const request = loaded(store, 'live-1', await store.get('live-1'))
  request.again = true
  await Promise.all([
    store.set('live-0', session({ replaced: true })),
    store.set('live-1', request),
    store.set('live-2', session({}, -HOUR)),
    store.touch('live-3', session({}, -HOUR)),
    store.touch('live-4', session({}, 2 * HOUR)),
    store.touch('dead-0', session()),
    store.destroy('live-5'),
    store.destroy('dead-1'),
    store.set('new', session({ sid: 'new' }))
  ])
  expect((await store.get('live-0')).replaced).toBe(true)
  expect((await store.get('live-1')).again).toBe(true)
  expect((await store.get('live-4')).sid).toBe('live-4')
  expect((await store.get('new')).sid).toBe('new')
  for (const sid of ['live-2', 'live-3', 'live-5', 'dead-0', 'dead-1']) expect(await store.get(sid)).toBeNull()

  const slow = loaded(store, 'live-6', await store.get('live-6'))
  await store.destroy('live-6')
  await store.set('live-6', slow)
  expect(await store.get('live-6')).toBeNull()

  expect(await store.length()).toBe(17)
  expect(await database.count(store)).toBe(28)
  expect(await store.clearExpiredSessions()).toBe(11)
  expect(await database.count(store)).toBe(17)
  await store.clear()
  expect(await database.count(store)).toBe(0)
  expect(store.stats()).toMatchObject({ errors, unreadable: 0, gone: 1 })
}

module.exports = { exercise }
