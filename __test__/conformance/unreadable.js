'use strict'

const { collect, styles } = require('../support/calls')
const { session } = require('../support/sessions')
const { HOUR } = require('../support/time')

const texts = [
  ['an empty string', ''],
  ['NULL', null],
  ['no JSON', 'ada'],
  ['the beginning of JSON', '{"cookie":{"path":"/"},"user":"a'],
  ['PHP', 'user|s:3:"ada";'],
  ['a JSON string', '"ada"'],
  ['JSON in a JSON string', JSON.stringify(JSON.stringify(session()))],
  ['a JSON number', '5'],
  ['JSON true', 'true'],
  ['JSON null', 'null'],
  ['a JSON array', '[{"cookie":{"path":"/"}}]']
]

// Rows that another program has written.
module.exports = (database, { withClient }) => {
  async function openWith(data) {
    const store = database.open()
    await store.sync()
    const expires = new Date(Date.now() + HOUR)
    await database.insertRow(store, { sid: 'odd', data, expires })
    return store
  }

  withClient.each(texts)('data that is %s is a miss, counted, and stays', async (_name, data) => {
    const store = await openWith(data)
    for (const call of Object.values(styles)) {
      expect(await call(store, 'get', 'odd')).toBeNull()
    }
    const { gets, hits, misses, unreadable, errors } = store.stats()
    expect({ gets, hits, misses, unreadable, errors }).toEqual({
      gets: 2,
      hits: 0,
      misses: 2,
      unreadable: 2,
      errors: 0
    })
    expect((await database.row(store, 'odd')).data).toBe(data)
  })

  withClient.each(texts)('data that is %s is left out of lists', async (_name, data) => {
    const store = await openWith(data)
    await store.set('ada', session({ user: 'ada' }))
    for (const call of Object.values(styles)) {
      const all = await call(store, 'all')
      expect(Object.keys(all)).toEqual(['ada'])
      expect(all.ada.user).toBe('ada')
    }
    const pairs = await collect(store.iterate())
    expect(pairs.map(([sid]) => sid)).toEqual(['ada'])
    expect(store.stats().unreadable).toBeGreaterThanOrEqual(3)
    expect((await database.row(store, 'odd')).data).toBe(data)
  })

  withClient('an unreadable row affects no other of the same burst', async () => {
    const store = database.open()
    await store.sync()
    const expires = new Date(Date.now() + HOUR)
    const sids = []
    for (const [i, [, data]] of texts.entries()) {
      sids.push(`odd-${i}`, `good-${i}`)
      await database.insertRow(store, { sid: `odd-${i}`, data, expires })
      await store.set(`good-${i}`, session({ i }))
    }
    const found = await Promise.all(sids.map((sid) => store.get(sid)))
    expect(found.map((value) => value?.i ?? null)).toEqual(texts.flatMap((_, i) => [null, i]))
    expect(store.stats()).toMatchObject({
      hits: texts.length,
      misses: texts.length,
      unreadable: texts.length
    })
  })

  withClient('an unreadable row can be set, and is read then', async () => {
    const store = await openWith('ada')
    await store.set('odd', session({ user: 'ada' }))
    expect((await store.get('odd')).user).toBe('ada')
    expect(await database.count(store)).toBe(1)
  })

  withClient('an unreadable row can be touched and destroyed', async () => {
    const store = await openWith('ada')
    await store.touch('odd', session())
    expect((await database.row(store, 'odd')).data).toBe('ada')
    await store.destroy('odd')
    expect(await database.count(store)).toBe(0)
  })

  withClient('an unreadable row is pruned when it has expired', async () => {
    const store = await openWith('ada')
    const expires = new Date(Date.now() - HOUR)
    await database.updateRow(store, 'odd', { expires })
    expect(await store.clearExpiredSessions()).toBe(1)
  })

  describe.each([
    ['no cookie', { user: 'ada' }],
    ['a cookie of null', { cookie: null, user: 'ada' }],
    ['nothing at all', {}]
  ])('a session with %s', (_name, value) => {
    test('is a miss in callback style, counted', async () => {
      const store = database.open()
      await store.set('ada', value)
      expect(await styles.callback(store, 'get', 'ada')).toBeNull()
      expect(store.stats()).toMatchObject({
        hits: 0,
        misses: 1,
        unreadable: 1
      })
      expect(await store.length()).toBe(1)
    })

    test('is found in promise style', async () => {
      const store = database.open()
      await store.set('ada', value)
      expect(await store.get('ada')).toEqual(value)
      expect(await store.all()).toEqual({ ada: value })
      expect(await collect(store.iterate())).toEqual([['ada', value]])
      expect(store.stats()).toMatchObject({
        hits: 1,
        misses: 0,
        unreadable: 0
      })
    })
  })
}
