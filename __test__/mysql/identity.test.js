'use strict'

const { codes, collect, failure } = require('../support/calls')
const { loaded, session } = require('../support/sessions')
const { HOUR } = require('../support/time')
const { onEachMysql } = require('./setup')

/** Sids of ASCII, Latin-1, the basic plane, and beyond it. */
const SIDS = { ascii: 'plain', latin: 'zürich', kana: '日本', emoji: '😀' }

/** The character sets of a sid column, and what they hold. */
const CHARSETS = {
  'CHARACTER SET latin1': ['ascii', 'latin'],
  'CHARACTER SET latin1 COLLATE latin1_bin': ['ascii', 'latin'],
  'CHARACTER SET latin1 COLLATE latin1_german1_ci': ['ascii', 'latin'],
  'CHARACTER SET ascii': ['ascii'],
  'CHARACTER SET utf8': ['ascii', 'latin', 'kana'],
  'CHARACTER SET ucs2': ['ascii', 'latin', 'kana'],
  'CHARACTER SET utf16': ['ascii', 'latin', 'kana', 'emoji'],
  'CHARACTER SET utf32': ['ascii', 'latin', 'kana', 'emoji'],
  'CHARACTER SET sjis': ['ascii', 'kana'],
  'CHARACTER SET utf8mb4': ['ascii', 'latin', 'kana', 'emoji'],
  'CHARACTER SET binary': ['ascii', 'latin', 'kana', 'emoji']
}

