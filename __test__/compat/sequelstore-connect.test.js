'use strict'

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { promisify } = require('node:util')
const session = require('express-session')
const { DataTypes, Sequelize } = require('sequelize')
const { RustSequelizeStore } = require('../..')
const SequelStore = require('../../compat/sequelstore-connect')(session)
const databases = require('../support/databases')
const { createApp, listen } = require('../support/express/app')
const { Client } = require('../support/express/client')
const { onDatabases } = require('../support/suites')
const { DAY, MINUTE } = require('../support/time')

const tested = databases.filter(({ enabled, supports }) => enabled && supports.otherClient)

/** The attributes that a model of sessions has. */
const ATTRIBUTES = {
  sid: { type: DataTypes.STRING, primaryKey: true },
  expires: DataTypes.DATE,
  data: DataTypes.TEXT
}

describe.each(tested.map((database) => ({ name: database.name, database })))('on $name', ({ database }) => {
  const onSqlite = database.dialect === 'sqlite'
  let place
  let closers

  beforeEach(() => {
    place = database.place()
    closers = []
  })

  afterEach(async () => {
    for (const close of closers.reverse()) await close()
    await database.reset()
  })

  afterAll(() => database.end())

  /** A Sequelize instance for the place. On SQLite it must not be asked for anything: the addon has the file open here. */
  function sequelize() {
    const where = onSqlite ? { dialect: 'sqlite', storage: database.file(place) } : { url: place.db }
    const { url, ...rest } = where
    const options = { ...rest, logging: false }
    const instance = url === undefined ? new Sequelize(options) : new Sequelize(url, options)
    closers.push(() => instance.close())
    return instance
  }

  function open(options) {
    const store = new SequelStore({ database: options?.database ?? sequelize(), ...options })
    closers.push(() => store.close())
    return store
  }

  /** A table with these names, made by the store's own hand. */
  async function createTable(tableName) {
    const store = new RustSequelizeStore({ ...place, tableName })
    await store.sync()
    await store.close()
  }

  const rowsOf = (tableName) => database.query(place, `SELECT * FROM ${quote(tableName)}`)
  const quote = (name) => (database.dialect === 'postgres' ? `"${name}"` : `\`${name}\``)
  const row = (store, sid) => database.row({ ...place, tableName: store.options.tableName }, sid)

  async function start(options, sessionOptions) {
    const store = open(options)
    const { server, origin } = await listen(createApp('express5', { store, ...sessionOptions }))
    closers.push(
      () =>
        new Promise((resolve) => {
          server.close(resolve)
          server.closeAllConnections()
        })
    )
    const client = new Client(origin)
    closers.push(() => client.close())
    return { store, client }
  }

  test('express-session keeps its sessions there', async () => {
    const { store, client } = await start()
    expect((await client.get('/state')).setCookies).toEqual([])
    const { sid } = (await client.get('/login?user=Ada')).body
    for (const views of [1, 2]) {
      expect((await client.get('/count')).body).toMatchObject({ sid, user: 'Ada', views })
    }
    expect(await store.length()).toBe(1)
    const [{ data }] = await rowsOf('DefaultSessions')
    expect(JSON.parse(data)).toMatchObject({ user: 'Ada', views: 2 })

    const again = await start()
    again.client.origin = client.origin
    expect((await client.get('/state')).body.user).toBe('Ada')
    expect((await client.get('/logout')).status).toBe(200)
    expect((await client.get('/state')).body.user).toBeUndefined()
    expect(await store.length()).toBe(0)
  })

  test('an expired session is not found, and every request extends the others', async () => {
    const { store, client } = await start({}, { cookie: { maxAge: DAY } })
    const { sid } = (await client.get('/login?user=Ada')).body
    const where = { ...place, tableName: 'DefaultSessions' }
    const sooner = new Date(Math.floor((Date.now() + DAY / 2) / 1000) * 1000)
    await database.updateRow(where, sid, { expires: sooner })
    expect((await client.get('/state')).body.user).toBe('Ada')
    expect((await row(store, sid)).expires > sooner).toBe(true)

    await database.updateRow(where, sid, { expires: new Date(Date.now() - 2000) })
    expect((await client.get('/state')).body.user).toBeUndefined()
  })

  test('`ttl` is in seconds and defaults to 14 days', async () => {
    for (const [ttl, lifetime] of [
      [undefined, 14 * DAY],
      [60, 60_000]
    ]) {
      const store = open({ ttl })
      await store.set('sid', { cookie: {} })
      const { expires } = await row(store, 'sid')
      expect(Math.abs(expires - Date.now() - lifetime)).toBeLessThan(MINUTE)
      const ours = { cookie: { expires: new Date(Math.floor(Date.now() / 1000) * 1000 + DAY) } }
      await store.touch('sid', ours)
      expect((await row(store, 'sid')).expires).toEqual(ours.cookie.expires)
    }
  })

  test('a model ConnectSession comes first, then the option sessionModel, then DefaultSession', async () => {
    const db = sequelize()
    const own = db.define('FooModel', ATTRIBUTES, { tableName: 'foo' })
    await createTable('foo')
    const byDefault = open({ database: db })
    expect(byDefault.sessionModel).toBe(db.models.DefaultSession)
    expect(db.DefaultSession).toBe(db.models.DefaultSession)
    expect(open({ database: db, sessionModel: own }).sessionModel).toBe(own)
    const found = db.define('ConnectSession', ATTRIBUTES, { tableName: 'bar', timestamps: false })
    expect(open({ database: db, sessionModel: own }).sessionModel).toBe(found)

    await byDefault.set('default', { cookie: {} })
    const foo = new SequelStore({ database: sequelize(), sessionModel: own })
    closers.push(() => foo.close())
    await foo.set('foo', { cookie: {} })
    expect((await rowsOf('DefaultSessions')).map(({ sid }) => sid)).toEqual(['default'])
    expect((await rowsOf('foo')).map(({ sid }) => sid)).toEqual(['foo'])
  })

  test.each(['a file', 'memory'])(
    'what is saved before `sync` is stored in the table of sessionModel, on %s',
    async (kind) => {
      const db =
        kind === 'memory' ? new Sequelize({ dialect: 'sqlite', storage: ':memory:', logging: false }) : sequelize()
      const attributes = { ...ATTRIBUTES, site: { type: DataTypes.STRING, allowNull: true } }
      const store = open({ database: db, sessionModel: db.define('FooModel', attributes) })
      await Promise.all([store.set('a', { cookie: {}, user: 'Ada' }), store.set('b', { cookie: {} })])
      expect((await store.get('a')).user).toBe('Ada')
      expect(await store.length()).toBe(2)
      expect(store.stats().errors).toBe(0)
    }
  )

  test('the table of the application’s own model is not created', async () => {
    const db = sequelize()
    db.define('ConnectSession', ATTRIBUTES)
    await expect(open({ database: db }).get('sid')).rejects.toMatchObject({ code: 'ERR_SESSION_TABLE' })
  })

  test('all, length and clear', async () => {
    const store = open()
    await Promise.all(['a', 'b', '__proto__'].map((sid) => store.set(sid, { cookie: {}, name: sid })))
    await store.set('expired', { cookie: { expires: new Date(Date.now() - DAY) } })
    const all = await store.all()
    expect(all.map(({ id, name }) => [id, name]).sort()).toEqual([
      ['__proto__', '__proto__'],
      ['a', 'a'],
      ['b', 'b']
    ])
    expect(Object.keys(all[0])).not.toContain('id')
    expect(await store.length()).toBe(3)
    await store.clear()
    expect(await store.all()).toEqual([])
    expect(await rowsOf('DefaultSessions')).toEqual([])
  })

  test('every method takes a callback', async () => {
    const store = open()
    const call = (method, ...args) =>
      new Promise((resolve, reject) => {
        store[method](...args, (error, result) => (error ? reject(error) : resolve(result)))
      })
    expect(await call('sync')).toBeUndefined()
    expect(await call('set', 'sid', { cookie: {}, user: 'Ada' })).toBeInstanceOf(store.sessionModel)
    expect(await call('get', 'sid')).toMatchObject({ user: 'Ada' })
    await call('touch', 'sid', { cookie: {} })
    expect(await call('length')).toBe(1)
    expect((await call('all')).map(({ id }) => id)).toEqual(['sid'])
    await store.set('expired', { cookie: { expires: new Date(Date.now() - DAY) } })
    expect(await call('clearExpiredSessions')).toBe(1)
    await call('destroy', 'sid')
    expect(await call('get', 'sid')).toBeNull()
    await call('clear')
    await call('close')
    await expect(call('all')).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' })
    await expect(store.all()).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' })
  })

  test('expired sessions are removed by a timer', async () => {
    const store = open({ autoRemoveInterval: 20 })
    await store.set('expired', { cookie: { expires: new Date(Date.now() - DAY) } })
    while ((await rowsOf('DefaultSessions')).length > 0) await new Promise((resolve) => setImmediate(resolve))
    store.stopExpiringSessions()
    expect(store._expirationInterval).toBeNull()
  })
})

