'use strict'

const { codes, styles } = require('../support/calls')
const { session } = require('../support/sessions')

module.exports = (database, { withClient, withSecondStore }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('creates the table, and leaves it as it is the second time', async () => {
      const store = database.open()
      expect(await call(store, 'sync')).toBeUndefined()
      await store.set('ada', session({ user: 'ada' }))
      expect(await call(store, 'sync')).toBeUndefined()
      await call(store, 'sync', {})
      await call(store, 'sync', { force: false })
      expect((await store.get('ada')).user).toBe('ada')
    })

    test('with force makes the table anew', async () => {
      const store = database.open()
      await store.set('ada', session())
      expect(await call(store, 'sync', { force: true })).toBeUndefined()
      expect(await store.get('ada')).toBeNull()
      await store.set('bob', session())
      expect(await store.ids()).toEqual(['bob'])
    })

    test('creates the table even if operations may not', async () => {
      const store = database.open({ createTable: false })
      await expect(call(store, 'get', 'ada')).rejects.toHaveProperty('code', 'ERR_SESSION_TABLE')
      await call(store, 'sync')
      await call(store, 'set', 'ada', session({ user: 'ada' }))
      expect((await call(store, 'get', 'ada')).user).toBe('ada')
    })
  })

  test.each([
    ['get', (store) => store.get('ada')],
    ['set', (store) => store.set('ada', session())],
    ['touch', (store) => store.touch('ada', session())],
    ['destroy', (store) => store.destroy('ada')],
    ['all', (store) => store.all()],
    ['ids', (store) => store.ids()],
    ['length', (store) => store.length()],
    ['clear', (store) => store.clear()],
    ['iterate', (store) => store.iterate().next()],
    ['clearExpiredSessions', (store) => store.clearExpiredSessions()]
  ])('the table is created by a first call of %s, unless createTable is false', async (_verb, call) => {
    await call(database.open())
    const store = database.open({ createTable: false })
    await expect(call(store)).rejects.toHaveProperty('code', 'ERR_SESSION_TABLE')
  })

  withClient('a missing table is looked for again each time', async () => {
    const store = database.open({ createTable: false })
    expect(await codes([store.get('ada'), store.set('ada', session())])).toEqual([
      'ERR_SESSION_TABLE',
      'ERR_SESSION_TABLE'
    ])
    expect(await database.tableExists(store)).toBe(false)
    await database.createTable(store)
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
  })

  withClient('nothing is touched before the first call', async () => {
    const store = database.open()
    expect(await database.tableExists(store)).toBe(false)
    await store.length()
    expect(await database.tableExists(store)).toBe(true)
  })

  withClient('a table that was dropped under the store can be made anew', async () => {
    const store = database.open()
    await store.set('ada', session())
    await database.dropTable(store)
    // Whether a call heals the table by itself is free; that it says what is wrong, and that sync helps, is not.
    for (const code of await codes([store.set('ada', session()), store.get('ada')])) {
      expect([null, 'ERR_SESSION_TABLE']).toContain(code)
    }
    await store.sync()
    await store.set('bob', session({ user: 'bob' }))
    expect((await store.get('bob')).user).toBe('bob')
  })

  test('the first calls of a store may come all at once', async () => {
    for (let round = 0; round < 60; round++) {
      const store = database.open()
      const outcome = await codes([
        store.set('ada', session()),
        store.get('nobody'),
        store.length(),
        store.ids(),
        store.touch('bob', session()),
        store.destroy('carl')
      ])
      expect(outcome).toEqual(Array(6).fill(null))
      // A server has only so many connections.
      await store.close()
    }
  })

  withSecondStore('many stores may start at once', async () => {
    const first = database.open()
    const stores = Array.from({ length: 12 }, () => database.openAgain(first))
    await Promise.all(
      stores.flatMap((store, i) => [
        i % 2 ? store.sync() : undefined,
        store.set(`sid-${i}`, session()),
        store.get('nobody')
      ])
    )
    expect(await first.length()).toBe(12)
  })

  withSecondStore('a store goes on when another one has made the table anew', async () => {
    const store = database.open()
    const other = database.openAgain(store)
    await store.set('ada', session())
    await other.sync({ force: true })
    expect(await store.get('ada')).toBeNull()
    await store.set('ada', session({ user: 'ada' }))
    expect((await other.get('ada')).user).toBe('ada')
  })
}
