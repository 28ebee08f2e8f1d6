'use strict'

const { exercise } = require('../support/exercise')
const { codes } = require('../support/calls')
const { loaded, session, stored } = require('../support/sessions')
const { HOUR } = require('../support/time')
const { onEachMysql } = require('./setup')

onEachMysql((database) => {
  const { open, place, query } = database

  describe.each([
    ['utf8mb4', 'utf8mb4_general_ci'],
    ['utf8mb4', 'utf8mb4_unicode_ci'],
    ['utf8mb4', 'utf8mb4_bin'],
    ['latin1', 'latin1_swedish_ci'],
    ['utf8', 'utf8_general_ci']
  ])('a table of the incumbent in %s, %s', (charset, collation) => {
    async function existing(options, extra = '') {
      const where = place()
      await query(
        where,
        `CREATE TABLE Sessions (sid VARCHAR(36), expires DATETIME, data TEXT, createdAt DATETIME NOT NULL,
          updatedAt DATETIME NOT NULL${extra}, PRIMARY KEY (sid)) ENGINE=InnoDB CHARACTER SET ${charset} COLLATE ${collation}`
      )
      return open({ checkExpirationInterval: 0, ...options }, where)
    }

    test('works', async () => {
      const where = place()
      await query(
        where,
        `CREATE TABLE Sessions (sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT CHARACTER SET utf8mb4) CHARACTER SET ${charset} COLLATE ${collation}`
      )
      await exercise(database, open({}, where))
    })

    // Ids that the collation takes for the same, but for the first.
    const twins = ['ABC', 'Abc', 'abc ', 'abc  ']

    test('ids are compared byte by byte', async () => {
      const store = await existing()
      await store.set('abc', session({ user: 'abc' }))
      const before = await database.row(store, 'abc')
      for (const sid of twins) {
        expect(await store.get(sid)).toBeNull()
        await store.touch(sid, session({}, 9 * HOUR))
        await store.set(sid, loaded(store, sid, session({ user: sid })))
        await store.destroy(sid)
        expect(await database.row(store, 'abc')).toEqual(before)
      }
      const found = await Promise.all(['abc', ...twins, 'abc'].map((sid) => store.get(sid)))
      expect(found.map((value) => value?.user)).toEqual(['abc', ...twins.map(() => undefined), 'abc'])
    })

    test.each(['abc', 'abc ', 'aBc'])(
      'ids are compared byte by byte in one burst too, with the row %j',
      async (own) => {
        const others = ['abc', 'aBc', ...twins].filter((sid) => sid !== own)
        const store = await existing({ pool: { max: 1 } })
        await store.set(own, session({ user: own }))
        const touched = session({ user: own }, 5 * HOUR)
        const release = await database.lock(store)
        const calls = [
          store.touch('first', session()),
          ...others.map((sid) => store.touch(sid, session({}, 9 * HOUR))),
          ...others.map((sid) => store.set(sid, loaded(store, sid, session({ user: sid })))),
          store.touch(own, touched),
          store.set(own, loaded(store, own, stored({ ...touched, again: true }))),
          ...others.map((sid) => store.get(sid))
        ]
        await release()
        await Promise.all(calls)
        expect(await store.get(own)).toMatchObject({ user: own, again: true })
        const { expires } = await database.row(store, own)
        expect(Math.abs(expires - touched.cookie.expires)).toBeLessThan(1000)
        expect(store.stats().gone).toBe(others.length)
        await Promise.all(others.map((sid) => store.destroy(sid)))
        expect(await store.get(own)).toMatchObject({ user: own, again: true })
      }
    )

    test('an id that the collation takes for another is an error, and the other session stays', async () => {
      const store = await existing()
      await store.set('abc', session({ user: 'abc' }))
      for (const sid of twins) {
        const [code] = await codes([store.set(sid, session({ user: sid }))])
        expect((await store.get('abc')).user).toBe('abc')
        // Nobody is told that a session was kept that was not.
        if (code === null) expect((await store.get(sid)).user).toBe(sid)
        else expect(code).toBe('ERR_SESSION_DATABASE')
        await store.destroy(sid)
      }
      const outcome = await codes([
        store.set('other', session()),
        ...twins.map((sid) => store.set(sid, session({ user: sid }))),
        store.set('another', session())
      ])
      expect([outcome[0], outcome.at(-1)]).toEqual([null, null])
      expect((await store.get('abc')).user).toBe('abc')
    })

    test('only a set of the same id revives a softly deleted session', async () => {
      const store = await existing({}, ', deletedAt DATETIME')
      await store.set('abc', session({ user: 'abc' }))
      await query(store, "UPDATE Sessions SET deletedAt = '2024-01-02 03:04:05'")
      for (const sid of twins) {
        await codes([store.set(sid, session({ user: sid }))])
        expect(await store.get('abc')).toBeNull()
        await store.destroy(sid)
      }
      await store.set('abc', session({ user: 'again' }))
      expect((await store.get('abc')).user).toBe('again')
    })

    test('an id that the column cannot hold fails no other call', async () => {
      const store = await existing()
      await store.set('abc', session({ user: 'abc' }))
      const odd = ['😀', '日本', 'ä', '\u{10ffff}']
      const reads = await Promise.allSettled(['abc', ...odd, 'abc', 'nobody'].map((sid) => store.get(sid)))
      expect(reads[0]).toMatchObject({ status: 'fulfilled', value: { user: 'abc' } })
      expect(reads.at(-2)).toMatchObject({ status: 'fulfilled', value: { user: 'abc' } })
      expect(reads.at(-1)).toEqual({ status: 'fulfilled', value: null })
      for (const { value } of reads.slice(1, -2)) expect(value ?? null).toBeNull()
      const writes = await codes([
        store.touch('abc', session()),
        ...odd.flatMap((sid) => [store.touch(sid, session()), store.destroy(sid)]),
        store.destroy('nobody'),
        store.set('other', session())
      ])
      expect([writes[0], writes.at(-2), writes.at(-1)]).toEqual([null, null, null])
      for (const sid of odd) {
        const [code] = await codes([store.set(sid, session({ sid })), store.set('bob', session())])
        // What was acknowledged is there, as it was.
        if (code === null) expect((await store.get(sid)).sid).toBe(sid)
      }
      expect((await store.get('bob')) ?? (await store.ids())).toBeTruthy()
      expect((await store.get('abc')).user).toBe('abc')
    })

    test('a session too large for the column fails alone, and is never truncated', async () => {
      const store = await existing()
      await store.set('long', session({ text: 'short' }))
      const before = await database.row(store, 'long')
      const long = session({ text: 'x'.repeat(70_000) })
      const outcome = await codes([
        store.set('ada', session()),
        store.set('long', long),
        store.set('long', loaded(store, 'long', stored(long))),
        store.set('bob', session()),
        store.set('long too', long)
      ])
      expect(outcome).toEqual([null, 'ERR_SESSION_DATABASE', 'ERR_SESSION_DATABASE', null, 'ERR_SESSION_DATABASE'])
      expect((await database.row(store, 'long')).data).toBe(before.data)
      expect((await store.ids()).sort()).toEqual(['ada', 'bob', 'long'])
      const emoji = await codes([store.set('emoji', session({ text: '😀' })), store.set('carl', session())])
      expect(emoji[1]).toBeNull()
      if (emoji[0] === null) expect((await store.get('emoji')).text).toBe('😀')
      else expect(emoji[0]).toBe('ERR_SESSION_DATABASE')
    })
  })
})
