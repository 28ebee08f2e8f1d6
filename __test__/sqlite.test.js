'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { RustSequelizeStore } = require('..')
const { codes, styles } = require('./support/calls')
const { loaded, session, stored } = require('./support/sessions')
const { HOUR, sleep } = require('./support/time')
const databases = require('./support/databases')
const { report, run } = require('./support/run')

// What is SQLite's alone. The rest is in conformance/.

const database = databases.find(({ name }) => name === 'SQLite file')
const { file, open, place, query } = database

afterEach(() => database.reset())
afterAll(() => database.end())

/** The DDL of Sequelize 6.37.8 for the model of connect-session-sequelize, as SQLite keeps it. */
const DDL =
  'CREATE TABLE `Sessions` (`sid` VARCHAR(36) PRIMARY KEY, `expires` DATETIME, `data` TEXT, `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL)'

const DATE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+00:00$/

const sequelizeDate = (date) => date.toISOString().replace('T', ' ').replace('Z', ' +00:00')

/** A place with what is appended to its URL. */
const withParameters = (parameters, where = place()) => ({
  ...where,
  db: `${where.db}?${parameters}`
})

const failure = (promise) =>
  promise.then(
    () => {
      throw new Error('should have failed')
    },
    (error) => error
  )

describe('URL', () => {
  const inFolder = (name) => path.join(path.dirname(file(place())), name)

  async function works(db, created) {
    const store = open({}, { db })
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
    await store.close()
    expect(fs.readFileSync(created).toString('latin1', 0, 15)).toBe('SQLite format 3')
  }

  test('sqlite:./file is relative to the working directory', async () => {
    const created = inFolder('relative.sqlite')
    const relative = path.relative(process.cwd(), created)
    await works(`sqlite:./${relative}`, created)
  })

  test('sqlite:file is relative to the working directory', async () => {
    const created = inFolder('bare.sqlite')
    await works(`sqlite:${path.relative(process.cwd(), created)}`, created)
  })

  test('sqlite:///file is absolute', async () => {
    const created = inFolder('absolute.sqlite')
    await works(`sqlite://${created}`, created)
  })

  test('sqlite:/file is absolute', async () => {
    const created = inFolder('absolute.sqlite')
    await works(`sqlite:${created}`, created)
  })

  test.each([
    ['a space', 'with space.sqlite', 'with%20space.sqlite'],
    ['a question mark', 'what?.sqlite', 'what%3F.sqlite'],
    ['a number sign', 'c#.sqlite', 'c%23.sqlite'],
    ['a percent sign', '100%.sqlite', '100%25.sqlite'],
    ['letters beyond ASCII', 'sësam😀.sqlite', encodeURIComponent('sësam😀.sqlite')]
  ])('%s is written with a percent sign', async (_name, plain, encoded) => {
    const created = inFolder(plain)
    await works(`sqlite://${path.dirname(created)}/${encoded}`, created)
  })

  test.each([
    ['a space', 'with space.sqlite'],
    ['letters beyond ASCII', 'sësam😀.sqlite'],
    ['a quote', 'it\'s `a` "file".sqlite']
  ])('%s may be written as it is', async (_name, plain) => {
    const created = inFolder(plain)
    await works(`sqlite://${created}`, created)
  })

  test.each(['sqlite::memory:', 'sqlite://:memory:', 'sqlite::memory:?busy_timeout=100'])(
    '%s is a database of the store alone',
    async (db) => {
      const stores = [open({}, { db }), open({}, { db })]
      await stores[0].set('ada', session({ user: 'ada' }))
      expect((await stores[0].get('ada')).user).toBe('ada')
      expect(await stores[1].get('ada')).toBeNull()
      expect(fs.existsSync(':memory:')).toBe(false)
    }
  )

  test('a database in memory outlives its connections', async () => {
    const db = 'sqlite::memory:'
    const pool = { max: 3, idleTimeout: 20, maxLifetime: 20 }
    const store = open({ pool }, { db })
    await Promise.all(Array.from({ length: 50 }, (_, i) => store.set(`${i}`, session())))
    for (let i = 0; i < 4; i++) {
      await sleep(40)
      expect(await store.length()).toBe(50)
      await store.set('ada', session())
      await store.destroy('ada')
    }
  })

  test('a database in memory is one for all connections', async () => {
    const store = open({ pool: { max: 8 } }, { db: 'sqlite::memory:' })
    for (let i = 0; i < 20; i++) {
      await store.set(`${i}`, session())
      const found = await Promise.all([
        ...Array.from({ length: 20 }, () => store.length()),
        ...Array.from({ length: 20 }, () => store.ids())
      ])
      expect(new Set(found.slice(0, 20))).toEqual(new Set([i + 1]))
      expect(found.slice(20).every((ids) => ids.length === i + 1)).toBe(true)
    }
  })

  describe('parameters', () => {
    test.each(['jornal_mode=WAL', 'foo=1', 'journal_mode=WAL&bar=', 'JOURNAL_MODE=WAL'])(
      '%s is unknown and named',
      (parameters) => {
        const name = /(jornal_mode|foo|bar|JOURNAL_MODE)(?==)/.exec(parameters)[1]
        const make = () => new RustSequelizeStore(withParameters(parameters))
        expect(make).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
        expect(make).toThrow(new RegExp(name))
      }
    )

    test.each([
      ['journal_mode', 'banana'],
      ['synchronous', 'banana'],
      ['busy_timeout', 'soon'],
      ['busy_timeout', '-1'],
      ['mode', 'banana']
    ])('%s=%s has a value out of range, and is named', (name, value) => {
      const make = () => new RustSequelizeStore(withParameters(`${name}=${value}`))
      expect(make).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
      expect(make).toThrow(new RegExp(name))
    })

    test.each([
      'journal_mode=WAL&synchronous=FULL&busy_timeout=5000',
      'journal_mode=wal',
      'synchronous=OFF',
      'synchronous=NORMAL',
      'synchronous=EXTRA',
      'busy_timeout=0',
      'mode=rwc',
      'cache=private'
    ])('%s works', async (parameters) => {
      const store = open({}, withParameters(parameters))
      await store.set('ada', session({ user: 'ada' }))
      expect((await store.get('ada')).user).toBe('ada')
    })

    const journal = async (where) => Object.values((await query(where, 'PRAGMA journal_mode'))[0])[0]

    test('the journal is WAL', async () => {
      const store = open()
      await store.set('ada', session())
      expect(await journal(store)).toBe('wal')
    })

    test.each(['DELETE', 'TRUNCATE', 'PERSIST'])('journal_mode=%s is heeded', async (mode) => {
      const where = place()
      const store = open({}, withParameters(`journal_mode=${mode}`, where))
      await store.set('ada', session({ user: 'ada' }))
      expect(await journal(where)).not.toBe('wal')
      expect(fs.existsSync(`${file(where)}-wal`)).toBe(false)
      await Promise.all(Array.from({ length: 100 }, (_, i) => [store.set(`${i}`, session()), store.get('ada')]).flat())
      expect(await store.length()).toBe(101)
    })

    test('journal_mode=WAL turns a database with another journal', async () => {
      const where = place()
      await query(where, DDL)
      expect(await journal(where)).toBe('delete')
      await open({}, where).set('ada', session())
      // The other program finds out when it reads.
      expect(await database.count(where)).toBe(1)
      expect(await journal(where)).toBe('wal')
    })

    test('mode=rw does not make a file', async () => {
      const where = place()
      const store = open({}, withParameters('mode=rw', where))
      expect(await codes([store.get('ada')])).toEqual(['ERR_SESSION_CONNECTION'])
      expect(fs.existsSync(file(where))).toBe(false)
      await query(where, DDL)
      expect(await store.get('ada')).toBeNull()
    })

    // The calls of the kernel that bring a file to the disk, as far as strace is at hand.
    const strace = spawnSync('strace', ['-V']).status === 0 ? test : test.skip

    strace('synchronous is NORMAL, and can be set', async () => {
      const syncs = async (parameters) => {
        const log = `${file(place())}.strace`
        const { code, stderr } = await run('sqlite-writes.js', [withParameters(parameters), 50], {
          under: ['strace', '-f', '-e', 'trace=fsync,fdatasync', '-o', log]
        })
        if (code !== 0) throw new Error(stderr)
        return fs.readFileSync(log, 'utf8').match(/f(data)?sync\(/g)?.length ?? 0
      }
      // A few belong to the making of the file.
      const [off, unset, full] = [await syncs('synchronous=OFF'), await syncs(''), await syncs('synchronous=FULL')]
      expect(off).toBeLessThan(20)
      expect(unset).toBeGreaterThan(off)
      expect(unset).toBeLessThan(20)
      expect(full).toBeGreaterThanOrEqual(50)
    })
  })
})

describe('table', () => {
  test('is that of Sequelize, to the letter', async () => {
    const store = open()
    await store.sync()
    const objects = await query(
      store,
      "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL OR name NOT LIKE 'sqlite_%'"
    )
    expect(objects).toEqual([{ name: 'Sessions', sql: DDL }])
  })

  test('has the name given, quoted', async () => {
    const store = open({ tableName: 'a`b' })
    await store.sync()
    const [{ name, sql }] = await query(store, 'SELECT * FROM sqlite_master')
    expect(name).toBe('a`b')
    expect(sql).toBe(DDL.replace('`Sessions`', '`a``b`'))
  })

  test('modelKey does not name it', async () => {
    const store = open({ modelKey: 'Other' })
    await store.sync()
    expect(await query(store, 'SELECT name FROM sqlite_master')).toContainEqual({
      name: 'Sessions'
    })
  })

  test('has the columns given when it is created', async () => {
    const columns = {
      sid: 'session id',
      data: 'sess',
      expires: 'ends',
      createdAt: 'made',
      updatedAt: false
    }
    const store = open({ columns })
    await store.set('ada', session({ user: 'ada' }))
    const [row] = await query(store, 'SELECT * FROM `Sessions`')
    expect(Object.keys(row).sort()).toEqual(['session id', 'sess', 'ends', 'made'].sort())
    expect((await store.get('ada')).user).toBe('ada')
  })

  test('dates are those of Sequelize, to the letter', async () => {
    const store = open()
    const ada = session()
    const before = Date.now()
    await store.set('ada', ada)
    const after = Date.now()
    const [row] = await query(
      store,
      'SELECT *, typeof(expires) || typeof(createdAt) || typeof(updatedAt) AS types FROM Sessions'
    )
    expect(row.types).toBe('texttexttext')
    expect(row.expires).toBe(sequelizeDate(ada.cookie.expires))
    expect(row.createdAt).toMatch(DATE)
    expect(row.updatedAt).toMatch(DATE)
    for (const text of [row.createdAt, row.updatedAt]) {
      expect(Date.parse(text)).toBeGreaterThanOrEqual(before)
      expect(Date.parse(text)).toBeLessThanOrEqual(after)
    }
  })

  test.each([
    ['1999-12-31T23:59:59.999Z', '1999-12-31 23:59:59.999 +00:00'],
    ['2024-02-29T00:00:00.000Z', '2024-02-29 00:00:00.000 +00:00'],
    ['2030-01-02T03:04:05.006Z', '2030-01-02 03:04:05.006 +00:00'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31 23:59:59.999 +00:00']
  ])('%s is %s', async (iso, text) => {
    const store = open()
    await store.set('ada', { cookie: { expires: new Date(iso) } })
    const [{ expires }] = await query(store, 'SELECT expires FROM Sessions')
    expect(expires).toBe(text)
  })

  test('a touch writes dates of the same form', async () => {
    const store = open()
    await store.set('ada', session())
    const touched = session({}, HOUR)
    await store.touch('ada', touched)
    const [row] = await query(store, 'SELECT * FROM Sessions')
    expect(row.expires).toBe(sequelizeDate(touched.cookie.expires))
    expect(row.updatedAt).toMatch(DATE)
  })

  const offset = (text) => new Date(Date.now() + text)
  const forms = [
    ['Sequelize', sequelizeDate],
    ['Sequelize, without milliseconds', (date) => `${date.toISOString().slice(0, 19).replace('T', ' ')} +00:00`],
    ['SQLite', (date) => date.toISOString().slice(0, 19).replace('T', ' ')],
    ['SQLite, with milliseconds', (date) => date.toISOString().slice(0, 23).replace('T', ' ')],
    ['JavaScript', (date) => date.toISOString()],
    ['ISO 8601, with an offset', (date) => date.toISOString().replace('Z', '+00:00')],
    ['another time zone', (date) => sequelizeDate(new Date(Number(date) + 5.5 * HOUR)).replace('+00:00', '+05:30')]
  ]

  test.each(forms)('a date in the form of %s is read', async (_name, form) => {
    const store = open()
    await store.sync()
    const times = { live: 5_000, later: 30 * HOUR, dead: -5_000, old: -30 * HOUR }
    for (const [sid, ms] of Object.entries(times)) {
      await query(store, 'INSERT INTO Sessions VALUES (?, ?, ?, ?, ?)', [
        sid,
        form(offset(ms)),
        '{"cookie":{}}',
        sequelizeDate(new Date()),
        sequelizeDate(new Date())
      ])
    }
    const found = await Promise.all(Object.keys(times).map((sid) => store.get(sid)))
    expect(found.map((value) => value !== null)).toEqual([true, true, false, false])
    expect((await store.ids()).sort()).toEqual(['later', 'live'])
    expect(await store.length()).toBe(2)
    await store.touch('dead', session())
    expect(await store.get('dead')).toBeNull()
    expect(await store.clearExpiredSessions()).toBe(2)
    await store.touch('live', session())
    expect((await store.ids()).sort()).toEqual(['later', 'live'])
  })

  test.each([
    ['an empty string', "''"],
    ['a word', "'soon'"],
    ['an integer', '5'],
    ['a real number', '2.5e12'],
    ['a blob', "x'00ff'"]
  ])('a date that is %s fails nothing', async (_name, sql) => {
    const store = open()
    await store.set('ada', session())
    await query(store, `INSERT INTO Sessions VALUES ('odd', ${sql}, '{"cookie":{}}', '', '')`)
    const outcome = await codes([
      store.get('odd'),
      store.get('ada'),
      store.ids(),
      store.all(),
      store.length(),
      store.touch('odd', session()),
      store.clearExpiredSessions(),
      store.set('odd', session())
    ])
    expect(outcome).toEqual(Array(8).fill(null))
    expect(await store.get('odd')).not.toBeNull()
  })

  test.each([
    ['a blob', `x'7b7d'`],
    ['an integer', '5'],
    ['text that is not UTF-8', `CAST(x'7b22ff227d' AS TEXT)`],
    ['text with a NUL', `CAST(x'7b007d' AS TEXT)`]
  ])('data that is %s is a miss and fails nothing', async (_name, sql) => {
    const store = open()
    await store.set('ada', session({ user: 'ada' }))
    await query(store, `INSERT INTO Sessions VALUES ('odd', '9999-12-31 00:00:00.000 +00:00', ${sql}, '', '')`)
    const [odd, ada] = await Promise.all([store.get('odd'), store.get('ada')])
    expect(odd === null || typeof odd === 'object').toBe(true)
    expect(await styles.callback(store, 'get', 'odd')).toBeNull()
    expect(ada.user).toBe('ada')
    expect(Object.keys(await store.all())).toContain('ada')
    expect(await query(store, 'SELECT sid FROM Sessions')).toHaveLength(2)
  })

  test('an id that is no text fails nothing', async () => {
    const store = open()
    await store.set('ada', session({ user: 'ada' }))
    for (const sid of ["x'00ff'", 'NULL', "CAST(x'ff' AS TEXT)"]) {
      await query(
        store,
        `INSERT INTO Sessions VALUES (${sid}, '9999-12-31 00:00:00.000 +00:00', '{"cookie":{}}', '', '')`
      )
    }
    expect((await store.all()).ada.user).toBe('ada')
    expect(await store.ids()).toContain('ada')
    for await (const [sid] of store.iterate()) expect(typeof sid).toBe('string')
    await store.set('bob', session())
    expect(await store.clearExpiredSessions()).toBe(0)
  })

  describe('of Sequelize', () => {
    async function existing(ddl = DDL, tableName = 'Sessions') {
      const where = { ...place(), tableName }
      await query(where, ddl)
      return where
    }

    test('is used as it is', async () => {
      const where = await existing()
      const date = sequelizeDate(new Date(Date.now() + HOUR))
      const value = session({ user: 'ada' })
      await query(where, 'INSERT INTO Sessions VALUES (?, ?, ?, ?, ?)', [
        'ada',
        date,
        JSON.stringify(value),
        date,
        date
      ])
      const store = open({}, where)
      expect(await store.get('ada')).toEqual(stored(value))
      await store.set('bob', session())
      await store.sync()
      const [{ sql }] = await query(where, "SELECT sql FROM sqlite_master WHERE type = 'table'")
      expect(sql).toBe(DDL)
      expect(await store.length()).toBe(2)
    })

    test('is used as it is by a store that may not create it', async () => {
      const store = open({ createTable: false }, await existing())
      await store.set('ada', session({ user: 'ada' }))
      expect((await store.get('ada')).user).toBe('ada')
    })

    test('with underscored columns', async () => {
      const ddl = DDL.replace('createdAt', 'created_at').replace('updatedAt', 'updated_at')
      const store = open({}, await existing(ddl))
      await store.set('ada', session({ visits: 1 }))
      await store.touch('ada', session())
      await store.set('ada', session({ visits: 2 }))
      const [row] = await query(store, 'SELECT * FROM Sessions')
      expect(row.created_at).toMatch(DATE)
      expect(row.updated_at).toMatch(DATE)
      expect((await store.get('ada')).visits).toBe(2)
    })

    test.each([
      ['no timestamps', ''],
      ['createdAt alone', ', `createdAt` DATETIME NOT NULL'],
      ['updated_at alone', ', `updated_at` DATETIME NOT NULL'],
      ['deletedAt', ', `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL, `deletedAt` DATETIME'],
      ['columns in another order', null]
    ])('with %s', async (_name, timestamps) => {
      const ddl =
        timestamps === null
          ? 'CREATE TABLE Sessions (updatedAt DATETIME NOT NULL, data TEXT, createdAt DATETIME NOT NULL, expires DATETIME, sid VARCHAR(36) PRIMARY KEY)'
          : `CREATE TABLE Sessions (sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT${timestamps})`
      const store = open({}, await existing(ddl))
      await store.set('ada', session({ visits: 1 }))
      const slow = loaded(store, 'ada', await store.get('ada'))
      slow.visits = 2
      await store.set('ada', slow)
      await store.touch('ada', session())
      await store.set('bob', session({}, -1000))
      expect((await store.get('ada')).visits).toBe(2)
      expect(await store.clearExpiredSessions()).toBe(1)
      await store.destroy('ada')
      expect(await query(store, 'SELECT * FROM Sessions')).toEqual([])
    })

    test.each([
      ['WITHOUT ROWID', `${DDL} WITHOUT ROWID`],
      ['a STRICT table', `${DDL.replaceAll('DATETIME', 'TEXT').replace('VARCHAR(36)', 'TEXT')} STRICT`],
      [
        'an id that is unique but not the key',
        'CREATE TABLE Sessions (id INTEGER PRIMARY KEY AUTOINCREMENT, sid TEXT NOT NULL UNIQUE, data TEXT, expires DATETIME)'
      ],
      ['defaults for further columns', `${DDL.slice(0, -1)}, note TEXT NOT NULL DEFAULT 'none')`],
      ['a generated column', `${DDL.slice(0, -1)}, size INTEGER AS (length(data)))`]
    ])('with %s', async (_name, ddl) => {
      const store = open({}, await existing(ddl))
      const sids = Array.from({ length: 50 }, (_, i) => `sid-${i}`)
      await Promise.all(sids.map((sid) => store.set(sid, session({ sid }))))
      await Promise.all(sids.map((sid) => store.touch(sid, session())))
      await Promise.all(sids.slice(25).map((sid) => store.set(sid, session({}, -1000))))
      expect(await store.length()).toBe(25)
      expect(await store.clearExpiredSessions()).toBe(25)
      const found = await Promise.all(sids.map((sid) => store.get(sid)))
      expect(found.filter((value) => value !== null)).toHaveLength(25)
      expect(Object.keys(await store.all())).toHaveLength(25)
    })
  })

  describe('option columns', () => {
    const columns = {
      sid: 'session_id',
      expires: 'ends `at`',
      data: 'sess',
      createdAt: false,
      updatedAt: 'changed'
    }
    const ddl =
      'CREATE TABLE Sessions (`session_id` TEXT PRIMARY KEY, `ends ``at``` DATETIME, `sess` TEXT, `changed` DATETIME NOT NULL, `createdAt` DATETIME)'

    test('names the columns', async () => {
      const where = place()
      await query(where, ddl)
      const store = open({ columns }, where)
      await store.set('ada', session({ user: 'ada' }))
      await store.touch('ada', session())
      await store.set('bob', session({}, -1000))
      const [row] = await query(where, 'SELECT * FROM Sessions')
      expect(row.session_id).toBe('ada')
      expect(row['ends `at`']).toMatch(DATE)
      expect(JSON.parse(row.sess).user).toBe('ada')
      expect(row.changed).toMatch(DATE)
      expect(row.createdAt).toBeNull()
      expect(await store.ids()).toEqual(['ada'])
      expect((await store.all()).ada.user).toBe('ada')
      expect(await store.length()).toBe(1)
      expect(await store.clearExpiredSessions()).toBe(1)
      await store.destroy('ada')
      expect(await query(where, 'SELECT * FROM Sessions')).toEqual([])
    })

    test.each([
      ['sid', { sid: 'missing_one' }],
      ['expires', { expires: 'missing_one' }],
      ['data', { data: 'missing_one' }],
      ['createdAt', { createdAt: 'missing_one' }],
      ['updatedAt', { updatedAt: 'missing_one' }]
    ])('a column for %s that is not there is named', async (_name, wrong) => {
      const where = place()
      await query(where, DDL)
      const error = await failure(open({ columns: wrong }, where).get('ada'))
      expect(error.code).toBe('ERR_SESSION_TABLE')
      expect(error.message).toMatch('missing_one')
    })
  })

  test('with a column of JSON keeps the strings of an own serializer, and reads them after a restart', async () => {
    const serializer = {
      stringify: (value) => JSON.stringify(Buffer.from(JSON.stringify(value)).toString('base64')),
      parse: (text) => JSON.parse(Buffer.from(JSON.parse(text), 'base64').toString())
    }
    const where = place()
    await query(where, 'CREATE TABLE Sessions (sid TEXT PRIMARY KEY, sess JSON, expire TEXT)')
    for (const n of [1, 2]) {
      const store = open({ serializer }, where)
      if (n > 1) expect(await store.get('ada')).toMatchObject({ n: n - 1 })
      await store.set('ada', session({ n }))
      expect(await store.get('ada')).toMatchObject({ n })
      await store.close()
    }
  })

  test('with dates in milliseconds stays so, whatever single sessions have', async () => {
    const where = place()
    await query(where, 'CREATE TABLE Sessions (sid TEXT PRIMARY KEY, expires BIGINT, data TEXT)')
    await query(where, `INSERT INTO Sessions VALUES ('a', 0, '{}'), ('b', ${Date.now() + HOUR}, '{"cookie":{}}')`)
    const store = open({}, where)
    expect(await store.ids()).toEqual(['b'])
    await store.set('c', session())
    const [{ least }] = await query(where, 'SELECT min(expires) AS least FROM Sessions WHERE expires > 0')
    expect(Number(least)).toBeGreaterThan(Date.now())
  })

  describe('that cannot serve is refused, and the column named', () => {
    test.each([
      ['data', 'CREATE TABLE Sessions (sid TEXT PRIMARY KEY, expires DATETIME)'],
      ['expires', 'CREATE TABLE Sessions (sid TEXT PRIMARY KEY, data TEXT)'],
      ['sid', 'CREATE TABLE Sessions (id TEXT PRIMARY KEY, expires DATETIME, data TEXT)'],
      ['sid', 'CREATE TABLE Sessions (sid TEXT, expires DATETIME, data TEXT)'],
      ['sid', 'CREATE TABLE Sessions (sid TEXT, expires DATETIME, data TEXT, PRIMARY KEY (sid, expires))']
    ])('%s: %s', async (column, ddl) => {
      const where = place()
      await query(where, ddl)
      const store = open({}, where)
      for (const call of [store.get('ada'), store.set('ada', session()), store.length(), store.sync()]) {
        const error = await failure(call)
        expect(error.code).toBe('ERR_SESSION_TABLE')
        expect(error.message).toMatch(column)
      }
      // The cause can go away while the store is open.
      await query(where, 'DROP TABLE Sessions')
      await query(where, DDL)
      await store.set('ada', session())
      expect(await store.ids()).toEqual(['ada'])
    })

    test('a further column without a default, when a row is written', async () => {
      const where = place()
      await query(where, `${DDL.slice(0, -1)}, tenant TEXT NOT NULL)`)
      const store = open({}, where)
      const error = await failure(store.set('ada', session()))
      expect(['ERR_SESSION_TABLE', 'ERR_SESSION_DATABASE']).toContain(error.code)
      expect(`${error.message} ${error.cause?.message}`).toMatch('tenant')
      store.options.extendDefaultFields = (defaults) => ({
        ...defaults,
        tenant: 'one'
      })
      await store.set('ada', session())
      expect(await store.ids()).toEqual(['ada'])
    })
  })

  test('a view may serve for reading', async () => {
    const where = place()
    await query(where, DDL.replace('Sessions', 'Base'))
    await query(where, 'CREATE VIEW Sessions AS SELECT * FROM Base')
    const [code] = await codes([open({}, where).get('ada')])
    expect([null, 'ERR_SESSION_TABLE']).toContain(code)
  })
})

describe('extra columns', () => {
  const types = {
    plain: '',
    text: 'TEXT',
    integer: 'INTEGER',
    real: 'REAL',
    numeric: 'NUMERIC',
    blob: 'BLOB',
    date: 'DATETIME',
    flag: 'TINYINT(1)',
    json: 'JSON'
  }

  async function openWith(extendDefaultFields) {
    const where = place()
    const extra = Object.entries(types).map(([name, type]) => `, ${name} ${type}`)
    await query(where, `${DDL.slice(0, -1)}${extra.join('')})`)
    return open({ extendDefaultFields }, where)
  }

  /** The value and how SQLite keeps it, exact for integers. */
  async function kept(store, column, sid) {
    const [row] = await query(
      store,
      `SELECT typeof(${column}) AS type, CASE typeof(${column}) WHEN 'integer' THEN CAST(${column} AS TEXT) ELSE ${column} END AS value
        FROM Sessions WHERE sid = ?`,
      [sid]
    )
    const value = Buffer.isBuffer(row.value) ? row.value.toString('hex') : row.value
    return [row.type, value]
  }

  const cases = [
    ['plain', null, 'null', null],
    ['plain', undefined, 'null', null],
    ['plain', '', 'text', ''],
    ['plain', 'ada', 'text', 'ada'],
    ['plain', '5', 'text', '5'],
    ['plain', 'it\'s `" \\ 😀\n', 'text', 'it\'s `" \\ 😀\n'],
    ['plain', 5, 'integer', '5'],
    ['plain', -5, 'integer', '-5'],
    ['plain', 0, 'integer', '0'],
    ['plain', 1.5, 'real', 1.5],
    ['plain', -1e300, 'real', -1e300],
    ['plain', 5e-324, 'real', 5e-324],
    ['plain', 0.1 + 0.2, 'real', 0.1 + 0.2],
    ['plain', Number.MAX_SAFE_INTEGER, 'integer', '9007199254740991'],
    ['plain', 5n, 'integer', '5'],
    ['plain', 2n ** 63n - 1n, 'integer', '9223372036854775807'],
    ['plain', -(2n ** 63n), 'integer', '-9223372036854775808'],
    ['plain', true, 'integer', '1'],
    ['plain', false, 'integer', '0'],
    ['plain', new Date(1_700_000_000_123), 'text', '2023-11-14 22:13:20.123 +00:00'],
    ['plain', Buffer.from([0, 255, 39]), 'blob', '00ff27'],
    ['plain', Buffer.alloc(0), 'blob', ''],
    ['plain', new Uint8Array([1, 2, 3]), 'blob', '010203'],
    ['plain', new Uint8Array([1, 2, 3, 4]).subarray(1, 3), 'blob', '0203'],
    ['plain', { a: [1, 'é'] }, 'text', '{"a":[1,"é"]}'],
    ['plain', [1, null, 'x'], 'text', '[1,null,"x"]'],
    ['text', '5', 'text', '5'],
    ['text', 5, 'text', '5'],
    ['text', new Date(0), 'text', '1970-01-01 00:00:00.000 +00:00'],
    ['integer', 5, 'integer', '5'],
    ['integer', 2n ** 53n + 1n, 'integer', '9007199254740993'],
    ['integer', 1.5, 'real', 1.5],
    ['real', 5, 'real', 5],
    ['real', 1.25, 'real', 1.25],
    ['numeric', '12', 'integer', '12'],
    ['blob', Buffer.from('ada'), 'blob', '616461'],
    ['blob', 'ada', 'text', 'ada'],
    ['date', new Date(0), 'text', '1970-01-01 00:00:00.000 +00:00'],
    ['flag', true, 'integer', '1'],
    ['json', { a: 1 }, 'text', '{"a":1}'],
    ['json', '{"a":1}', 'text', '{"a":1}'],
    ['json', [], 'text', '[]']
  ].map(([column, value, type, expected]) => ({
    title: `${column} of ${typeof value} ${Buffer.isBuffer(value) ? value.toString('hex') : String(value)}`,
    column,
    value,
    expected: [type, expected]
  }))

  test.each(cases)('$title', async ({ column, value, expected }) => {
    const store = await openWith((defaults) => ({
      ...defaults,
      [column]: value
    }))
    await store.set('ada', session())
    expect(await kept(store, column, 'ada')).toEqual(expected)
    const slow = loaded(store, 'ada', await store.get('ada'))
    await query(store, `UPDATE Sessions SET ${column} = 'changed'`)
    await store.set('ada', slow)
    expect(await kept(store, column, 'ada')).toEqual(expected)
  })

  test('all of them in one burst', async () => {
    const store = await openWith((defaults, { i }) => ({
      ...defaults,
      [cases[i].column]: cases[i].value
    }))
    await Promise.all(cases.map((_, i) => store.set(`${i}`, session({ i }))))
    for (const [i, { column, expected }] of cases.entries()) {
      expect(await kept(store, column, `${i}`)).toEqual(expected)
    }
  })

  test('all columns in one row', async () => {
    const values = {
      plain: 'x',
      text: 'y',
      integer: 1,
      real: 2.5,
      numeric: 3,
      blob: Buffer.from([1, 2]),
      date: new Date(0),
      flag: false,
      json: { a: 1 }
    }
    const store = await openWith((defaults) => ({ ...defaults, ...values }))
    await Promise.all(Array.from({ length: 40 }, (_, i) => store.set(`${i}`, session({ i }))))
    const rows = await query(store, "SELECT *, hex(blob) AS hex FROM Sessions WHERE text = 'y'")
    expect(rows).toHaveLength(40)
    expect(rows[39]).toMatchObject({
      plain: 'x',
      integer: 1,
      real: 2.5,
      numeric: 3,
      hex: '0102',
      date: '1970-01-01 00:00:00.000 +00:00',
      flag: 0,
      json: '{"a":1}'
    })
  })

  test('a large blob', async () => {
    const picture = Buffer.alloc(3 * 2 ** 20, 'ab\0')
    const store = await openWith((defaults) => ({ ...defaults, blob: picture }))
    await store.set('ada', session())
    const [{ blob }] = await query(store, 'SELECT blob FROM Sessions')
    expect(picture.equals(blob)).toBe(true)
  })

  test('more columns than a statement has parameters', async () => {
    const names = Array.from({ length: 1500 }, (_, i) => `c${i}`)
    const where = place()
    await query(where, `${DDL.slice(0, -1)}, ${names.join()})`)
    const values = Object.fromEntries(names.map((name, i) => [name, i]))
    const store = open({ extendDefaultFields: (defaults) => ({ ...defaults, ...values }) }, where)
    await Promise.all(Array.from({ length: 50 }, (_, i) => store.set(`${i}`, session())))
    const [row] = await query(where, 'SELECT count(*) AS rows, sum(c1499) AS sum FROM Sessions')
    expect(row).toEqual({ rows: 50, sum: 50 * 1499 })
  })

  test('the columns of the store itself cannot be written twice', async () => {
    const store = await openWith((defaults) => ({ ...defaults, sid: 'bob' }))
    const [code] = await codes([store.set('ada', session())])
    expect([null, 'ERR_SESSION_DATA', 'ERR_SESSION_TABLE']).toContain(code)
    expect(await store.get('bob')).toBeNull()
  })
})

describe('a row that the table refuses', () => {
  test('fails alone', async () => {
    const where = place()
    await query(where, `${DDL.slice(0, -1)}, CHECK (data NOT LIKE '%forbidden%'))`)
    const store = open({}, where)
    const calls = Array.from({ length: 200 }, (_, i) =>
      store.set(`${i}`, session({ i, word: i % 50 === 7 ? 'forbidden' : 'fine' }))
    )
    const outcome = await codes(calls)
    expect(outcome).toEqual(calls.map((_, i) => (i % 50 === 7 ? 'ERR_SESSION_DATABASE' : null)))
    expect(await store.length()).toBe(196)
    const { cause } = await failure(calls[7])
    expect(cause).toBeInstanceOf(Error)
    expect(cause.code).toBe('275')
  })

  test('fails alone among calls for the same session', async () => {
    const where = place()
    await query(where, `${DDL.slice(0, -1)}, CHECK (data NOT LIKE '%forbidden%'))`)
    const store = open({}, where)
    await store.sync()
    const outcome = await codes([
      store.set('ada', session({ word: 'one' })),
      store.set('ada', session({ word: 'forbidden' })),
      store.get('ada'),
      store.touch('ada', session()),
      store.destroy('bob'),
      store.set('carl', session({ word: 'forbidden' }))
    ])
    expect(outcome[1]).toBe('ERR_SESSION_DATABASE')
    expect(outcome[5]).toBe('ERR_SESSION_DATABASE')
    expect([0, 2, 3, 4].map((i) => outcome[i])).toEqual([null, null, null, null])
    expect((await store.get('ada')).word).toBe('one')
  })

  test('by a unique column fails alone', async () => {
    const where = place()
    await query(where, `${DDL.slice(0, -1)}, userId TEXT UNIQUE)`)
    const store = open(
      {
        extendDefaultFields: (defaults, { user }) => ({
          ...defaults,
          userId: user
        })
      },
      where
    )
    const users = ['ada', 'bob', 'ada', 'carl']
    const outcome = await codes(users.map((user, i) => store.set(`${i}`, session({ user }))))
    expect(outcome).toEqual([null, null, 'ERR_SESSION_DATABASE', null])
    expect((await store.ids()).sort()).toEqual(['0', '1', '3'])
  })
})

describe('errors', () => {
  test('a missing folder, until it is made', async () => {
    const folder = `${file(place())}-folder`
    const store = open({}, { db: `sqlite://${path.join(folder, 'x.sqlite')}` })
    const error = await failure(store.get('ada'))
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.cause).toBeInstanceOf(Error)
    expect(await codes([store.set('ada', session())])).toEqual(['ERR_SESSION_CONNECTION'])
    fs.mkdirSync(folder)
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
  })

  test('a folder in the place of the file', async () => {
    const where = place()
    fs.mkdirSync(file(where))
    const store = open({}, where)
    expect(await codes([store.get('ada')])).toEqual(['ERR_SESSION_CONNECTION'])
    fs.rmdirSync(file(where))
    expect(await store.get('ada')).toBeNull()
  })

  test('a file that is no database, which is left as it is', async () => {
    const where = place()
    const text = 'this is not a database\n'.repeat(500)
    fs.writeFileSync(file(where), text)
    const store = open({}, where)
    const error = await failure(store.get('ada'))
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.cause.code).toBe('26')
    expect(await codes([store.set('ada', session())])).toEqual(['ERR_SESSION_CONNECTION'])
    expect(fs.readFileSync(file(where), 'utf8')).toBe(text)
    fs.rmSync(file(where))
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
  })

  test('an empty file is a new database', async () => {
    const where = place()
    fs.writeFileSync(file(where), '')
    const store = open({}, where)
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
  })

  test('mode=ro reads and does not write', async () => {
    const where = place()
    const writer = open({}, where)
    await writer.set('ada', session({ user: 'ada' }))
    const reader = open({}, withParameters('mode=ro', where))
    expect((await reader.get('ada')).user).toBe('ada')
    expect(await reader.length()).toBe(1)
    const error = await failure(reader.set('ada', session()))
    expect(error.code).toBe('ERR_SESSION_DATABASE')
    expect(error.cause.code).toBe('8')
    expect(await codes([reader.touch('ada', session()), reader.destroy('ada')])).toEqual([
      'ERR_SESSION_DATABASE',
      'ERR_SESSION_DATABASE'
    ])
    expect((await reader.get('ada')).user).toBe('ada')
  })

  test('mode=ro with a missing file', async () => {
    const where = place()
    const store = open({}, withParameters('mode=ro', where))
    expect(await codes([store.get('ada')])).toEqual(['ERR_SESSION_CONNECTION'])
    expect(fs.existsSync(file(where))).toBe(false)
  })

  const ordinary = process.getuid?.() === 0 ? test.skip : test

  ordinary('a file without permission to write, until there is', async () => {
    const where = place()
    await query(where, DDL)
    fs.chmodSync(file(where), 0o444)
    const store = open({}, where)
    const [code] = await codes([store.set('ada', session())])
    expect(['ERR_SESSION_CONNECTION', 'ERR_SESSION_DATABASE']).toContain(code)
    fs.chmodSync(file(where), 0o644)
    await store.set('ada', session())
    expect(await store.ids()).toEqual(['ada'])
  })

  test('an error of the database is never a miss', async () => {
    const store = open()
    await store.set('ada', session())
    await query(store, 'ALTER TABLE Sessions RENAME COLUMN data TO elsewhere')
    const outcome = await Promise.allSettled([store.get('ada'), styles.callback(store, 'get', 'ada')])
    for (const { status, reason, value } of outcome) {
      expect(value).toBeUndefined()
      expect(status).toBe('rejected')
      expect(reason.code).toMatch(/^ERR_SESSION_(TABLE|DATABASE)$/)
    }
    await query(store, 'ALTER TABLE Sessions RENAME COLUMN elsewhere TO data')
    expect(await store.get('ada')).not.toBeNull()
  })

  test('a message never has the path of ENOENT for its code', async () => {
    const store = open({}, { db: 'sqlite:///nowhere/at/all.sqlite' })
    const error = await failure(store.get('ada'))
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.cause.code).not.toBe('ENOENT')
  })
})

