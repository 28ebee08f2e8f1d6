'use strict'

const extraColumns = require('../on-servers/extra-columns')
const { failure } = require('../support/calls')
const { exercise } = require('../support/exercise')
const sequelize = require('../on-servers/sequelize')
const tables = require('../on-servers/tables')
const { codes } = require('../support/calls')
const { session } = require('../support/sessions')
const { HOUR, until } = require('../support/time')
const { onPostgres } = require('./setup')
const { kit } = require('./kit')

onPostgres((database) => {
  tables(database, kit(database))
  describe('a column of the application', () => extraColumns(database, kit(database)))

  const { open, place, query } = database

  describe('the table that the store makes', () => {
    test('is that of Sequelize with a wider id, and has no index but its key', async () => {
      const store = open()
      await store.sync()
      const date = { type: 'timestamp with time zone', key: false }
      expect(await database.describe(store)).toEqual([
        { name: 'sid', type: 'character varying(128)', strict: true, key: true },
        { name: 'expires', strict: false, ...date },
        { name: 'data', type: 'text', strict: false, key: false },
        { name: 'createdAt', strict: true, ...date },
        { name: 'updatedAt', strict: true, ...date }
      ])
      const indexes = await query(store, 'SELECT indexname FROM pg_indexes WHERE schemaname = $1', [
        database.schemaOf(store)
      ])
      expect(indexes).toHaveLength(1)
    })

    test('a touch leaves the index unchanged', async () => {
      const store = open()
      await Promise.all(Array.from({ length: 20 }, (_, i) => store.set(`${i}`, session())))
      for (let round = 0; round < 10; round++) {
        await Promise.all(Array.from({ length: 20 }, (_, i) => store.touch(`${i}`, session())))
      }
      const sql = `SELECT pg_stat_get_tuples_updated('"Sessions"'::regclass)::int AS updated,
        pg_stat_get_tuples_hot_updated('"Sessions"'::regclass)::int AS hot`
      await store.close()
      let counts
      await until(async () => {
        counts = (await query(store, sql))[0]
        return counts.updated >= 200
      })
      // But for rows whose page is full.
      expect(counts.hot).toBeGreaterThan(counts.updated * 0.9)
    })
  })

  test('an id column with a nondeterministic collation is refused', async () => {
    const where = place()
    await query(where, "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    await query(
      where,
      'CREATE TABLE "Sessions" (sid VARCHAR(36) COLLATE blind PRIMARY KEY, expires TIMESTAMPTZ, data TEXT)'
    )
    const store = open({}, where)
    for (const call of [store.get('ada'), store.set('ada', session())]) {
      const error = await failure(call)
      expect(error.code).toBe('ERR_SESSION_TABLE')
      expect(error.message).toMatch('sid')
    }
  })

  test('a view can be read or is refused as a table', async () => {
    const where = place()
    await query(where, 'CREATE TABLE base (sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT)')
    await query(where, 'CREATE VIEW "Sessions" AS SELECT * FROM base')
    const [code] = await codes([open({}, where).get('ada')])
    expect([null, 'ERR_SESSION_TABLE']).toContain(code)
  })

  describe('a table in partitions', () => {
    const partitions = {
      'by hash': [
        'HASH (sid)',
        ['p0', '"Sessions" FOR VALUES WITH (MODULUS 2, REMAINDER 0)'],
        ['p1', '"Sessions" FOR VALUES WITH (MODULUS 2, REMAINDER 1)']
      ],
      'by range, with partitions of their own': [
        'RANGE (sid)',
        ['low', `"Sessions" FOR VALUES FROM (MINVALUE) TO ('5') PARTITION BY RANGE (sid)`],
        ['low_first', `low FOR VALUES FROM (MINVALUE) TO ('2')`],
        ['low_other', 'low DEFAULT'],
        ['other', '"Sessions" DEFAULT']
      ]
    }

    test.each(Object.entries(partitions))('%s is pruned in all of them', async (_name, [key, ...parts]) => {
      const where = place()
      const columns = 'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT'
      await query(where, `CREATE TABLE "Sessions" (${columns}) PARTITION BY ${key}`)
      for (const [name, of] of parts) await query(where, `CREATE TABLE ${name} PARTITION OF ${of}`)
      const store = open({ checkExpirationInterval: 0 }, where)
      // More than one window of blocks in each of them.
      const text = 'x'.repeat(1500)
      await Promise.all(Array.from({ length: 3000 }, (_, i) => store.set(`${i}`, session({ text }, -HOUR))))
      await Promise.all(['ada', '1-live', '3-live'].map((sid) => store.set(sid, session())))
      expect(await store.clearExpiredSessions()).toBe(3000)
      expect((await store.ids()).sort()).toEqual(['1-live', '3-live', 'ada'])
      expect(await database.count(where)).toBe(3)
      await store.clear()
      await exercise(database, store)
    })
  })

  test('a session that jsonb cannot hold fails alone', async () => {
    const where = place()
    await query(where, 'CREATE TABLE "Sessions" (sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data JSONB)')
    const store = open({}, where)
    const calls = [
      store.set('ada', session()),
      store.set('bob', session({ text: 'a\0b' })),
      store.set('carl', session({ text: '\ud800' })),
      store.set('dora', session())
    ]
    expect(await codes(calls)).toEqual([null, 'ERR_SESSION_DATABASE', 'ERR_SESSION_DATABASE', null])
    expect(await store.ids()).toEqual(['ada', 'dora'])
  })

  describe('a table shared with Sequelize', () => sequelize(database))
})
