'use strict'

const { codes, failure } = require('../support/calls')
const { loaded, session, stored } = require('../support/sessions')
const { HOUR } = require('../support/time')
const { report } = require('../support/run')
const { DATE, DDL, file, open, place, query, sequelizeDate } = require('./setup')

describe('table', () => {
  test('is created exactly as Sequelize creates it', async () => {
    const store = open()
    await store.sync()
    const objects = await query(
      store,
      "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL OR name NOT LIKE 'sqlite_%'"
    )
    expect(objects).toEqual([{ name: 'Sessions', sql: DDL }])
  })

  test('has the given name, quoted', async () => {
    const store = open({ tableName: 'a`b' })
    await store.sync()
    const [{ name, sql }] = await query(store, 'SELECT * FROM sqlite_master')
    expect(name).toBe('a`b')
    expect(sql).toBe(DDL.replace('`Sessions`', '`a``b`'))
  })

  test('modelKey does not change its name', async () => {
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

  describe('of Sequelize', () => {
    async function existing(ddl = DDL, tableName = 'Sessions') {
      const where = { ...place(), tableName }
      await query(where, ddl)
      return where
    }

    test('is used unchanged', async () => {
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

    test('is used unchanged with createTable: false', async () => {
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
    ])('a missing column for %s is named', async (_name, wrong) => {
      const where = place()
      await query(where, DDL)
      const error = await failure(open({ columns: wrong }, where).get('ada'))
      expect(error.code).toBe('ERR_SESSION_TABLE')
      expect(error.message).toMatch('missing_one')
    })
  })

  test('with a JSON column keeps the strings of a custom serializer across a restart', async () => {
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

  describe('that is unsuitable is refused, and the column named:', () => {
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

  test('a view can be read or is refused as a table', async () => {
    const where = place()
    await query(where, DDL.replace('Sessions', 'Base'))
    await query(where, 'CREATE VIEW Sessions AS SELECT * FROM Base')
    const [code] = await codes([open({}, where).get('ada')])
    expect([null, 'ERR_SESSION_TABLE']).toContain(code)
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
  sequelize('is read and written by both', async () => {
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