describe('a database that another process has locked', () => {
  const LOCKED = ['ERR_SESSION_TIMEOUT', 'ERR_SESSION_DATABASE']

  test('is waited for', async () => {
    const store = open()
    await store.set('ada', session({ visits: 1 }))
    await query(store, 'BEGIN IMMEDIATE')
    let done = false
    const written = store.set('ada', session({ visits: 2 })).then(() => {
      done = true
    })
    await sleep(60)
    expect(done).toBe(false)
    // Readers of a WAL do not wait.
    expect((await database.openAgain(store).get('ada')).visits).toBe(1)
    await query(store, 'COMMIT')
    await written
    expect((await store.get('ada')).visits).toBe(2)
  })

  test('fails the write when the time is over, and no later one', async () => {
    const where = place()
    const store = open({}, withParameters('busy_timeout=30', where))
    await store.set('ada', session({ visits: 1 }))
    await query(where, 'BEGIN IMMEDIATE')
    const outcome = await codes([
      store.set('ada', session({ visits: 2 })),
      store.touch('ada', session()),
      store.destroy('bob')
    ])
    for (const code of outcome) expect(LOCKED).toContain(code)
    expect((await store.get('ada')).visits).toBe(1)
    await query(where, 'COMMIT')
    await store.set('ada', session({ visits: 3 }))
    expect((await store.get('ada')).visits).toBe(3)
    expect(store.stats().errors).toBe(3)
    expect(store.stats().pending).toBe(0)
  })

  test('says so in its cause', async () => {
    const where = place()
    const store = open({}, withParameters('busy_timeout=30', where))
    await store.sync()
    await query(where, 'BEGIN IMMEDIATE')
    const error = await failure(store.set('ada', session()))
    expect(Number(error.cause.code) & 0xff).toBe(5)
    await query(where, 'COMMIT')
  })

  test('at the first call fails that call and no later one', async () => {
    const where = place()
    await query(where, 'CREATE TABLE other (x)')
    await query(where, 'BEGIN EXCLUSIVE')
    const store = open({}, withParameters('busy_timeout=30', where))
    const outcome = await codes([store.get('ada'), store.set('ada', session())])
    for (const code of outcome) {
      expect([...LOCKED, 'ERR_SESSION_CONNECTION']).toContain(code)
    }
    await query(where, 'COMMIT')
    await store.set('ada', session())
    expect(await store.ids()).toEqual(['ada'])
  })

  test('at the first call is waited for', async () => {
    const where = place()
    await query(where, 'CREATE TABLE other (x)')
    await query(where, 'BEGIN EXCLUSIVE')
    const store = open({}, where)
    const written = store.set('ada', session())
    await sleep(60)
    await query(where, 'COMMIT')
    await written
    expect(await store.ids()).toEqual(['ada'])
  })

  test('with a rollback journal is waited for by readers too', async () => {
    const where = place()
    const store = open({}, withParameters('journal_mode=DELETE', where))
    await store.set('ada', session({ visits: 1 }))
    await query(where, 'BEGIN EXCLUSIVE')
    const found = store.get('ada')
    const written = store.set('bob', session())
    await sleep(60)
    await query(where, 'COMMIT')
    expect((await found).visits).toBe(1)
    await written
    expect(await store.length()).toBe(2)
  })

  test('by many short transactions of another process fails nothing', async () => {
    const store = open()
    await store.sync()
    await query(store, 'CREATE TABLE other (x)')
    let going = true
    const others = (async () => {
      let i = 0
      for (; going; i++) {
        await query(store, 'BEGIN IMMEDIATE')
        await query(store, `INSERT INTO other VALUES (${i})`)
        await query(store, 'COMMIT')
      }
      return i
    })()
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => [
          store.set(`${i}`, session({ round })),
          store.get(`${i}`),
          store.touch(`${i}`, session())
        ]).flat()
      )
    }
    going = false
    expect(await others).toBeGreaterThan(0)
    expect(await store.length()).toBe(50)
    expect(store.stats().errors).toBe(0)
  })
})

