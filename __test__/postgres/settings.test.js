'use strict'

const { Client } = require('pg')
const { failure } = require('../support/calls')
const { codes } = require('../support/calls')
const { session } = require('../support/sessions')
const { onRunningServer, run } = require('./setup')

onRunningServer(({ admin, exercised, open, server }) => {
  describe('a database with settings of its own', () => {
    const settings = {
      dates: ["datestyle = 'SQL, DMY'", "timezone = 'Asia/Kolkata'", "intervalstyle = 'sql_standard'"],
      strings: ['standard_conforming_strings = off', "bytea_output = 'escape'", 'backslash_quote = off'],
      transactions: ["default_transaction_isolation = 'serializable'", 'default_transaction_deferrable = on'],
      plans: [
        'enable_seqscan = off',
        'enable_indexscan = off',
        'jit_above_cost = 0',
        "plan_cache_mode = 'force_generic_plan'"
      ],
      timeouts: ["statement_timeout = '60s'", "lock_timeout = '60s'", "idle_in_transaction_session_timeout = '60s'"]
    }
    const forms = {
      'as we make it': null,
      'with dates as text': 'sid TEXT PRIMARY KEY, expires TEXT, data BYTEA',
      'with dates without zone':
        'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMP, data JSON, "createdAt" TIMESTAMP, "updatedAt" TIMESTAMP'
    }

    test.each(Object.keys(settings))('%s', async (name) => {
      await admin(`CREATE DATABASE ${name}`)
      for (const setting of settings[name]) await admin(`ALTER DATABASE ${name} SET ${setting}`)
      const db = server().url({ database: name })
      for (const columns of Object.values(forms)) {
        await run(db, 'DROP TABLE IF EXISTS "Sessions"')
        if (columns) await run(db, `CREATE TABLE "Sessions" (${columns})`)
        const store = await exercised(db)
        await store.set('ada', { cookie: { expires: new Date('2030-01-02T03:04:05.678Z') } })
        const seen = open(
          server().url({ database: name, query: `options=${encodeURIComponent('-c timezone=America/New_York')}` })
        )
        const expiries = await Promise.all([store, seen].map(async (each) => each.get('ada')))
        expect(expiries).toEqual([
          { cookie: { expires: '2030-01-02T03:04:05.678Z' } },
          { cookie: { expires: '2030-01-02T03:04:05.678Z' } }
        ])
        await seen.set('soon', session({}, 60_000))
        await seen.set('dead', session({}, -60_000))
        expect((await store.ids()).sort()).toEqual(['ada', 'soon'])
        await store.close()
        await seen.close()
      }
    })

    test('that is read-only serves reads and fails writes', async () => {
      await admin('CREATE DATABASE readable')
      const db = server().url({ database: 'readable' })
      const writer = open(db)
      await writer.set('ada', session({ user: 'ada' }))
      await writer.close()
      await admin('ALTER DATABASE readable SET default_transaction_read_only = on')
      const pool = { acquireTimeout: 1000 }
      const store = open(db, { pool })
      expect((await store.get('ada')).user).toBe('ada')
      const calls = [store.set('ada', session()), store.touch('ada', session()), store.destroy('ada')]
      expect(await codes(calls)).toEqual(Array(3).fill('ERR_SESSION_CONNECTION'))
      expect((await store.get('ada')).user).toBe('ada')
      const other = open(db, { tableName: 'Other', pool })
      expect((await failure(other.get('ada'))).message).toMatch(/accepts only reads/)
    })

    test('without a schema to create a table in fails until there is one', async () => {
      const url = server().url({ query: `options=${encodeURIComponent('-c search_path=nowhere')}` })
      const store = open(url)
      expect((await failure(store.set('ada', session()))).code).toBe('ERR_SESSION_TABLE')
      await admin('CREATE SCHEMA nowhere')
      await store.set('ada', session({ user: 'ada' }))
      expect((await store.get('ada')).user).toBe('ada')
    })

    test('of another encoding fails only calls with characters that it lacks', async () => {
      await admin("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
      const store = open(server().url({ database: 'latin' }))
      await store.sync()
      const calls = [
        store.set('ada', session({ text: 'ä' })),
        store.set('bob', session({ text: '😀' })),
        store.set('日', session()),
        store.set('carl', session({ text: 'é' }))
      ]
      expect(await codes(calls)).toEqual([null, 'ERR_SESSION_DATABASE', 'ERR_SESSION_DATABASE', null])
      const found = await Promise.allSettled(['ada', '日', 'carl', 'ada', 'nobody'].map((sid) => store.get(sid)))
      expect(found.map(({ value }) => value?.text)).toEqual(['ä', undefined, 'é', 'ä', undefined])
      expect([found[0], found[2], found[3], found[4]].map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'))
      expect(await codes([store.touch('日', session()), store.touch('ada', session()), store.destroy('carl')])).toEqual(
        [expect.anything(), null, null]
      )
      expect(await store.ids()).toEqual(['ada'])
    })
  })

  test('a statement canceled by the server’s timeout is a timeout error', async () => {
    await admin('CREATE DATABASE slow')
    await admin("ALTER DATABASE slow SET statement_timeout = '3s'")
    const db = server().url({ database: 'slow' })
    const store = open(db)
    await store.set('ada', session({ user: 'ada' }))
    const other = new Client({ connectionString: db })
    await other.connect()
    try {
      await other.query('BEGIN; LOCK TABLE "Sessions" IN ACCESS EXCLUSIVE MODE')
      const calls = [store.get('ada'), store.set('bob', session())]
      expect(await codes(calls)).toEqual(Array(2).fill('ERR_SESSION_TIMEOUT'))
    } finally {
      await other.end()
    }
    expect((await store.get('ada')).user).toBe('ada')
  })

  test('a role with fewer connections than the pool works with those it gets', async () => {
    await admin("CREATE ROLE limited LOGIN PASSWORD 'secret' CONNECTION LIMIT 2")
    await admin('GRANT ALL ON SCHEMA public TO limited')
    const store = open(server().url({ user: 'limited', pass: 'secret' }), {
      tableName: 'limited',
      pool: { acquireTimeout: 8000 }
    })
    await store.set('ada', session({ user: 'ada' }))
    const calls = Array.from({ length: 100 }, (_, i) => [store.set(`${i}`, session()), store.get('ada')]).flat()
    for (const { reason, value } of await Promise.allSettled(calls)) {
      if (reason) expect(reason.code).toBe('ERR_SESSION_CONNECTION')
      else if (value !== undefined) expect(value.user).toBe('ada')
    }
    await admin('ALTER ROLE limited CONNECTION LIMIT -1')
    await Promise.all(Array.from({ length: 100 }, (_, i) => [store.set(`${i}`, session()), store.get('ada')]).flat())
  })
})