onEachMysql((database) => {
  const { open, place, query } = database
  const exact = database.name === 'MariaDB' ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin'

  async function openWith(sid, extra = '', options = {}) {
    const where = place()
    await query(
      where,
      `CREATE TABLE Sessions (sid ${sid}, expires DATETIME, data TEXT CHARACTER SET utf8mb4${extra}) ENGINE=InnoDB`
    )
    return open({ checkExpirationInterval: 0, ...options }, where)
  }

  describe.each(Object.entries(CHARSETS))('a sid of %s', (charset, held) => {
    const [holds, lacks] = [true, false].map((kept) =>
      Object.keys(SIDS)
        .filter((name) => held.includes(name) === kept)
        .map((name) => SIDS[name])
    )

    test.each(['PRIMARY KEY', 'UNIQUE'])('works in all calls, as %s', async (key) => {
      const store = await openWith(`VARCHAR(128) ${charset} ${key}`)
      // Alone, and as many as there are.
      for (const sids of [...holds.map((sid) => [sid]), holds]) {
        await Promise.all(sids.map((sid) => store.set(sid, session({ sid }))))
        await Promise.all(sids.map((sid) => store.set(sid, session({ sid, again: true }))))
        const found = await Promise.all(sids.map((sid) => store.get(sid)))
        expect(found.map(({ sid, again }) => [sid, again])).toEqual(sids.map((sid) => [sid, true]))
        await Promise.all(sids.map((sid) => store.touch(sid, session({}, 5 * HOUR))))
        const rows = await query(store, 'SELECT expires FROM Sessions')
        for (const { expires } of rows) expect(Math.abs(expires - Date.now() - 5 * HOUR)).toBeLessThan(HOUR / 10)
        await Promise.all(sids.map((sid, i) => store.set(sid, loaded(store, sid, { ...found[i], slow: true }))))
        expect((await Promise.all(sids.map((sid) => store.get(sid)))).map(({ slow }) => slow)).toEqual(
          sids.map(() => true)
        )
        expect(store.stats().gone).toBe(0)
        expect((await store.ids()).sort()).toEqual([...sids].sort())
        expect((await collect(store.iterate())).map(([sid]) => sid).sort()).toEqual([...sids].sort())
        await Promise.all(sids.map((sid) => store.destroy(sid)))
        expect(await store.length()).toBe(0)
      }
      await Promise.all(holds.map((sid) => store.set(sid, session({}, HOUR))))
      await query(store, "UPDATE Sessions SET expires = '2020-01-02 03:04:05'")
      expect(await store.clearExpiredSessions()).toBe(holds.length)
      expect(await database.count(store)).toBe(0)
    })

    test('that the column cannot hold is absent, and refused by set', async () => {
      const store = await openWith(`VARCHAR(128) ${charset} PRIMARY KEY`)
      // What the server would put in their place.
      const others = ['?', '??', '????']
      await Promise.all(others.map((sid) => store.set(sid, session({ sid }))))
      for (const sid of lacks) {
        const error = await failure(store.set(sid, session()))
        expect(error.code).toBe('ERR_SESSION_DATABASE')
        expect(error.message).toMatch('sid')
        expect(error.message).not.toMatch(/\\x[0-9A-F]/)
      }
      for (const sid of lacks) {
        // MariaDB converts nothing in an UPDATE that it cannot convert back. There is no such session to be found.
        const [touched] = await codes([store.touch(sid, session({}, 9 * HOUR)), store.touch('?', session())])
        const [saved] = await codes([store.set(sid, loaded(store, sid, session()))])
        expect([null, 'ERR_SESSION_DATABASE']).toContain(touched)
        expect([null, 'ERR_SESSION_DATABASE']).toContain(saved)
        expect(await codes([store.destroy(sid)])).toEqual([null])
      }
      expect(await Promise.all(lacks.map((sid) => store.get(sid)))).toEqual(lacks.map(() => null))
      const found = await Promise.all([...others, ...lacks, ...others].map((sid) => store.get(sid)))
      expect(found.map((value) => value?.sid)).toEqual([...others, ...lacks.map(() => undefined), ...others])
    })
  })

  describe.each([
    ['VARBINARY(128) PRIMARY KEY'],
    ['VARBINARY(128) UNIQUE'],
    [`VARCHAR(128) CHARACTER SET utf8mb4 COLLATE ${exact} PRIMARY KEY`],
    [`VARCHAR(128) CHARACTER SET utf8mb4 COLLATE ${exact} UNIQUE`],
    ['VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin UNIQUE'],
    ['VARCHAR(128) CHARACTER SET utf8mb4 UNIQUE'],
    ['VARCHAR(128) CHARACTER SET utf16 UNIQUE'],
    ['VARCHAR(128) CHARACTER SET latin1 PRIMARY KEY']
  ])('with the sid as %s', (sid) => {
    test.each([
      ['user_id INT, UNIQUE KEY user_key (user_id)'],
      ['id INT AUTO_INCREMENT, user_id INT, UNIQUE KEY user_key (user_id), UNIQUE KEY (id)'],
      ['user_id INT, part INT DEFAULT 0, UNIQUE KEY user_key (user_id, part)']
    ])('an upsert meets no other row through %s', async (columns) => {
      const store = await openWith(sid, `, ${columns}`, {
        extendDefaultFields: (defaults, { user }) => ({ ...defaults, user_id: user })
      })
      const users = [1, 2, 3]
      await Promise.all(users.map((user) => store.set(`s${user}`, session({ user }))))
      const calls = users.map((user) => store.set(`t${user}`, session({ user })))
      expect(await codes(calls)).toEqual(users.map(() => 'ERR_SESSION_DATABASE'))
      expect((await failure(calls[0])).message).toMatch('`user_key`')
      const found = await Promise.all(users.map((user) => store.get(`s${user}`)))
      expect(found.map(({ user }) => user)).toEqual(users)
      expect((await store.ids()).sort()).toEqual(['s1', 's2', 's3'])
      // Its own value, and another that is free.
      await store.set('s1', session({ user: 1, again: true }))
      await store.set('s2', session({ user: 9 }))
      expect((await store.get('s1')).again).toBe(true)
      expect((await store.get('s2')).user).toBe(9)
    })
  })

  test.each(['PRIMARY KEY', 'UNIQUE'])(
    'bytes that are no text are no id of ours, and end neither lists nor pruning (%s)',
    async (key) => {
      const where = place()
      await query(
        where,
        `CREATE TABLE Sessions (sid VARBINARY(128) ${key}, expires DATETIME, data TEXT CHARACTER SET utf8mb4)`
      )
      const store = open({ checkExpirationInterval: 0 }, where)
      const odd = Array.from(
        { length: 700 },
        (_, i) => `(CONCAT(x'62ff', '${i}'), NULL, '{}'), (CONCAT(x'64ff', '${i}'), '2020-01-01', '{}')`
      )
      await query(where, `INSERT INTO Sessions VALUES ${odd.join()}, (x'ff', NULL, '{}')`)
      const sids = ['a', 'b', 'c', 'd', 'e', 'é', '😀']
      for (const sid of sids) await store.set(sid, session({ sid }))
      for (let i = 0; i < 600; i++) store.set(`old ${i}`, session({}, -HOUR))
      expect(Object.keys(await store.all())).toEqual(sids)
      expect(await store.clearExpiredSessions()).toBe(600)
      expect(await database.count(store)).toBe(odd.length * 2 + 1 + sids.length)
      // As many in a row as a page of ids has.
      await query(
        where,
        "INSERT INTO Sessions SELECT CONCAT(a.sid, b.sid), NULL, '{}' FROM Sessions a, Sessions b WHERE a.sid LIKE 'b%' AND a.sid <> 'b' AND b.sid LIKE 'd%' LIMIT 12000"
      )
      expect(await store.ids()).toEqual(sids)
    }
  )

  test('the error for ids that the collation treats as equal names the collation', async () => {
    const store = await openWith('VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci UNIQUE')
    await store.set('abc', session({ user: 'abc' }))
    const error = await failure(store.set('ABC', session({ user: 'ABC' })))
    expect(error.code).toBe('ERR_SESSION_DATABASE')
    expect(error.message).toMatch('utf8mb4_general_ci')
    expect(await store.ids()).toEqual(['abc'])
    expect((await store.get('abc')).user).toBe('abc')
  })
})