describe('a full disk', () => {
  const makeFolder = () => fs.mkdtempSync(path.join(os.tmpdir(), 'rust-sequelize-store-disk-'))
  const mount = (...args) => spawnSync('mount', args).status === 0
  const mountDisk = (folder) => mount('-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder)
  const unmount = (folder) => spawnSync('umount', [folder])

  const canMount = () => {
    const folder = makeFolder()
    const mounted = mountDisk(folder)
    if (mounted) unmount(folder)
    fs.rmdirSync(folder)
    return mounted
  }
  const onDisk = process.getuid?.() === 0 && canMount() ? test : test.skip

  let mountpoint

  beforeAll(() => {
    mountpoint = makeFolder()
    if (onDisk === test) mountDisk(mountpoint)
  })

  afterAll(() => {
    if (onDisk === test) unmount(mountpoint)
    fs.rmdirSync(mountpoint)
  })

  const text = 'x'.repeat(20_000)

  onDisk('fails the writes and no reads, until there is room', async () => {
    const ballast = path.join(mountpoint, 'ballast')
    fs.writeFileSync(ballast, Buffer.alloc(1_200_000))
    const store = open({}, { db: `sqlite://${mountpoint}/full.sqlite` })
    await store.set('ada', session({ user: 'ada' }))
    const outcome = []
    for (let i = 0; i < 60; i++) {
      outcome.push(...(await codes([store.set(`${i}`, session({ text }))])))
    }
    const failed = outcome.filter((code) => code !== null)
    expect(failed.length).toBeGreaterThan(0)
    expect(new Set(failed)).toEqual(new Set(['ERR_SESSION_DATABASE']))
    const error = await failure(store.set('large', session({ text: text.repeat(50) })))
    expect(Number(error.cause.code) & 0xff).toBe(13)
    expect((await store.get('ada')).user).toBe('ada')
    expect(await store.length()).toBe(61 - failed.length)

    fs.rmSync(ballast)
    await store.set('ada', session({ user: 'still ada' }))
    expect((await store.get('ada')).user).toBe('still ada')
    expect(await codes([store.set('more', session({ text }))])).toEqual([null])
    await store.clear()
    expect(await store.length()).toBe(0)
    await store.close()
  })

  onDisk('at the first call fails that call and no later one', async () => {
    const ballast = path.join(mountpoint, 'ballast')
    const disk = fs.openSync(ballast, 'w')
    try {
      while (true) fs.writeSync(disk, Buffer.alloc(4096))
    } catch {
      fs.closeSync(disk)
    }
    const store = open({}, { db: `sqlite://${mountpoint}/late.sqlite` })
    const [code] = await codes([store.set('ada', session())])
    expect(['ERR_SESSION_CONNECTION', 'ERR_SESSION_DATABASE']).toContain(code)
    fs.rmSync(ballast)
    await store.set('ada', session())
    expect(await store.ids()).toEqual(['ada'])
    await store.close()
  })

  onDisk('that is mounted for reading alone, until it is not', async () => {
    const store = open({}, { db: `sqlite://${mountpoint}/readonly.sqlite` })
    await store.set('ada', session({ user: 'ada' }))
    await store.close()
    expect(mount('-o', 'remount,ro', mountpoint)).toBe(true)
    const again = open({}, { db: `sqlite://${mountpoint}/readonly.sqlite` })
    const [code] = await codes([again.set('bob', session())])
    expect(['ERR_SESSION_CONNECTION', 'ERR_SESSION_DATABASE']).toContain(code)
    expect(mount('-o', 'remount,rw', mountpoint)).toBe(true)
    await again.set('bob', session())
    expect((await again.ids()).sort()).toEqual(['ada', 'bob'])
    await again.close()
  })

  const limited = process.platform === 'win32' ? test.skip : test

  limited('of a process with a limit on the size of files', async () => {
    const result = await report('sqlite-limit.js', [place()], {
      shell: 'ulimit -S -f 2000'
    })
    expect(result.failed).toBeGreaterThan(0)
    expect(result.codes).toEqual(['ERR_SESSION_DATABASE'])
    expect(result.user).toBe('ada')
    if (result.raised) expect(result.after).toBeNull()
  })
})

describe('the file', () => {
  test('is there for the next process', async () => {
    const where = place()
    const { written } = await report('sqlite-writes.js', [where, 100])
    expect(written).toBe(100)
    const store = open({}, where)
    expect(await store.length()).toBe(100)
    expect((await store.get('sid-99')).i).toBe(99)
  })

  test('is sound after much use', async () => {
    const store = open()
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        Array.from({ length: 500 }, (_, i) => [
          store.set(`${i}`, session({ text: 'x'.repeat(i * 7) })),
          i % 3 ? store.touch(`${i}`, session()) : store.destroy(`${i}`),
          store.clearExpiredSessions()
        ]).flat()
      )
    }
    await store.close()
    const [result] = await query(store, 'PRAGMA integrity_check')
    expect(Object.values(result)).toEqual(['ok'])
    const [{ count }] = await query(store, 'SELECT count(*) AS count FROM Sessions')
    expect(count).toBe(333)
  })

  test('is free after close', async () => {
    const store = open()
    await store.set('ada', session())
    await store.close()
    await query(store, 'PRAGMA locking_mode = EXCLUSIVE')
    await query(store, 'BEGIN EXCLUSIVE')
    await query(store, 'DELETE FROM Sessions')
    await query(store, 'COMMIT')
    expect(await database.count(store)).toBe(0)
  })

  test('the journal does not grow for ever', async () => {
    const store = open()
    const text = 'x'.repeat(100_000)
    for (let round = 0; round < 50; round++) {
      await Promise.all(Array.from({ length: 25 }, (_, i) => store.set(`${i}`, session({ text }))))
    }
    // 125 MB were written; without checkpoints they would all be there.
    expect(fs.statSync(`${file(store)}-wal`).size).toBeLessThan(64_000_000)
  })
})

// Only where Sequelize is installed.
const sequelize = (() => {
  try {
    require.resolve('sequelize')
    return test
  } catch {
    return test.skip
  }
})()

describe('a table shared with Sequelize', () => {
  sequelize('is read and written both ways', async () => {
    const where = place()
    const value = session({ user: 'ada' })
    const theirs = await report('sequelize.js', [file(where), 'create', value])
    expect(theirs.sql).toBe(DDL)
    const store = open({}, where)
    expect(await store.get('theirs')).toEqual(stored(value))
    const ours = session({ user: 'bob' })
    await store.set('ours', ours)
    const read = await report('sequelize.js', [file(where), 'read', 'ours'])
    expect(JSON.parse(read.data)).toEqual(stored(ours))
    expect(read.expires).toBe(ours.cookie.expires.toISOString())
    expect(read.createdAt).toMatch(/Z$/)
    expect(read.updatedAt).toMatch(/Z$/)
  })
})
