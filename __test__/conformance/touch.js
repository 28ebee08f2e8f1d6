'use strict'

const { styles } = require('../support/calls')
const { browserSession, session, stored } = require('../support/sessions')
const { HOUR, MINUTE, apart } = require('../support/time')

module.exports = (database, { withClient, withSecondStore }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('moves the expiry of a session', async () => {
      const store = database.open()
      await store.set('ada', session())
      expect(await call(store, 'touch', 'ada', session({}, -1000))).toBeUndefined()
      expect(await store.get('ada')).toBeNull()
    })

    test('succeeds for a missing session and writes nothing', async () => {
      const store = database.open()
      expect(await call(store, 'touch', 'nobody', session())).toBeUndefined()
      expect(await store.get('nobody')).toBeNull()
      expect(await store.length()).toBe(0)
    })

    test('succeeds for an expired session and never revives it', async () => {
      const store = database.open()
      await store.set('ada', session({}, -1000))
      expect(await call(store, 'touch', 'ada', session())).toBeUndefined()
      expect(await store.get('ada')).toBeNull()
      expect(await store.length()).toBe(0)
    })
  })

  test('never revives an expired session of the same burst', async () => {
    const store = database.open()
    await store.set('ada', session())
    await Promise.all([
      store.set('ada', session({}, -1000)),
      store.touch('ada', session()),
      store.touch('ada', session()),
      store.set('bob', session()),
      store.touch('bob', session({}, -1000)),
      store.touch('bob', session())
    ])
    expect(await store.ids()).toEqual([])
  })

  test('leaves the data as it is', async () => {
    const store = database.open()
    await store.set('ada', session({ visits: 1 }))
    await store.touch('ada', session({ visits: 2 }, HOUR))
    expect((await store.get('ada')).visits).toBe(1)
  })

  test('a touch works with a session that cannot be serialized', async () => {
    const store = database.open()
    await store.set('ada', session({ visits: 1 }))
    await store.touch('ada', session({ big: 1n }))
    expect((await store.get('ada')).visits).toBe(1)
  })

  test.each([
    ['null', null],
    ['undefined', undefined],
    ['a string', 'session']
  ])('refuses %s for a session', async (_name, value) => {
    const store = database.open()
    await store.set('ada', session())
    await expect(store.touch('ada', value)).rejects.toHaveProperty('code', 'ERR_SESSION_DATA')
  })

  withClient('writes expires and updatedAt and nothing else', async () => {
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
    const before = await database.row(store, 'ada')
    const touched = session({ visits: 2 }, 5 * HOUR)
    await store.touch('ada', touched)
    const row = await database.row(store, 'ada')
    expect(apart(row.expires, touched.cookie.expires)).toBeLessThan(1000)
    expect(apart(row.updatedAt, Date.now())).toBeLessThan(MINUTE)
    expect(row.createdAt).toEqual(old)
    expect(row.data).toBe(before.data)
  })

  withClient('gives the default lifetime for a cookie without expires', async () => {
    const store = database.open({ expiration: 3 * HOUR })
    await store.set('ada', browserSession())
    await database.updateRow(store, 'ada', {
      expires: new Date(Date.now() + 60_000)
    })
    await store.touch('ada', browserSession())
    const { expires } = await database.row(store, 'ada')
    expect(apart(expires, Date.now() + 3 * HOUR)).toBeLessThan(MINUTE)
  })

  withClient('leaves an expired row as it is', async () => {
    const store = database.open()
    await store.set('ada', session({}, -1000))
    const before = await database.row(store, 'ada')
    await store.touch('ada', session())
    expect(await database.row(store, 'ada')).toEqual(before)
  })

  withClient('the last of many concurrent calls counts', async () => {
    const store = database.open()
    await store.set('ada', session())
    const sessions = Array.from({ length: 100 }, (_, i) => session({}, HOUR + i * 60_000))
    await Promise.all(sessions.map((value) => store.touch('ada', value)))
    const { expires } = await database.row(store, 'ada')
    expect(apart(expires, sessions.at(-1).cookie.expires)).toBeLessThan(1000)
  })

  withSecondStore('a touch writes nothing for a session that another store has destroyed', async () => {
    const store = database.open()
    const other = database.openAgain(store)
    const ada = session()
    await store.set('ada', ada)
    expect(await store.get('ada')).toEqual(stored(ada))
    await other.destroy('ada')
    await store.touch('ada', session())
    expect(await other.ids()).toEqual([])
  })
}
