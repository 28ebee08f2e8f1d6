'use strict'

const { styles } = require('../support/calls')
const { session, stored } = require('../support/sessions')

module.exports = (database, { withClient }) => {
  const yielded = database.supports.model ? expect.objectContaining({ sid: 'ada' }) : undefined

  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('creates and replaces a session', async () => {
      const store = database.open()
      expect(await call(store, 'set', 'ada', session({ a: 1 }))).toEqual(yielded)
      await call(store, 'set', 'ada', session({ b: 2 }))
      const found = await store.get('ada')
      expect(found).toMatchObject({ b: 2 })
      expect(found).not.toHaveProperty('a')
      expect(await store.length()).toBe(1)
    })

    test('takes a lifetime as third argument', async () => {
      const store = database.open()
      await call(store, 'set', 'brief', session(), -1000)
      await call(store, 'set', 'long', session({}, -1000), 60_000)
      await call(store, 'set', 'default', session(), 'session')
      await call(store, 'set', 'none', session(), undefined)
      expect((await store.ids()).sort()).toEqual(['default', 'long', 'none'])
    })

    test.each([
      ['null', null],
      ['undefined', undefined],
      ['a string', 'session'],
      ['a number', 5],
      ['a boolean', true],
      ['a symbol', Symbol('session')]
    ])('refuses %s for a session', async (_name, value) => {
      const store = database.open()
      await expect(call(store, 'set', 'ada', value)).rejects.toHaveProperty('code', 'ERR_SESSION_DATA')
      expect(await store.get('ada')).toBeNull()
    })
  })

  test('a function is no session', async () => {
    const store = database.open()
    await expect(store.set('ada', () => {})).rejects.toBeInstanceOf(Error)
    expect(await store.get('ada')).toBeNull()
  })

  test('ignores the context of koa-session', async () => {
    const store = database.open()
    await store.set('ada', { user: 'ada' }, 60_000, { changed: true })
    expect(await store.get('ada')).toEqual({ user: 'ada' })
  })

  test('does not change the session', async () => {
    const store = database.open()
    const ada = session({ user: 'ada' })
    const before = stored(ada)
    await store.set('ada', ada)
    expect(stored(ada)).toEqual(before)
    const frozen = Object.freeze(session({ user: 'bob' }))
    await store.set('bob', frozen)
    expect(await store.get('bob')).toEqual(stored(frozen))
  })

  withClient('brings a row to life that has expired', async () => {
    const store = database.open()
    await store.set('ada', session({ visits: 1 }, -1000))
    await store.set('ada', session({ visits: 2 }))
    expect((await store.get('ada')).visits).toBe(2)
    expect(await database.count(store)).toBe(1)
  })
}
