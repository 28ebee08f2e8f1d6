'use strict'

const { codes, styles } = require('../support/calls')
const { session, stored } = require('../support/sessions')
const { MINUTE, apart } = require('../support/time')

module.exports = (database, { withClient, withSecondStore }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('creates and replaces a session', async () => {
      const store = database.open()
      expect(await call(store, 'set', 'ada', session({ a: 1 }))).toBeUndefined()
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

  test('many unawaited calls for one new session leave the last one', async () => {
    const store = database.open()
    const calls = Array.from({ length: 300 }, (_, i) => store.set('ada', session({ i })))
    await Promise.all(calls)
    expect((await store.get('ada')).i).toBe(299)
    expect(await store.length()).toBe(1)
  })

  test('the failure of one call is not that of its neighbours', async () => {
    const store = database.open()
    const values = Array.from({ length: 100 }, (_, i) => (i % 10 === 3 ? session({ big: 1n }) : session({ i })))
    const outcome = await codes(values.map((v, i) => store.set(`${i}`, v)))
    expect(outcome).toEqual(values.map((v) => (v.big === undefined ? null : 'ERR_SESSION_DATA')))
    expect(await store.length()).toBe(90)
  })

  withClient('writes one row with the columns of Sequelize', async () => {
    const store = database.open()
    const ada = session({ user: 'ada' })
    const before = Date.now()
    await store.set('ada', ada)
    const row = await database.row(store, 'ada')
    expect(row.data).toBe(JSON.stringify(ada))
    expect(apart(row.expires, ada.cookie.expires)).toBeLessThan(1000)
    expect(apart(row.createdAt, before)).toBeLessThan(MINUTE)
    expect(row.updatedAt).toEqual(row.createdAt)
    expect(await database.count(store)).toBe(1)
  })

  withClient('a second call moves updatedAt and leaves createdAt', async () => {
    const store = database.open()
    await store.sync()
    await database.insertRow(store, {
      sid: 'ada',
      data: JSON.stringify(session()),
      expires: session().cookie.expires,
      createdAt: new Date('2020-01-02T03:04:05Z'),
      updatedAt: new Date('2020-01-02T03:04:05Z')
    })
    await store.set('ada', session({ visits: 2 }))
    const row = await database.row(store, 'ada')
    expect(row.createdAt).toEqual(new Date('2020-01-02T03:04:05Z'))
    expect(apart(row.updatedAt, Date.now())).toBeLessThan(MINUTE)
    expect(JSON.parse(row.data).visits).toBe(2)
    expect(await database.count(store)).toBe(1)
  })

  withClient('brings a row to life that has expired', async () => {
    const store = database.open()
    await store.set('ada', session({ visits: 1 }, -1000))
    await store.set('ada', session({ visits: 2 }))
    expect((await store.get('ada')).visits).toBe(2)
    expect(await database.count(store)).toBe(1)
  })

  withSecondStore('several stores may create one session at once', async () => {
    const first = database.open()
    const stores = [first, ...[1, 2, 3].map(() => database.openAgain(first))]
    const calls = stores.flatMap((store, i) => Array.from({ length: 25 }, () => store.set('ada', session({ i }))))
    await Promise.all(calls)
    expect(await first.ids()).toEqual(['ada'])
    expect([0, 1, 2, 3]).toContain((await first.get('ada')).i)
  })
}