onDatabases(
  ({ dialect }) => dialect !== 'sqlite',
  (database) => {
    test('the model can be queried', async () => {
      const db = new Sequelize(database.place().db, { logging: false })
      const store = new SequelStore({ database: db })
      try {
        await store.set('ours', { cookie: {}, user: 'Ada' })
        const read = await db.models.DefaultSession.findByPk('ours')
        expect(JSON.parse(read.data).user).toBe('Ada')

        const expires = new Date(Date.now() + DAY)
        await db.models.DefaultSession.create({ sid: 'theirs', data: '{"cookie":{},"user":"Eve"}', expires })
        expect((await store.get('theirs')).user).toBe('Eve')
      } finally {
        await store.close()
        await db.close()
      }
    })
  }
)

describe('the options', () => {
  const opened = []
  const instance = () => new Sequelize({ dialect: 'sqlite', storage: path.join(os.tmpdir(), 'never-opened.sqlite') })

  /** A store in memory: the application's Sequelize is asked for models only. */
  function open(options) {
    const database = instance()
    const model = database.define('ConnectSession', ATTRIBUTES)
    const store = new SequelStore({ database, ...options })
    opened.push(store)
    return { store, model }
  }

  afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())))

  test.each([[undefined], [{}], [{ database: undefined }], [{ database: 'sqlite::memory:' }], [{ database: {} }]])(
    'with %p there is no database',
    (options) => {
      expect(() => new SequelStore(options)).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_OPTIONS', message: expect.stringMatching(/database/i) })
      )
    }
  )

  test('fallbackMemory gives the MemoryStore of express-session', () => {
    expect(new SequelStore({ fallbackMemory: true })).toBeInstanceOf(session.MemoryStore)
    expect(open({ fallbackMemory: false }).store).toBeInstanceOf(SequelStore)
  })

  test('a store extends the Store of express-session', () => {
    const { store } = open()
    expect(store).toBeInstanceOf(session.Store)
    expect(store).toBeInstanceOf(RustSequelizeStore)
    const Other = require('../../compat/sequelstore-connect')({ session })
    expect(Other.prototype).toBeInstanceOf(session.Store)
  })

  test('a model that lacks a column is an error of the first call, which names it', async () => {
    const database = new Sequelize({ dialect: 'sqlite', storage: ':memory:', logging: false })
    // As in the README of sequelstore-connect.
    const model = database.define('ConnectSession', { sid: ATTRIBUTES.sid, expires: DataTypes.DATE })
    await model.sync()
    const store = new SequelStore({ database })
    opened.push(store)
    await expect(store.get('sid')).rejects.toMatchObject({
      code: 'ERR_SESSION_TABLE',
      message: expect.stringMatching(/\bdata\b/)
    })
  })

  test('autoRemoveInterval defaults to 15 minutes, and 0 disables the removal', () => {
    expect(open().store.options.checkExpirationInterval).toBe(900_000)
    const { store } = open({ autoRemoveInterval: 0 })
    expect(store._expirationInterval).toBeNull()
    expect(open({ autoRemoveInterval: 60_000 }).store._expirationInterval).not.toBeNull()
  })

  test.each([
    ['none', undefined, '{"cookie":{},"user":"Ada"}'],
    ['JSON.stringify', JSON.stringify, '{"cookie":{},"user":"Ada"}'],
    [
      'one for writing',
      (value) => JSON.stringify({ ...value, at: value.cookie.path ?? '/' }),
      '{"cookie":{},"user":"Ada","at":"/"}'
    ],
    [
      'one for both ways',
      (value) =>
        typeof value === 'string'
          ? JSON.parse(Buffer.from(value, 'base64').toString())
          : Buffer.from(JSON.stringify(value)).toString('base64'),
      Buffer.from('{"cookie":{},"user":"Ada"}').toString('base64')
    ]
  ])('transform: %s', (_name, transform, text) => {
    const { serializer } = open({ transform }).store.options
    expect(serializer.stringify({ cookie: {}, user: 'Ada' })).toBe(text)
    expect(serializer.parse(text)).toMatchObject({ cookie: {}, user: 'Ada' })
  })

  test('nothing is written into the folder of the application', async () => {
    const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
    const modules = { store: '../../compat/sequelstore-connect', session: 'express-session', sequelize: 'sequelize' }
    const [store, own, sequelize] = Object.values(modules).map((name) => JSON.stringify(require.resolve(name)))
    const script = `
      const { Sequelize } = require(${sequelize})
      const SequelStore = require(${store})(require(${own}))
      const database = new Sequelize({ dialect: 'sqlite', storage: './sessions.sqlite', logging: false })
      const store = new SequelStore({ database })
      store.set('sid', { cookie: {} }).then(() => store.close())
    `
    try {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', script], { cwd })
      expect(stdout + stderr).toBe('')
      expect(fs.readdirSync(cwd)).toEqual(['sessions.sqlite'])
    } finally {
      fs.rmSync(cwd, { recursive: true })
    }
  })
})
