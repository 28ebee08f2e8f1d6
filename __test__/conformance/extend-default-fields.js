'use strict'

const { codes, styles } = require('../support/calls')
const { loaded, session } = require('../support/sessions')
const { HOUR, apart } = require('../support/time')

const text = JSON.stringify

module.exports = (database, { withClient }) => {
  test('is called with the default fields and the session, during the call', async () => {
    const calls = []
    const store = database.open({
      extendDefaultFields(defaults, value) {
        calls.push([{ ...defaults }, value])
        return defaults
      }
    })
    const ada = session({ user: 'ada' })
    const written = store.set('ada', ada)
    expect(calls).toHaveLength(1)
    const [defaults, given] = calls[0]
    expect(given).toBe(ada)
    expect(defaults.data).toBe(text(ada))
    expect(defaults.expires).toBeInstanceOf(Date)
    expect(apart(defaults.expires, ada.cookie.expires)).toBeLessThan(1000)
    await written
    expect((await store.get('ada')).user).toBe('ada')
    await store.touch('ada', ada)
    expect(calls).toHaveLength(1)
  })

  test('can change the data and the expiry', async () => {
    const store = database.open({
      extendDefaultFields: (defaults, { dead }) => ({
        data: defaults.data.replace('ada', 'bob'),
        expires: dead ? new Date(Date.now() - HOUR) : defaults.expires
      })
    })
    await store.set('ada', session({ user: 'ada' }))
    await store.set('dead', session({ dead: true }))
    expect((await store.get('ada')).user).toBe('bob')
    expect(await store.ids()).toEqual(['ada'])
  })

  test('is read at each call', async () => {
    const store = database.open()
    await store.set('ada', session({ user: 'ada' }))
    store.options.extendDefaultFields = (defaults) => ({
      ...defaults,
      data: text({ cookie: {}, user: 'bob' })
    })
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('bob')
  })

  const thrown = new RangeError('from extendDefaultFields')

  test.each([
    [
      'throws',
      () => {
        throw thrown
      }
    ],
    ['gives undefined', () => undefined],
    ['gives null', () => null],
    ['gives a string', () => 'ada'],
    ['gives a number', () => 5],
    ['gives data that is a number', (defaults) => ({ ...defaults, data: 5 })],
    ['gives data that is an object', (defaults) => ({ ...defaults, data: {} })],
    ['gives an invalid date', (defaults) => ({ ...defaults, expires: new Date(Number.NaN) })],
    ['gives an end that is no date', (defaults) => ({ ...defaults, expires: 'soon' })],
    ['gives a promise', async (defaults) => defaults]
  ])('one that %s fails the call', async (_name, extendDefaultFields) => {
    const store = database.open({ extendDefaultFields })
    const outcome = [store.set('ada', session()), styles.callback(store, 'set', 'ada', session())]
    expect(await codes(outcome)).toEqual(['ERR_SESSION_DATA', 'ERR_SESSION_DATA'])
    expect(await store.length()).toBe(0)
  })

  test('the cause of the failure is what was thrown', async () => {
    const store = database.open({
      extendDefaultFields() {
        throw thrown
      }
    })
    const error = await store.set('ada', session()).catch((reason) => reason)
    expect(error.cause).toBe(thrown)
  })

  // Sequelize leaves such columns out.
  const withAnyColumn = database.supports.model ? test.skip : test

  withAnyColumn('a column that does not exist is named, and fails only that session', async () => {
    const store = database.open({
      extendDefaultFields: (defaults, { column }) => (column ? { ...defaults, [column]: 'ada' } : defaults)
    })
    const calls = [
      store.set('ada', session()),
      store.set('bob', session({ column: 'nickname' })),
      store.set('carl', session()),
      store.set('dora', session({ column: 'it`s' }))
    ]
    expect(await codes(calls)).toEqual([null, 'ERR_SESSION_TABLE', null, 'ERR_SESSION_TABLE'])
    await expect(calls[1]).rejects.toThrow(/nickname/)
    await expect(calls[3]).rejects.toThrow(/it`s/)
    expect((await store.ids()).sort()).toEqual(['ada', 'carl'])
  })

  describe('extra columns', () => {
    // Sequelize takes quotes out of names.
    const awkward = database.supports.model ? 'awkward name' : "awkward `na'me"
    const columns = {
      userId: 'string',
      visits: 'integer',
      admin: 'boolean',
      seen: 'date',
      picture: 'blob',
      [awkward]: 'string'
    }

    const fields = (defaults, { user, visits, picture }) => ({
      ...defaults,
      userId: user,
      visits,
      admin: user === 'ada',
      seen: new Date(1_700_000_000_123),
      picture,
      [awkward]: user === undefined ? null : `${user}'s`
    })

    async function openWith(extendDefaultFields = fields) {
      const place = database.place()
      await database.createTable(place, columns)
      return database.open({ extendDefaultFields }, place)
    }

    withClient('are written by the same call', async () => {
      const store = await openWith()
      const picture = Buffer.from([0, 255, 39, 0])
      await store.set('ada', session({ user: 'ada', visits: 3, picture }))
      await store.set('bob', session())
      const ada = await database.row(store, 'ada')
      expect(ada).toMatchObject({ userId: 'ada', visits: 3 })
      // Not every database has booleans.
      expect(Number(ada.admin)).toBe(1)
      expect(ada[awkward]).toBe("ada's")
      expect(picture.equals(ada.picture)).toBe(true)
      expect(apart(new Date(ada.seen), 1_700_000_000_123)).toBeLessThan(1000)
      const bob = await database.row(store, 'bob')
      expect(bob).toMatchObject({ userId: null, visits: null })
      expect(Number(bob.admin)).toBe(0)
      expect(bob.picture).toBeNull()
      expect((await store.get('ada')).user).toBe('ada')
    })

    withClient('are replaced by a later set and left alone by a touch', async () => {
      const store = await openWith()
      await store.set('ada', session({ user: 'ada', visits: 1 }))
      await store.touch('ada', session({ user: 'bob', visits: 2 }))
      expect(await database.row(store, 'ada')).toMatchObject({
        userId: 'ada',
        visits: 1
      })
      await store.set('ada', session({ user: 'bob', visits: 2 }))
      expect(await database.row(store, 'ada')).toMatchObject({
        userId: 'bob',
        visits: 2
      })
    })

    withClient('are written for a loaded session', async () => {
      const store = await openWith()
      await store.set('ada', session({ user: 'ada', visits: 1 }))
      const request = loaded(store, 'ada', await store.get('ada'))
      request.visits = 2
      await store.set('ada', request)
      expect(await database.row(store, 'ada')).toMatchObject({
        userId: 'ada',
        visits: 2
      })
      await store.destroy('ada')
      await store.set('ada', request)
      expect(await database.count(store)).toBe(0)
    })

    withClient('keep their values when a later set omits them', async () => {
      const store = await openWith((defaults, { user }) => (user ? { ...defaults, userId: user } : defaults))
      await store.set('ada', session({ user: 'ada' }))
      await store.set('ada', session())
      expect((await database.row(store, 'ada')).userId).toBe('ada')
      await Promise.all([store.set('bob', session({ user: 'bob' })), store.set('bob', session({ visits: 2 }))])
      expect((await database.row(store, 'bob')).userId).toBe('bob')
      expect((await store.get('bob')).visits).toBe(2)
    })

    withClient('each row of a burst keeps its own columns', async () => {
      const store = await openWith((defaults, { i }) => ({
        ...defaults,
        ...(i % 2 ? { userId: `user-${i}` } : {}),
        ...(i % 3 ? { visits: i } : {}),
        ...(i % 5 ? {} : { picture: Buffer.from([i]) })
      }))
      const numbers = Array.from({ length: 120 }, (_, i) => i)
      await Promise.all(numbers.map((i) => store.set(`${i}`, session({ i }))))
      for (const i of numbers) {
        const row = await database.row(store, `${i}`)
        expect(JSON.parse(row.data).i).toBe(i)
        expect(row.userId).toBe(i % 2 ? `user-${i}` : null)
        expect(row.visits).toBe(i % 3 ? i : null)
        expect(row.picture?.[0] ?? null).toBe(i % 5 ? null : i)
      }
    })

    withClient('values are those at the time of the call', async () => {
      const store = await openWith()
      const picture = Buffer.from([1, 2, 3])
      const written = store.set('ada', session({ user: 'ada', picture }))
      picture.fill(9)
      await written
      const row = await database.row(store, 'ada')
      expect([...row.picture]).toEqual([1, 2, 3])
    })

    withClient.each([
      ['a function', () => {}],
      ['a symbol', Symbol('value')],
      ['not a number', Number.NaN],
      ['infinity', Number.POSITIVE_INFINITY],
      ['a bigint of more than 64 bits', 2n ** 63n],
      ['a negative bigint of more than 64 bits', -(2n ** 63n) - 1n],
      ['an invalid date', new Date(Number.NaN)],
      ['an object that cannot be serialized', { big: 1n }]
    ])('%s is refused, and the column named', async (_name, value) => {
      const store = await openWith((defaults, { odd }) => ({
        ...defaults,
        visits: odd ? value : 1
      }))
      const calls = [store.set('ada', session()), store.set('bob', session({ odd: true }))]
      expect(await codes(calls)).toEqual([null, 'ERR_SESSION_DATA'])
      await expect(calls[1]).rejects.toThrow(/visits/)
      expect(await store.ids()).toEqual(['ada'])
    })
  })
}
