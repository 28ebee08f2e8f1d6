'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { inspect } = require('node:util')
const { Client } = require('pg')
const { RustSequelizeStore } = require('..')
const connections = require('./on-servers/connections')
const extraColumns = require('./on-servers/extra-columns')
const processes = require('./on-servers/processes')
const { failure } = require('./support/calls')
const { exercise } = require('./support/exercise')
const sequelize = require('./on-servers/sequelize')
const tables = require('./on-servers/tables')
const tls = require('./on-servers/tls')
const databases = require('./support/databases')
const { codes } = require('./support/calls')
const { loaded, session, stored } = require('./support/sessions')
const { HOUR, until } = require('./support/time')
const needs = require('./support/servers/needs')
const { startPgbouncer } = require('./support/servers/pgbouncer')
const { createPostgres } = require('./support/servers/postgres')

// What is PostgreSQL's alone. The rest is in conformance/.

const database = databases.find(({ dialect }) => dialect === 'postgres')
const onServer = database.enabled ? describe : describe.skip

onServer('PostgreSQL', () => {
  afterEach(() => database.reset())
  afterAll(() => database.end())

  const kit = {
    quote: (name) => `"${name.replaceAll('"', '""')}"`,
    varchar: 'VARCHAR(36)',
    date: 'TIMESTAMP WITH TIME ZONE',
    key: 'PRIMARY KEY',
    serial: 'SERIAL PRIMARY KEY',
    datas: { TEXT: true, JSON: true, JSONB: false, 'VARCHAR(4000)': true, BYTEA: true },
    dates: {
      'TIMESTAMP WITH TIME ZONE': '2030-01-02 03:04:05.678+00',
      'TIMESTAMP(0) WITH TIME ZONE': '2030-01-02 03:04:05+00',
      'TIMESTAMP(3) WITH TIME ZONE': '2030-01-02 03:04:05.678+00',
      TIMESTAMP: '2030-01-02 03:04:05.678',
      'TIMESTAMP(0)': '2030-01-02 03:04:05',
      'TIMESTAMP(6)': '2030-01-02 03:04:05.678',
      TEXT: '2030-01-02 03:04:05.678 +00:00',
      'VARCHAR(64)': '2030-01-02 03:04:05.678 +00:00',
      INTEGER: '1893553445',
      BIGINT: '1893553445678'
    },
    localDates: [
      ['TIMESTAMP', '2030-01-02 08:34:05.678'],
      ['TIMESTAMP(0)', '2030-01-02 08:34:05'],
      ['TIMESTAMP WITH TIME ZONE', '2030-01-02 03:04:05.678+00'],
      ['BIGINT', '1893553445678']
    ],
    asText: (column) =>
      column === 'data'
        ? `CASE WHEN pg_typeof("data") = 'bytea'::regtype THEN convert_from(("data"::text)::bytea, 'UTF8') ELSE "data"::text END`
        : `("${column}"::text)`,
    cases: [
      ['INTEGER', 5, '5'],
      ['INTEGER', -5, '-5'],
      ['INTEGER', '7', '7'],
      ['BIGINT', 2n ** 63n - 1n, '9223372036854775807'],
      ['BIGINT', Number.MAX_SAFE_INTEGER, '9007199254740991'],
      ['SMALLINT', 0, '0'],
      ['BOOLEAN', true, 'true'],
      ['BOOLEAN', false, 'false'],
      ['UUID', '123e4567-e89b-12d3-a456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
      ['JSON', { a: [1, 'é', null] }, '{"a":[1,"é",null]}'],
      ['JSONB', { a: [1, 'é', null] }, '{"a": [1, "é", null]}'],
      ['JSONB', '{"a":1}', '{"a": 1}'],
      ['TIMESTAMP WITH TIME ZONE', new Date('2030-01-02T03:04:05.678Z'), '2030-01-02 03:04:05.678+00'],
      ['TIMESTAMP', new Date('2030-01-02T03:04:05Z'), '2030-01-02 03:04:05'],
      ['DATE', new Date('2030-01-02T03:04:05Z'), '2030-01-02'],
      ['DATE', '2030-01-02', '2030-01-02'],
      ['TEXT', '', ''],
      ['TEXT', 'it\'s `" \\ 😀\n', 'it\'s `" \\ 😀\n'],
      ['TEXT', 5, '5'],
      ['VARCHAR(20)', 'ada', 'ada'],
      ['NUMERIC(10,2)', 1.25, '1.25'],
      ['DOUBLE PRECISION', 0.1 + 0.2, '0.30000000000000004'],
      ['DOUBLE PRECISION', -1e300, '-1e+300'],
      ['REAL', 2.5, '2.5'],
      ['BYTEA', Buffer.from([0, 255, 39]), '\\x00ff27'],
      ['BYTEA', Buffer.alloc(0), '\\x'],
      ['INTEGER[]', '{1,2}', '{1,2}'],
      ['INET', '10.0.0.1', '10.0.0.1/32'],
      ['MONEY', '12.50', '$12.50'],
      ['CHAR(3)', 'ab', 'ab'],
      ['BIT(3)', '101', '101'],
      ['VARCHAR(20) COLLATE "C"', 'ä', 'ä']
    ],
    misfits: [
      ['INTEGER', 'ada'],
      ['INTEGER', 2 ** 31],
      ['SMALLINT', 40_000],
      ['UUID', 'ada'],
      ['JSONB', 'ada'],
      ['VARCHAR(20)', 'x'.repeat(21)],
      ['TEXT', 'a\0b'],
      ['CHAR(3)', 'abcd'],
      ['BIT(3)', '1011'],
      ['DATE', 'soon'],
      ['NUMERIC(10,2)', 1e20]
    ],
    otherSchema: (place) => database.schemaOf(place),
    violation: ['23514'],
    migrations: [
      'ALTER COLUMN data TYPE JSONB USING data::jsonb',
      'ALTER COLUMN sid TYPE VARCHAR(128)',
      'ALTER COLUMN expires TYPE TIMESTAMP(0)',
      'ALTER COLUMN expires TYPE BIGINT USING extract(epoch FROM expires) * 1000',
      'ALTER COLUMN expires TYPE TEXT'
    ],
    unfit: [
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, data TEXT'],
      ['sid', 'id VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'sid VARCHAR(36), expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'sid VARCHAR(36), expires TIMESTAMPTZ, data TEXT, PRIMARY KEY (sid, expires)'],
      ['sid', 'sid VARCHAR(36) UNIQUE DEFERRABLE, expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'sid UUID PRIMARY KEY, expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'sid CHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'sid INTEGER PRIMARY KEY, expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'uid VARCHAR(100) PRIMARY KEY, data TEXT, expires BIGINT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires DATE, data TEXT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires BOOLEAN, data TEXT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires INTERVAL, data TEXT'],
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data INTEGER'],
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT[]'],
      ['createdAt', 'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT, "createdAt" BOOLEAN'],
      ['updatedAt', 'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT, "updatedAt" UUID']
    ]
  }

  tables(database, kit)
  describe('a column of the application', () => extraColumns(database, kit))
  describe('of several processes', () => processes(database, { ...kit, skipsLocked: true }))

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

    test('is touched without a change of its index', async () => {
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

  test('an id whose collation may take two for the same is refused', async () => {
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

  test('a view may serve for reading', async () => {
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

  test('what jsonb does not take is an error of that session alone', async () => {
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

  test('option preparedStatements: false works without a pooler too', async () => {
    await exercise(database, open({ preparedStatements: false }))
  })

  test('the URL may begin with postgresql', async () => {
    const { db } = place()
    await exercise(database, open({}, { db: db.replace(/^postgres:/, 'postgresql:') }))
  })

  describe('a table shared with Sequelize', () => sequelize(database))
})

const onOwnServer = needs.postgres.enabled ? describe : describe.skip

onOwnServer('PostgreSQL, a server of its own,', () => {
  /** The rows of a statement. */
  async function run(url, sql) {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }

  const quote = (name) => `"${name.replaceAll('"', '""')}"`
  const literal = (text) => `'${text.replaceAll("'", "''")}'`

  const withOpenssl = needs.openssl.enabled ? describe : describe.skip

  withOpenssl('and encryption', () =>
    tls({
      async create() {
        const server = await createPostgres()
        return Object.assign(server, { run: (sql) => run(server.url(), sql) })
      },
      prepare(server) {
        const rules = [
          'local all all trust',
          'hostssl all certified all cert',
          'hostssl all encrypted all scram-sha-256',
          'host all postgres all scram-sha-256'
        ]
        fs.writeFileSync(path.join(server.data, 'pg_hba.conf'), rules.join('\n'))
      },
      settings: ({ ca, cert, key }) => ({ ssl: 'on', ssl_ca_file: ca, ssl_cert_file: cert, ssl_key_file: key }),
      query(mode, { ca, cert, key } = {}) {
        const given = { sslmode: mode, sslrootcert: ca, sslcert: cert, sslkey: key }
        return new URLSearchParams(Object.entries(given).filter(([, value]) => value)).toString()
      },
      hosted: [
        'sslmode=require',
        'sslmode=require&channel_binding=require',
        'sslmode=require&supa=base-pooler.x',
        'uselibpqcompat=true&sslmode=require'
      ],
      foreign: ['ssl=true', 'sslmode=no-verify', 'sslnegotiation=direct'],
      users: [
        "CREATE ROLE encrypted LOGIN PASSWORD 'secret'",
        'CREATE ROLE certified LOGIN',
        'GRANT ALL ON SCHEMA public TO encrypted, certified',
        'CREATE TABLE "Sessions" (sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT)',
        'GRANT ALL ON "Sessions" TO encrypted, certified'
      ],
      async stats(server) {
        const sql = `SELECT count(*) FILTER (WHERE ssl)::int AS encrypted, count(*) FILTER (WHERE NOT ssl)::int AS plain
          FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'encrypted'`
        return (await server.run(sql))[0]
      }
    })
  )

  describe('and what else it may be like', () => {
    let server
    const stores = []

    beforeAll(async () => {
      server = await createPostgres()
      await server.start()
    })

    afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())))

    afterAll(() => server?.end())

    function open(db, options) {
      const store = new RustSequelizeStore({ db, ...options })
      stores.push(store)
      return store
    }

    const admin = (sql, given) => run(server.url(given), sql)

    async function exercised(db, options) {
      const store = open(db, options)
      const count = async () => Number((await run(db, 'SELECT count(*) FROM "Sessions"'))[0].count)
      await exercise({ count }, store)
      return store
    }

    describe('a unix socket', () => {
      const urls = {
        'in the parameters': () => server.socketUrl,
        'in the place of the host': () =>
          `postgres://postgres@${encodeURIComponent(server.folder)}:${server.port}/postgres`,
        'without a host': () =>
          `postgres://postgres:any@/postgres?host=${encodeURIComponent(server.folder)}&port=${server.port}`,
        'with everything in the parameters': () =>
          `postgres:///postgres?host=${encodeURIComponent(server.folder)}&port=${server.port}&user=postgres`
      }

      test.each(Object.entries(urls))('%s', async (_name, url) => {
        const store = open(url())
        await store.set('ada', session({ user: 'ada' }))
        expect((await store.get('ada')).user).toBe('ada')
        await store.sync({ force: true })
      })

      test('that is not there is an error, until it is', async () => {
        await server.stop()
        const store = open(server.socketUrl, { pool: { acquireTimeout: 500 } })
        const error = await failure(store.get('ada'))
        expect(error.code).toBe('ERR_SESSION_CONNECTION')
        expect(error.message).toMatch(server.folder)
        await server.start()
        expect(await store.get('ada')).toBeNull()
        await store.sync({ force: true })
      })
    })

    test('parameters of the usual hosts', async () => {
      const query =
        'application_name=shop&connect_timeout=10&channel_binding=prefer&target_session_attrs=read-write&pgbouncer=true'
      const store = open(server.url({ query }))
      await store.set('ada', session())
      expect(await admin("SELECT FROM pg_stat_activity WHERE application_name = 'shop'")).not.toEqual([])
      await store.sync({ force: true })
    })

    test.each(['😀', 'a\u0007b'])(
      'a password that SASLprep prohibits, %j, is refused, and not told',
      async (password) => {
        const role = `prohibited${password.length}`
        await admin(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'`)
        const error = await failure(open(server.url({ user: role, pass: password })).get('ada'))
        expect(error.code).toBe('ERR_SESSION_CONNECTION')
        // Not even the one character.
        const told = inspect(error, { depth: 9, showHidden: true }) + error.message
        expect(told).not.toMatch(/😀|\\x07|u\{?0*7\b|1f600/i)
      }
    )

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
        timeouts: ["statement_timeout = '5s'", "lock_timeout = '3s'", "idle_in_transaction_session_timeout = '5s'"]
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
        const db = server.url({ database: name })
        for (const columns of Object.values(forms)) {
          await run(db, 'DROP TABLE IF EXISTS "Sessions"')
          if (columns) await run(db, `CREATE TABLE "Sessions" (${columns})`)
          const store = await exercised(db)
          await store.set('ada', { cookie: { expires: new Date('2030-01-02T03:04:05.678Z') } })
          const seen = open(
            server.url({ database: name, query: `options=${encodeURIComponent('-c timezone=America/New_York')}` })
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

      test('that can only be read', async () => {
        await admin('CREATE DATABASE readable')
        const db = server.url({ database: 'readable' })
        const writer = open(db)
        await writer.set('ada', session({ user: 'ada' }))
        await writer.close()
        await admin('ALTER DATABASE readable SET default_transaction_read_only = on')
        const store = open(db)
        expect((await store.get('ada')).user).toBe('ada')
        const calls = [store.set('ada', session()), store.touch('ada', session()), store.destroy('ada')]
        expect(await codes(calls)).toEqual(Array(3).fill('ERR_SESSION_DATABASE'))
        expect((await store.get('ada')).user).toBe('ada')
        const other = open(db, { tableName: 'Other' })
        expect((await failure(other.get('ada'))).code).toMatch(/^ERR_SESSION_(TABLE|DATABASE)$/)
      })

      test('that has no schema to make a table in', async () => {
        const url = server.url({ query: `options=${encodeURIComponent('-c search_path=nowhere')}` })
        const store = open(url)
        expect((await failure(store.set('ada', session()))).code).toBe('ERR_SESSION_TABLE')
        await admin('CREATE SCHEMA nowhere')
        await store.set('ada', session({ user: 'ada' }))
        expect((await store.get('ada')).user).toBe('ada')
      })

      test('of another encoding: what it cannot hold is an error of that call alone', async () => {
        await admin("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        const store = open(server.url({ database: 'latin' }))
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
        expect(
          await codes([store.touch('日', session()), store.touch('ada', session()), store.destroy('carl')])
        ).toEqual([expect.anything(), null, null])
        expect(await store.ids()).toEqual(['ada'])
      })
    })

    test('a statement that the server cancels for its time is an error of time', async () => {
      await admin('CREATE DATABASE slow')
      await admin("ALTER DATABASE slow SET statement_timeout = '200ms'")
      const db = server.url({ database: 'slow' })
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

    test('a role with fewer connections than the pool may have', async () => {
      await admin("CREATE ROLE limited LOGIN PASSWORD 'secret' CONNECTION LIMIT 2")
      await admin('GRANT ALL ON SCHEMA public TO limited')
      const store = open(server.url({ user: 'limited', pass: 'secret' }), {
        tableName: 'limited',
        pool: { acquireTimeout: 1000 }
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

  const withPgbouncer = needs.pgbouncer.enabled ? describe : describe.skip

  withPgbouncer('behind PgBouncer in transaction mode', () => {
    let server
    let pooler
    const stores = []

    beforeAll(async () => {
      server = await createPostgres()
      await server.start()
      pooler = await startPgbouncer(server)
    })

    afterEach(async () => {
      await Promise.all(stores.splice(0).map((store) => store.close()))
      await run(server.url(), 'DROP TABLE IF EXISTS "Sessions"')
    })

    afterAll(() => Promise.all([pooler?.end(), server?.end()]))

    function open(options) {
      const store = new RustSequelizeStore({ db: pooler.url, preparedStatements: false, ...options })
      stores.push(store)
      return store
    }

    const count = async () => Number((await run(server.url(), 'SELECT count(*) FROM "Sessions"'))[0].count)

    test('a store without prepared statements works', async () => {
      await exercise({ count }, open())
    })

    test('many stores, and other programs, share few connections, and nobody gets what is another’s', async () => {
      const all = Array.from({ length: 6 }, () => open({ checkExpirationInterval: 0 }))
      let running = true
      const others = Array.from({ length: 4 }, async (_, i) => {
        const client = new Client({ connectionString: pooler.url })
        await client.connect()
        for (let n = 0; running; n++) {
          const { rows } = await client.query('SELECT $1::int AS i, $2::text AS n', [i, n])
          expect(rows).toEqual([{ i, n: `${n}` }])
        }
        await client.end()
      })
      const outcome = await Promise.allSettled(
        all.map(async (store, i) => {
          for (let round = 0; round < 30; round++) {
            const sids = Array.from({ length: 20 }, (_, j) => `${i}-${j}`)
            await Promise.all(sids.map((sid) => store.set(sid, session({ sid, round }))))
            const found = await Promise.all(sids.map((sid) => store.get(sid)))
            expect(found.map(({ sid, round }) => [sid, round])).toEqual(sids.map((sid) => [sid, round]))
            await Promise.all([
              store.touch(sids[0], session()),
              store.destroy(sids[1]),
              store.set(sids[2], session({}, -HOUR)),
              store.set(sids[3], loaded(store, sids[3], stored(session({ sid: sids[3], round })))),
              store.length(),
              round % 10 ? undefined : store.clearExpiredSessions(),
              round % 10 ? undefined : store.ids()
            ])
            expect(await store.get(sids[1])).toBeNull()
          }
          return store.stats().errors
        })
      )
      running = false
      await Promise.all(others)
      expect(outcome.map(({ reason, value }) => reason ?? value)).toEqual(all.map(() => 0))
    })

    test('a restart of the pooler between calls is no error', async () => {
      const store = open()
      await Promise.all(
        Array.from({ length: 30 }, (_, i) => [store.set(`${i}`, session({ i })), store.length()]).flat()
      )
      await pooler.stop()
      await pooler.start()
      const found = await Promise.all(Array.from({ length: 30 }, (_, i) => store.get(`${i}`)))
      expect(found.map(({ i }) => i)).toEqual(Array.from({ length: 30 }, (_, i) => i))
      expect(await store.length()).toBe(30)
    })

    test('a restart of the server behind it is no end', async () => {
      const store = open()
      await store.set('ada', session({ user: 'ada' }))
      await server.stop()
      await server.start()
      await until(async () => (await codes([store.get('ada')]))[0] === null)
      expect((await store.get('ada')).user).toBe('ada')
    })

    test('with prepared statements the errors say which option helps, and no session is harmed', async () => {
      const sids = Array.from({ length: 20 }, (_, i) => `kept-${i}`)
      const owner = open()
      await Promise.all(sids.map((sid) => owner.set(sid, session({ sid }))))
      const reasons = []
      const all = Array.from({ length: 6 }, () => open({ preparedStatements: true, checkExpirationInterval: 0 }))
      for (let round = 0; round < 10; round++) {
        const calls = all.flatMap((store, i) => [
          store.set(`${i}`, session({ i })),
          store.get(sids[round + i]).then((found) => expect(found.sid).toBe(sids[round + i])),
          store.touch(`${i}`, session()),
          store.destroy(`gone-${i}`),
          store.length()
        ])
        reasons.push(...(await Promise.allSettled(calls)).flatMap(({ reason }) => reason ?? []))
      }
      for (const { code, message } of reasons) expect(code ?? message).toBe('ERR_SESSION_DATABASE')
      const helpful = reasons.filter(({ message }) => message.includes('set the option `preparedStatements` to false'))
      expect(helpful.length).toBeGreaterThan(reasons.length / 2)
      const found = await Promise.all(sids.map((sid) => owner.get(sid)))
      expect(found.map(({ sid }) => sid)).toEqual(sids)
    })
  })

  describe('and connections', () =>
    connections({
      create: createPostgres,
      run,
      quote,
      createUser: (user, password) => `CREATE ROLE ${quote(user)} LOGIN PASSWORD ${literal(password)}`,
      setPassword: (user, password) => `ALTER ROLE ${quote(user)} PASSWORD ${literal(password)}`,
      createDatabase: (name) => `CREATE DATABASE ${quote(name)}`,
      grant: (user, name) => `ALTER DATABASE ${quote(name)} OWNER TO ${quote(user)}`,
      killAll: (url) =>
        run(
          url,
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ),
      connections: (url, user) => run(url, `SELECT pid FROM pg_stat_activity WHERE usename = ${literal(user)}`),
      pids: async (server) => {
        const sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        const [master] = fs.readFileSync(path.join(server.data, 'postmaster.pid'), 'utf8').split('\n')
        return [Number(master), ...(await run(server.url(), sql)).map(({ pid }) => pid)]
      },
      crash: 'SIGQUIT',
      shortIdle: {
        set: ["ALTER SYSTEM SET idle_session_timeout = '1s'", 'SELECT pg_reload_conf()'],
        reset: ['ALTER SYSTEM RESET idle_session_timeout', 'SELECT pg_reload_conf()']
      }
    }))
})
