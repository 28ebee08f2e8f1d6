'use strict'

const { styles } = require('../support/calls')
const { session, stored } = require('../support/sessions')

module.exports = (database, { withSecondStore }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('finds what was set', async () => {
      const store = database.open()
      const ada = session({ user: 'ada', visits: 3, roles: ['a', 'b'] })
      await call(store, 'set', 'ada', ada)
      expect(await call(store, 'get', 'ada')).toEqual(stored(ada))
    })

    test('gives null for a session that does not exist', async () => {
      const store = database.open()
      expect(await call(store, 'get', 'nobody')).toBeNull()
    })

    test('gives a fresh object each time', async () => {
      const store = database.open()
      await store.set('ada', session({ tags: ['x'] }))
      const [one, other] = await Promise.all([call(store, 'get', 'ada'), call(store, 'get', 'ada')])
      one.tags.push('y')
      one.cookie.path = '/elsewhere'
      expect(other.tags).toEqual(['x'])
      expect(other.cookie.path).toBe('/')
      expect((await call(store, 'get', 'ada')).tags).toEqual(['x'])
    })
  })

  test('gives a plain object from which express-session can create a session', async () => {
    const store = database.open()
    await store.set('ada', session({ user: 'ada' }))
    const found = await styles.callback(store, 'get', 'ada')
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
    const made = store.createSession({ sessionID: 'ada' }, found)
    expect(made.user).toBe('ada')
    expect(made.cookie.expires).toBeInstanceOf(Date)
  })

  test('loads through the method of express-session', async () => {
    const store = database.open()
    await store.set('ada', session({ user: 'ada' }))
    const made = await styles.callback(store, 'load', 'ada')
    expect(made.user).toBe('ada')
    expect(await styles.callback(store, 'load', 'nobody')).toBeUndefined()
  })

  test('answers each of many concurrent calls with its own session', async () => {
    const store = database.open()
    const sids = Array.from({ length: 500 }, (_, i) => `sid-${i}`)
    await Promise.all(sids.map((sid) => store.set(sid, session({ sid }))))
    const asked = [...sids, 'nobody', ...sids].reverse()
    const found = await Promise.all(asked.map((sid) => store.get(sid)))
    expect(found.map((value) => value?.sid ?? 'nobody')).toEqual(asked)
  })

  test('ignores the further arguments of koa-session', async () => {
    const store = database.open()
    await store.set('ada', session({ user: 'ada' }))
    const found = await store.get('ada', 86_400_000, { rolling: true })
    expect(found.user).toBe('ada')
    expect((await store.get('ada', 'session', {})).user).toBe('ada')
    expect((await store.get('ada', undefined, {})).user).toBe('ada')
    const called = await styles.callback(store, 'get', 'ada', 1000, {})
    expect(called.user).toBe('ada')
  })

  withSecondStore('sees what another store has written', async () => {
    const store = database.open()
    const other = database.openAgain(store)
    await store.set('ada', session({ visits: 1 }))
    expect((await other.get('ada')).visits).toBe(1)
    await other.set('ada', session({ visits: 2 }))
    expect((await store.get('ada')).visits).toBe(2)
    await other.destroy('ada')
    expect(await store.get('ada')).toBeNull()
  })
}
