'use strict'

const { codes, collect, failure, styles } = require('../support/calls')
const { session, stored } = require('../support/sessions')

const base64 = {
  stringify: (value) => Buffer.from(JSON.stringify(value)).toString('base64'),
  parse: (text) => JSON.parse(Buffer.from(text, 'base64').toString())
}

module.exports = (database, { withClient }) => {
  test('writes and reads the sessions', async () => {
    const store = database.open({ serializer: base64 })
    const ada = session({ user: 'adä', text: "it's \0 😀" })
    await store.set('ada', ada)
    for (const call of Object.values(styles)) {
      expect(await call(store, 'get', 'ada')).toEqual(stored(ada))
      expect(await call(store, 'all')).toEqual({ ada: stored(ada) })
    }
    expect(await collect(store.iterate())).toEqual([['ada', stored(ada)]])
  })

  test('its methods are called as methods, with the session or the text alone', async () => {
    const calls = []
    const serializer = {
      stringify(...args) {
        calls.push([this === serializer, args.length])
        return JSON.stringify(args[0])
      },
      parse(...args) {
        calls.push([this === serializer, args.length])
        return JSON.parse(args[0])
      }
    }
    const store = database.open({ serializer })
    await store.set('ada', session())
    await store.get('ada')
    await store.all()
    expect(calls).toEqual([
      [true, 1],
      [true, 1],
      [true, 1]
    ])
  })

  test('it need not make objects without prototype or cookie', async () => {
    class Session {}
    const store = database.open({
      serializer: {
        stringify: ({ user }) => user,
        parse: (text) => Object.assign(new Session(), { user: text })
      }
    })
    await store.set('ada', session({ user: 'ada' }))
    expect(await store.get('ada')).toBeInstanceOf(Session)
    expect((await store.get('ada')).user).toBe('ada')
  })

  test.each([
    [
      'throws',
      () => {
        throw new RangeError('from stringify')
      }
    ],
    ['gives undefined', () => undefined],
    ['gives null', () => null],
    ['gives a number', () => 5],
    ['gives a buffer', () => Buffer.from('{}')],
    ['gives a promise', async () => '{}']
  ])('a stringify that %s fails the call', async (_name, stringify) => {
    const store = database.open({ serializer: { ...base64, stringify } })
    const outcome = [store.set('ada', session()), styles.callback(store, 'set', 'ada', session())]
    expect(await codes(outcome)).toEqual(['ERR_SESSION_DATA', 'ERR_SESSION_DATA'])
    expect(await store.length()).toBe(0)
  })

  test.each([
    [
      'throws',
      () => {
        throw new RangeError('from parse')
      }
    ],
    ['gives undefined', () => undefined],
    ['gives null', () => null],
    ['gives a string', () => 'ada']
  ])('a parse that %s makes the row a miss', async (_name, parse) => {
    const store = database.open({ serializer: { ...base64, parse } })
    await store.set('ada', session())
    for (const call of Object.values(styles)) {
      expect(await call(store, 'get', 'ada')).toBeNull()
      expect(await call(store, 'all')).toEqual({})
    }
    expect(await collect(store.iterate())).toEqual([])
    expect(store.stats()).toMatchObject({ misses: 2, unreadable: 5 })
    expect(await store.length()).toBe(1)
  })

  const promising = [
    ['stringify', { ...base64, stringify: async (value) => base64.stringify(value) }],
    ['parse', { ...base64, parse: async (text) => base64.parse(text) }],
    ['a parse that rejects', { ...base64, parse: () => Promise.reject(new Error('from parse')) }],
    // biome-ignore lint/suspicious/noThenProperty: what can be awaited like a promise
    ['a parse with a thenable', { ...base64, parse: () => ({ then: (done) => done({ cookie: {} }) }) }]
  ]

  describe.each(promising)('%s by promise', (name, serializer) => {
    test.each(Object.keys(styles))('is refused at the first call in %s style', async (style) => {
      const call = styles[style]
      const store = database.open({ serializer: base64 })
      await store.set('ada', session())
      store.options.serializer = serializer
      const calls = name === 'stringify' ? [['set', 'bob', session()]] : [['get', 'ada'], ['all']]
      for (const [verb, ...args] of calls) {
        const error = await failure(call(store, verb, ...args))
        expect(error.code).toBe('ERR_SESSION_DATA')
        expect(error.message).toMatch(/`(stringify|parse)` of option `serializer`.* promise/)
      }
      if (name !== 'stringify') expect(await codes([collect(store.iterate())])).toEqual(['ERR_SESSION_DATA'])
      expect(store.stats()).toMatchObject({ errors: calls.length, unreadable: 0, misses: 0, hits: 0, pending: 0 })
      expect(await store.length()).toBe(1)
    })
  })

  test('it is read at each call', async () => {
    const store = database.open()
    await store.set('ada', session({ user: 'ada' }))
    store.options.serializer = base64
    expect(await store.get('ada')).toBeNull()
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
  })

  withClient('the column holds its text', async () => {
    const store = database.open({ serializer: base64 })
    const ada = session({ user: 'ada' })
    await store.set('ada', ada)
    const { data } = await database.row(store, 'ada')
    expect(data).toBe(base64.stringify(ada))
  })
}
