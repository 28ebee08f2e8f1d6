'use strict'

const fs = require('node:fs')
const path = require('node:path')
const mysql = require('mysql2/promise')
const { RustSequelizeStore } = require('..')
const connections = require('./on-servers/connections')
const extraColumns = require('./on-servers/extra-columns')
const { failure } = require('./support/calls')
const { exercise } = require('./support/exercise')
const processes = require('./on-servers/processes')
const sequelize = require('./on-servers/sequelize')
const tables = require('./on-servers/tables')
const tls = require('./on-servers/tls')
const { codes } = require('./support/calls')
const { loaded, session, stored } = require('./support/sessions')
const { HOUR, until } = require('./support/time')
const databases = require('./support/databases')
const needs = require('./support/servers/needs')
const { createMysql } = require('./support/servers/mysql')

// What is MySQL's and MariaDB's alone. The rest is in conformance/.

const database = databases.find(({ dialect }) => dialect === 'mysql')
const onServer = database.enabled ? describe : describe.skip

onServer(database.name, () => {
  afterEach(() => database.reset())
  afterAll(() => database.end())

  const kit = {
    quote: (name) => `\`${name.replaceAll('`', '``')}\``,
    varchar: 'VARCHAR(36)',
    date: 'DATETIME',
    key: 'PRIMARY KEY',
    serial: 'INTEGER AUTO_INCREMENT PRIMARY KEY',
    datas: {
      TEXT: true,
      MEDIUMTEXT: true,
      LONGTEXT: true,
      'VARCHAR(4000)': true,
      BLOB: true,
      LONGBLOB: true,
      'VARBINARY(4000)': true,
      // Text with a check on MariaDB, and a type of its own on MySQL.
      JSON: database.name === 'MariaDB'
    },
    dates: {
      DATETIME: '2030-01-02 03:04:05',
      'DATETIME(3)': '2030-01-02 03:04:05.678',
      'DATETIME(6)': '2030-01-02 03:04:05.678000',
      'TIMESTAMP NULL': '2030-01-02 03:04:05',
      'TIMESTAMP(3) NULL': '2030-01-02 03:04:05.678',
      'VARCHAR(64)': '2030-01-02 03:04:05.678 +00:00',
      TEXT: '2030-01-02 03:04:05.678 +00:00',
      INT: '1893553445',
      'INT UNSIGNED': '1893553445',
      BIGINT: '1893553445678'
    },
    localDates: [
      ['DATETIME', '2030-01-02 08:34:05'],
      ['DATETIME(3)', '2030-01-02 08:34:05.678'],
      ['TIMESTAMP NULL', '2030-01-02 03:04:05'],
      ['BIGINT', '1893553445678']
    ],
    asText: (column) => `CONVERT(CAST(\`${column}\` AS CHAR) USING utf8mb4)`,
    cases: [
      ['INT', 5, '5'],
      ['INT', -5, '-5'],
      ['INT', '7', '7'],
      ['BIGINT', 2n ** 63n - 1n, '9223372036854775807'],
      ['BIGINT', Number.MAX_SAFE_INTEGER, '9007199254740991'],
      ['SMALLINT UNSIGNED', 0, '0'],
      ['TINYINT(1)', true, '1'],
      ['TINYINT(1)', false, '0'],
      ['CHAR(36)', '123e4567-e89b-12d3-a456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
      ['JSON', { a: 'é' }, database.name === 'MariaDB' ? '{"a":"é"}' : '{"a": "é"}'],
      ['DATETIME', new Date('2030-01-02T03:04:05Z'), '2030-01-02 03:04:05'],
      ['DATETIME(3)', new Date('2030-01-02T03:04:05.678Z'), '2030-01-02 03:04:05.678'],
      ['TIMESTAMP(3) NULL', new Date('2030-01-02T03:04:05.678Z'), '2030-01-02 03:04:05.678'],
      ['DATE', '2030-01-02', '2030-01-02'],
      ['TEXT', '', ''],
      ['TEXT', 'it\'s `" \\ 😀\n', 'it\'s `" \\ 😀\n'],
      ['TEXT', 'a\0b', 'a\0b'],
      ['TEXT', 5, '5'],
      ['VARCHAR(20)', 'ada', 'ada'],
      ['DECIMAL(10,2)', 1.25, '1.25'],
      ['DOUBLE', 0.1 + 0.2, '0.30000000000000004'],
      ['DOUBLE', -1e300, '-1e300'],
      ['FLOAT', 2.5, '2.5'],
      ['BLOB', Buffer.from('ada\0'), 'ada\0'],
      ['BLOB', Buffer.alloc(0), ''],
      ['VARBINARY(20)', Buffer.from('ada'), 'ada'],
      ["ENUM('small', 'large')", 'large', 'large'],
      ["SET('a', 'b')", 'a,b', 'a,b'],
      ['VARCHAR(20) CHARACTER SET latin1', 'ä', 'ä'],
      ['VARCHAR(20) COLLATE utf8mb4_bin', 'ä😀', 'ä😀']
    ],
    misfits: [
      ['INT', 'ada'],
      ['INT', 2 ** 31],
      ['SMALLINT UNSIGNED', -1],
      ['JSON', 'ada'],
      ['VARCHAR(20)', 'x'.repeat(21)],
      ['DATE', 'soon'],
      ['DECIMAL(10,2)', 1e20],
      ["ENUM('small', 'large')", 'medium'],
      ['VARCHAR(20) CHARACTER SET latin1', '😀'],
      ['TINYINT(1)', 300]
    ],
    otherSchema: (place) => database.databaseOf(place),
    violation: ['4025', '3819'],
    migrations: [
      'MODIFY data MEDIUMTEXT',
      'MODIFY data JSON',
      'MODIFY data BLOB',
      'MODIFY sid VARCHAR(128) COLLATE utf8mb4_bin',
      'MODIFY expires DATETIME(3)',
      'MODIFY expires TIMESTAMP NULL'
    ],
    unfit: [
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires DATETIME'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, data TEXT'],
      ['sid', 'id VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT'],
      ['sid', 'sid VARCHAR(36), expires DATETIME, data TEXT'],
      ['sid', 'sid VARCHAR(36), expires DATETIME, data TEXT, PRIMARY KEY (sid, expires)'],
      ['sid', 'sid VARCHAR(36), expires DATETIME, data TEXT, KEY (sid)'],
      ['sid', 'sid VARCHAR(36), expires DATETIME, data TEXT, UNIQUE KEY (sid(10))'],
      ['sid', 'sid INTEGER PRIMARY KEY, expires DATETIME, data TEXT'],
      ['sid', 'sid CHAR(36) PRIMARY KEY, expires DATETIME, data TEXT'],
      ['sid', 'uid VARCHAR(100) PRIMARY KEY, data TEXT, expires BIGINT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires DATE, data TEXT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires TIME, data TEXT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires BLOB, data TEXT'],
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data INTEGER'],
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data DATETIME'],
      ['createdAt', 'sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT, createdAt TIME'],
      ['updatedAt', 'sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT, updatedAt BLOB']
    ]
  }

  tables(database, kit)
  describe('a column of the application', () => extraColumns(database, kit))
  describe('of several processes', () => processes(database, kit))

  const { open, place, query } = database

  test('the table that the store makes is fit for every session', async () => {
    const where = place()
    // Whatever the database's own character set.
    await query(
      where,
      `ALTER DATABASE \`${database.databaseOf(where)}\` CHARACTER SET latin1 COLLATE latin1_swedish_ci`
    )
    const store = open({}, where)
    await store.sync()
    const [sid, expires, data, createdAt, updatedAt] = await database.describe(store)
    expect(sid).toMatchObject({ name: 'sid', strict: 1, key: 1 })
    expect(expires).toMatchObject({ name: 'expires', type: 'datetime', strict: 0 })
    expect(data).toMatchObject({ name: 'data', type: 'mediumtext', strict: 0 })
    expect(data.collation).toMatch(/^utf8mb4/)
    expect(createdAt).toMatchObject({ name: 'createdAt', type: 'datetime', strict: 1 })
    expect(updatedAt).toMatchObject({ name: 'updatedAt', type: 'datetime', strict: 1 })
    await exercise(database, store)
    await store.set('😀', session({ text: '😀' }))
    expect((await store.get('😀')).text).toBe('😀')
  })

  test('a table whose name differs in case is another table', async () => {
    const where = place()
    const [{ fold }] = await query(where, 'SELECT @@lower_case_table_names AS fold')
    if (fold !== 0) return
    await query(where, 'CREATE TABLE sessions (id INTEGER PRIMARY KEY)')
    await query(where, 'CREATE TABLE SESSIONS (sid VARCHAR(36) PRIMARY KEY, expires INT, data TEXT)')
    const store = open({}, where)
    await exercise(database, store)
    expect(await query(where, 'SHOW TABLES')).toHaveLength(3)
  })

  test('a table name that MySQL cannot have is refused by the constructor, and named', () => {
    expect(() => open({ tableName: 'ses😀' })).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_OPTIONS', message: expect.stringMatching('ses😀') })
    )
  })

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

    test('ids are told apart by every byte', async () => {
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

    test.each(['abc', 'abc ', 'aBc'])('ids are told apart in one burst too, by the row %j', async (own) => {
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
    })

    test('an id that the table cannot keep apart from another is an error, and the other stays', async () => {
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

    test('a softly deleted session is revived by none but its own', async () => {
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

    test('an id that the column cannot hold is nobody else’s trouble', async () => {
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

    test('a session that the column cannot hold is an error of its own, and nothing is cut off', async () => {
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

  test('a lock that another program holds for long is waited for, and tried again', async () => {
    const where = place()
    const store = open({}, where)
    await store.set('ada', session({ visits: 1 }))
    const other = await database.transaction(where)
    await other.query("UPDATE `Sessions` SET data = '{}' WHERE sid = 'ada'")
    await query(where, 'SET GLOBAL innodb_lock_wait_timeout = 1')
    try {
      const impatient = open({}, where)
      const written = impatient.set('ada', session({ visits: 2 }))
      await until(() => impatient.stats().retries > 0)
      await other.end()
      await written
    } finally {
      await query(where, 'SET GLOBAL innodb_lock_wait_timeout = DEFAULT')
    }
    expect((await store.get('ada')).visits).toBe(2)
  })

  test('a table in partitions is pruned in all of them', async () => {
    const where = place()
    await query(
      where,
      `CREATE TABLE Sessions (sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT) PARTITION BY KEY (sid) PARTITIONS 3`
    )
    const store = open({ checkExpirationInterval: 0 }, where)
    await Promise.all(Array.from({ length: 2000 }, (_, i) => store.set(`${i}`, session({}, -HOUR))))
    await store.set('ada', session())
    expect(await store.clearExpiredSessions()).toBe(2000)
    expect(await database.count(where)).toBe(1)
    await store.clear()
    await exercise(database, store)
  })

  test('other engines', async () => {
    for (const engine of ['MyISAM', 'Aria', 'MEMORY']) {
      const where = place()
      const data = engine === 'MEMORY' ? 'VARCHAR(2000)' : 'TEXT'
      const ddl = `CREATE TABLE Sessions (sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data ${data}) ENGINE=${engine}`
      const [code] = await codes([query(where, ddl)])
      if (code === null) await exercise(database, open({}, where))
    }
  })

  test('few statements are kept on the server', async () => {
    const store = open({ pool: { max: 2 } })
    for (let size = 1; size < 60; size++) {
      const sids = Array.from({ length: size }, (_, i) => `${i}`)
      await Promise.all(sids.map((sid) => store.set(sid, session())))
      await Promise.all(sids.map((sid) => store.get(sid)))
      await Promise.all(sids.map((sid) => store.touch(sid, session())))
      await Promise.all(sids.map((sid) => store.destroy(sid)))
    }
    const [{ Value: count }] = await query(store, "SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")
    expect(Number(count)).toBeLessThan(400)
  })

  test('option preparedStatements: false works too', async () => {
    await exercise(database, open({ preparedStatements: false }))
  })

  test('the URL may begin with mariadb', async () => {
    const { db } = place()
    await exercise(database, open({}, { db: db.replace(/^mysql:/, 'mariadb:') }))
  })

  test('parameters of the usual hosts', async () => {
    const { db } = place()
    await exercise(
      database,
      open({}, { db: `${db}?reconnect=true&charset=utf8mb4&connect_timeout=10&ssl-mode=PREFERRED` })
    )
  })

  test('a URL without a database is refused by the constructor', () => {
    const url = new URL(place().db)
    url.pathname = ''
    expect(() => new RustSequelizeStore({ db: url.href })).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' })
    )
  })

  describe('a table shared with Sequelize', () => sequelize(database))
})

const onOwnServer = needs.mysql.enabled ? describe : describe.skip

onOwnServer('MySQL or MariaDB, a server of its own,', () => {
  /** The rows of a statement. */
  async function run(url, sql) {
    const connection = await mysql.createConnection({ uri: url, multipleStatements: true })
    try {
      return (await connection.query(sql))[0]
    } finally {
      await connection.end()
    }
  }

  const quote = (name) => `\`${name.replaceAll('`', '``')}\``

  /** The connections of a user, or all but this one. */
  const connectionsOf = (url, user) =>
    run(
      url,
      `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()
        AND ${user === undefined ? "USER = 'tester'" : `USER = ${mysql.escape(user)}`}`
    )

  const withOpenssl = needs.openssl.enabled ? describe : describe.skip

  withOpenssl('and encryption', () =>
    tls({
      async create() {
        const server = await createMysql()
        return Object.assign(server, { run: (sql) => run(server.url(), sql) })
      },
      settings: ({ ca, cert, key }) => ({ 'ssl-ca': ca, 'ssl-cert': cert, 'ssl-key': key }),
      query(mode, { ca, cert, key } = {}) {
        const modes = {
          disable: 'DISABLED',
          require: 'REQUIRED',
          'verify-ca': 'VERIFY_CA',
          'verify-full': 'VERIFY_IDENTITY'
        }
        const given = { 'ssl-mode': modes[mode] ?? mode, 'ssl-ca': ca, 'ssl-cert': cert, 'ssl-key': key }
        return new URLSearchParams(Object.entries(given).filter(([, value]) => value)).toString()
      },
      hosted: ['ssl-mode=REQUIRED', 'sslmode=REQUIRED', 'ssl-mode=required&useUnicode=true&characterEncoding=utf8'],
      foreign: ['ssl=true', 'sslaccept=strict', 'ssl=%7B%22rejectUnauthorized%22%3Atrue%7D'],
      users: [
        "CREATE USER encrypted@'%' IDENTIFIED BY 'secret' REQUIRE SSL",
        "CREATE USER certified@'%' IDENTIFIED BY 'secret' REQUIRE X509",
        "GRANT ALL ON test.* TO encrypted@'%'",
        "GRANT ALL ON test.* TO certified@'%'"
      ],
      // This user cannot come in plain.
      async stats(server) {
        return { encrypted: (await connectionsOf(server.url(), 'encrypted')).length, plain: 0 }
      }
    })
  )

  describe('and what else it may be like', () => {
    let server
    const stores = []

    beforeAll(async () => {
      server = await createMysql()
      await server.start()
    })

    afterEach(async () => {
      await Promise.all(stores.splice(0).map((store) => store.close()))
      await run(server.url(), 'DROP TABLE IF EXISTS `Sessions`')
    })

    afterAll(() => server?.end())

    function open(db = server.url(), options = {}) {
      const store = new RustSequelizeStore({ db, ...options })
      stores.push(store)
      return store
    }

    const count = async () => (await run(server.url(), 'SELECT count(*) AS count FROM `Sessions`'))[0].count

    describe('a unix socket', () => {
      const bySocket = (host) => `${server.url({ host, query: `socket=${encodeURIComponent(server.socket)}` })}`

      test.each(['localhost', 'somewhere.invalid'])('with the host %s', async (host) => {
        await exercise({ count }, open(bySocket(host)))
      })

      test('that is not there is an error, until it is', async () => {
        await server.stop()
        try {
          const store = open(bySocket('localhost'), { pool: { acquireTimeout: 500 } })
          const error = await failure(store.get('ada'))
          expect(error.code).toBe('ERR_SESSION_CONNECTION')
          expect(error.message).toMatch('mysql.sock')
          await server.start()
          expect(await store.get('ada')).toBeNull()
        } finally {
          await server.start()
        }
      })
    })

    /** Runs with global variables of another value. */
    async function withGlobals(globals, work) {
      const old = await run(server.url(), `SELECT ${Object.keys(globals).map((name) => `@@GLOBAL.${name} AS ${name}`)}`)
      const set = (values) =>
        run(
          server.url(),
          `SET ${Object.entries(values).map(([name, value]) => `GLOBAL ${name} = ${mysql.escape(value)}`)}`
        )
      await set(globals)
      try {
        await work()
      } finally {
        await set(old[0])
      }
    }

    const modes = [
      '',
      'ANSI',
      'TRADITIONAL,ONLY_FULL_GROUP_BY',
      'NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT',
      'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE'
    ]

    test.each(modes)('sql_mode %j: works, and nothing is cut off', async (mode) => {
      await withGlobals({ sql_mode: mode }, async () => {
        await exercise({ count }, open())
        await run(server.url(), 'DROP TABLE `Sessions`')
        await run(
          server.url(),
          'CREATE TABLE `Sessions` (sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMP NULL, data TEXT)'
        )
        const store = open()
        const outcome = await codes([
          store.set('ada', session({ text: 'x'.repeat(70_000) })),
          store.set('x'.repeat(37), session()),
          store.set('late', { cookie: { expires: new Date('2222-01-02T03:04:05Z') } }),
          store.set('bob', session({ text: 'a\\b\'c"d' }))
        ])
        expect(outcome.slice(0, 2)).toEqual(['ERR_SESSION_DATABASE', 'ERR_SESSION_DATABASE'])
        expect(outcome[3]).toBeNull()
        // A TIMESTAMP ends in 2038, or in 2106.
        if (outcome[2] === null) expect(await store.get('late')).not.toBeNull()
        else expect(outcome[2]).toBe('ERR_SESSION_DATABASE')
        expect((await store.get('bob')).text).toBe('a\\b\'c"d')
      })
    })

    test.each([
      ['autocommit', { autocommit: 0 }],
      ['a time zone', { time_zone: '+03:00' }],
      ['safe updates', { sql_safe_updates: 1 }],
      ['isolation serializable', { tx_isolation: 'SERIALIZABLE' }],
      ['isolation uncommitted', { tx_isolation: 'READ-UNCOMMITTED' }],
      [
        'a character set',
        { character_set_server: 'latin1', character_set_client: 'latin1', collation_connection: 'latin1_swedish_ci' }
      ],
      ['short waits', { innodb_lock_wait_timeout: 1, net_read_timeout: 2, net_write_timeout: 2 }]
    ])('global variables: %s', async (_name, globals) => {
      const known = await run(
        server.url(),
        `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${mysql.escape(Object.keys(globals))})`
      )
      if (known.length < Object.keys(globals).length) return
      await withGlobals(globals, async () => {
        const store = open()
        await exercise({ count }, store)
        await store.set('ada', session({ text: '日本😀' }))
        // What was acknowledged is there for everybody.
        expect(await count()).toBe(1)
        const other = open()
        expect((await other.get('ada')).text).toBe('日本😀')
        await other.set('ada', session({ text: 'other' }))
        expect((await store.get('ada')).text).toBe('other')
        const [{ expires }] = await run(server.url(), 'SELECT CAST(expires AS CHAR) AS expires FROM `Sessions`')
        expect(Math.abs(new Date(`${expires.replace(' ', 'T')}Z`) - (Date.now() + 24 * HOUR))).toBeLessThan(5000)
      })
    })

    test('a server that can only be read', async () => {
      await run(server.url(), "CREATE USER plain@'%' IDENTIFIED BY 'secret'; GRANT ALL ON test.* TO plain@'%'")
      const url = server.url({ user: 'plain', pass: 'secret' })
      const writer = open(url)
      await writer.set('ada', session({ user: 'ada' }))
      await withGlobals({ read_only: 1 }, async () => {
        const store = open(url)
        expect((await store.get('ada')).user).toBe('ada')
        const calls = [store.set('ada', session()), store.touch('ada', session()), store.destroy('ada')]
        expect(await codes(calls)).toEqual(Array(3).fill('ERR_SESSION_DATABASE'))
        expect((await store.get('ada')).user).toBe('ada')
      })
      await writer.set('ada', session({ user: 'again' }))
      expect((await writer.get('ada')).user).toBe('again')
    })

    test('sessions in one burst are no larger for the server than they are', async () => {
      // As small as the default of MySQL 5.7.
      await withGlobals({ max_allowed_packet: 4 * 2 ** 20 }, async () => {
        const store = open(undefined, { pool: { max: 1 } })
        for (const [length, size] of [
          [13, 300_000],
          [9, 450_000],
          [17, 450_000],
          [9, 1_300_000]
        ]) {
          const text = 'x'.repeat(size)
          const sids = Array.from({ length }, (_, i) => `${i}`)
          const outcome = await asOneBatch(store, () => sids.map((sid) => store.set(sid, session({ text }))))
          expect(outcome).toEqual(Array(length + 1).fill(null))
          const slow = await Promise.all(sids.map(async (sid) => loaded(store, sid, await store.get(sid))))
          const again = await asOneBatch(store, () => sids.map((sid, i) => store.set(sid, slow[i])))
          expect(again).toEqual(Array(length + 1).fill(null))
          expect(await store.length()).toBe(length + 1)
          await store.clear()
        }
        expect(store.stats().errors).toBe(0)
      })
    })

    /** What is called in `work` waits for the table, and is a batch then. */
    async function asOneBatch(store, work) {
      await store.sync()
      const other = await mysql.createConnection({ uri: server.url() })
      try {
        await other.query('LOCK TABLES `Sessions` READ')
        const calls = [store.set('first', session()), ...work()]
        await other.query('UNLOCK TABLES')
        return await codes(calls)
      } finally {
        other.destroy()
      }
    }

    test('one large session among many small ones is sent once', async () => {
      const store = open(undefined, { pool: { max: 1 } })
      const text = 'x'.repeat(3_000_000)
      const sids = Array.from({ length: 100 }, (_, i) => `sid-${i}`)
      const received = async () => (await run(server.url(), "SHOW GLOBAL STATUS LIKE 'Bytes_received'"))[0].Value
      const before = await received()
      // Rows are sorted by their ids: this one is the last.
      const large = () => store.set('zzz', session({ text }))
      const outcome = await asOneBatch(store, () => [large(), ...sids.map((sid) => store.set(sid, session()))])
      expect(outcome).toEqual(Array(102).fill(null))
      expect((await received()) - before).toBeLessThan(4_000_000)
      expect((await store.get('zzz')).text).toHaveLength(3_000_000)
      expect(store.stats()).toMatchObject({ errors: 0, retries: 0 })
    })

    /** What becomes of a session that is too large, and of those that are written with it. */
    async function besideLarge(bytes) {
      const store = open(undefined, { pool: { max: 1 } })
      let outcome
      await withGlobals({ max_allowed_packet: 2 ** 20 }, async () => {
        await store.set('ada', session({ user: 'ada' }))
        outcome = await asOneBatch(store, () => [
          store.set('bob', session()),
          store.set('large', session({ text: 'x'.repeat(bytes) })),
          store.get('ada'),
          store.set('carl', session()),
          store.touch('ada', session())
        ])
        expect((await store.ids()).sort()).toEqual(['ada', 'bob', 'carl', 'first'])
        expect((await store.get('ada')).user).toBe('ada')
      })
      return outcome
    }

    test.each([1.5, 5, 17])(
      'a session of %d MiB where the server takes one is an error of its own',
      async (mebibytes) => {
        expect(await besideLarge(mebibytes * 2 ** 20)).toEqual([null, null, 'ERR_SESSION_DATABASE', null, null, null])
      }
    )
  })

  describe('and connections', () =>
    connections({
      create: createMysql,
      run,
      quote,
      createUser: (user, password) => `CREATE USER ${quote(user)}@'%' IDENTIFIED BY ${mysql.escape(password)}`,
      setPassword: (user, password) => `ALTER USER ${quote(user)}@'%' IDENTIFIED BY ${mysql.escape(password)}`,
      createDatabase: (name) => `CREATE DATABASE ${quote(name)}`,
      grant: (user, name) => `GRANT ALL ON ${quote(name)}.* TO ${quote(user)}@'%'`,
      async killAll(url) {
        for (const { id } of await connectionsOf(url)) await run(url, `KILL ${id}`).catch(() => {})
      },
      connections: connectionsOf,
      pids: (server) => [Number(fs.readFileSync(path.join(server.folder, 'pid'), 'utf8'))],
      crash: 'SIGKILL',
      shortIdle: {
        set: ['SET GLOBAL wait_timeout = 1'],
        reset: ['SET GLOBAL wait_timeout = DEFAULT']
      }
    }))
})
