'use strict'

const { once } = require('node:events')
const path = require('node:path')
const { Sequelize } = require('sequelize')
const { RustSequelizeStore } = require('../..')
const SequelizeStore = require('../../compat/koa-generic-session-sequelize')
const databases = require('../support/databases')
const { asker, start } = require('../support/children')
const { Client } = require('../support/express/client')
const { HOUR } = require('../support/time')

const fixture = path.join(__dirname, '../support/programs/koa-store.js')
const tested = databases.filter(({ enabled, supports }) => enabled && supports.otherClient)
const onServers = tested.filter(({ dialect }) => dialect !== 'sqlite')
const named = (list) => list.map((database) => ({ name: database.name, database }))

/** The options of a Sequelize instance for a place. */
function sequelizeOptions(database, place) {
  const where = database.dialect === 'sqlite' ? { dialect: 'sqlite', storage: database.file(place) } : { url: place.db }
  return { ...where, logging: false }
}

/** What the databases say about the columns and the indexes of a table. */
const COLUMNS = {
  sqlite: "SELECT type, sql FROM sqlite_master WHERE tbl_name = '%' ORDER BY name",
  postgres: `SELECT column_name AS name, data_type AS type, character_maximum_length AS width, is_nullable AS nullable
    FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = '%'
    UNION ALL SELECT indexname, split_part(indexdef, 'USING', 2), NULL, NULL FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = '%' ORDER BY 1`,
  mysql: `SELECT column_name AS name, column_type AS type, is_nullable AS nullable FROM information_schema.columns
    WHERE table_schema = database() AND table_name = '%'
    UNION ALL SELECT index_name, column_name, non_unique FROM information_schema.statistics
    WHERE table_schema = database() AND table_name = '%' ORDER BY 1`
}
let tables = 0

const seconds = () => Math.floor(Date.now() / 1000)

describe.each(named(tested))('beside koa-generic-session-sequelize, on $name', ({ database }) => {
  const servers = []
  const clients = []

  afterEach(() => {
    for (const client of clients.splice(0)) client.close()
  })

  afterAll(async () => {
    for (const { kill } of servers) await kill('SIGKILL')
    await database.reset()
    await database.end()
  })

  /** A process with the store of one of the packages. Sequelize on SQLite stays out of this process, where the addon is. */
  async function open(name, place, options = {}) {
    const config = JSON.stringify(sequelizeOptions(database, place))
    const server = start(fixture, [name, config, JSON.stringify(options)])
    const { child, failed } = server
    servers.push(server)
    const [{ origin }] = await Promise.race([once(child, 'message'), failed])
    const send = asker(child)
    const ask = (task, ...args) => Promise.race([send({ task, args }), failed])
    const call =
      (method) =>
      (...args) =>
        ask('store', method, ...args)
    return {
      origin,
      get: call('get'),
      set: call('set'),
      destroy: call('destroy'),
      gc: call('gc'),
      rows: () => ask('rows'),
      insert: (row) => ask('insert', row)
    }
  }

  describe('on one table', () => {
    let theirs
    let ours

    beforeAll(async () => {
      const place = database.place()
      // Neither removes expired sessions by chance.
      theirs = await open('theirs', place, { gcFrequency: 0 })
      // The table is there: that of the other package, as it is.
      ours = await open('ours', place, { gcFrequency: 0 })
    })

    test('each reads, overwrites and destroys the sessions of the other', async () => {
      const first = { user: 'adä 😀', cookie: { maxAge: HOUR } }
      for (const [one, other] of [
        [theirs, ours],
        [ours, theirs]
      ]) {
        await one.set('koa:sess:a', first, HOUR)
        expect(await other.get('koa:sess:a')).toEqual(first)
        await other.set('koa:sess:a', { ...first, views: 1 }, HOUR)
        expect(await one.get('koa:sess:a')).toEqual({ ...first, views: 1 })
        await other.destroy('koa:sess:a')
        expect(await one.get('koa:sess:a')).toBeNull()
        await one.destroy('koa:sess:a')
        expect(await one.rows()).toEqual([])
      }
    })

    test.each([
      ['the ttl', { cookie: { maxAge: HOUR } }, 2 * HOUR, 7200],
      ['the maxAge of the cookie', { cookie: { maxAge: HOUR } }, undefined, 3600],
      ['the lifetime of the browser', { cookie: {} }, undefined, 86_400],
      ['the lifetime of the browser, without a cookie', {}, 0, 86_400],
      ['a ttl below zero', {}, -5000, 0]
    ])('each writes the same row with %s', async (_what, session, ttl, lifetime) => {
      for (const store of [theirs, ours]) {
        const before = seconds()
        const yielded = await store.set('sid', session, ttl)
        const after = seconds()

        const [row] = await store.rows()
        const expires = Number(row.expires)
        expect(row).toEqual({ id: 'sid', data: JSON.stringify(session), expires: row.expires })
        expect(expires).toBeGreaterThanOrEqual(before + lifetime)
        expect(expires).toBeLessThanOrEqual(after + lifetime)
        // On PostgreSQL a new row of Sequelize has its 64-bit integer as text.
        expect({ ...yielded, expires: Number(yielded.expires) }).toEqual({ id: 'sid', data: row.data, expires })
        await store.destroy('sid')
      }
    })

    test('each leaves the live sessions of the other, and removes the expired ones', async () => {
      for (const [one, other] of [
        [theirs, ours],
        [ours, theirs]
      ]) {
        await one.set('live', { a: 1 }, HOUR)
        await one.set('expired', { a: 1 }, -HOUR)
        await one.insert({ id: 'at this second', data: '{}', expires: seconds() })
        for (const store of [one, other]) {
          expect(await store.get('expired')).toBeNull()
          expect(await store.get('at this second')).toBeNull()
        }
        expect(await other.gc()).toBe(2)
        expect((await other.rows()).map(({ id }) => id)).toEqual(['live'])
        await other.destroy('live')
      }
    })

    test('a session goes from one server to the other', async () => {
      const client = new Client(theirs.origin)
      clients.push(client)
      expect((await client.get('/login?user=Ada')).body).toMatchObject({ user: 'Ada' })
      for (const [at, { origin }] of [ours, theirs, ours].entries()) {
        client.origin = origin
        const { status, body } = await client.get('/count')
        expect({ status, body }).toMatchObject({ status: 200, body: { user: 'Ada', views: at + 1 } })
      }
      const thief = client.copy()
      clients.push(thief)
      await client.get('/logout')
      expect(await theirs.rows()).toEqual([])
      thief.origin = theirs.origin
      expect((await thief.get('/state')).body.user).toBeUndefined()
    })
  })

  test.each([
    ['as it is', {}],
    ['with timestamps and a model of another name', { timestamps: true, modelName: 'KoaSession' }]
  ])('the table that is made is the same, %s', async (_what, options) => {
    const [theirs, ours] = await Promise.all(
      ['theirs', 'ours'].map(async (name) => {
        // Sequelize on PostgreSQL looks for an index in all schemas.
        const tableName = `table_of_${process.pid}_${++tables}`
        const place = database.place()
        const store = await open(name, place, { ...options, tableName })
        const columns = await database.query(place, COLUMNS[database.dialect].replaceAll('%', tableName))
        return { store, table: JSON.stringify(columns).replaceAll(tableName, 'sessions') }
      })
    )
    expect(ours.table).toBe(theirs.table)
    expect(ours.table).toContain('sessions_expires')
    await ours.store.set('sid', { user: 'Ada' }, HOUR)
    expect(await ours.store.get('sid')).toEqual({ user: 'Ada' })
    const [row] = await ours.store.rows()
    expect(Object.keys(row)).toEqual([
      'id',
      'data',
      'expires',
      ...(options.timestamps ? ['createdAt', 'updatedAt'] : [])
    ])
    expect(Object.values(row)).not.toContain(null)
  })
})

describe('the store', () => {
  const database = tested.find(({ dialect }) => dialect === 'sqlite')
  const opened = []

  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
    await database.reset()
  })

  afterAll(() => database.end())

  /** A store on a table that is there. Sequelize itself opens nothing. */
  async function open(options, where = database.place()) {
    const table = new RustSequelizeStore({ ...where, layout: 'koa-generic-session-sequelize' })
    await table.sync()
    await table.close()
    const sequelize = new Sequelize(sequelizeOptions(database, where))
    const store = new SequelizeStore(sequelize, { sync: false, ...options })
    opened.push(store)
    return store
  }

  test('has the defaults, the model and the instance as properties', async () => {
    const { options, sequelize, Model, synced } = await open({ gcFrequency: undefined })

    expect(options).toEqual({
      tableName: 'Sessions',
      modelName: 'Session',
      sync: false,
      syncTimeout: 3000,
      gcFrequency: 10_000,
      timestamps: false,
      browserSessionLifetime: 86_400_000
    })
    expect(Model).toBe(sequelize.models.Session)
    expect(Object.keys(Model.rawAttributes)).toEqual(['id', 'data', 'expires'])
    expect(synced).toBe(true)
  })

  test('emits `connect` when everybody can hear it, and once', async () => {
    const store = await open()
    const heard = jest.fn()
    store.on('connect', heard)
    expect(heard).not.toHaveBeenCalled()
    await new Promise((resolve) => setImmediate(resolve))
    await store.set('sid', {})
    expect(heard).toHaveBeenCalledTimes(1)
  })

  test('leaves a model of the application in its place', async () => {
    const where = database.place()
    const sequelize = new Sequelize(sequelizeOptions(database, where))
    const own = sequelize.define('Session', { name: 'TEXT' }, { tableName: 'Concerts' })
    const store = new SequelizeStore(sequelize, { sync: false })
    opened.push(store)

    expect(sequelize.models.Session).toBe(own)
    expect(store.Model.getTableName()).toBe('Sessions')
    const second = new SequelizeStore(sequelize, { sync: false })
    opened.push(second)
    expect(second.Model).toBe(store.Model)
  })

  test.each([
    [10_000, 0.9 / 10_000, true],
    [10_000, 1.1 / 10_000, false],
    [1, 0.999, true],
    [0, 0, false]
  ])(
    'with gcFrequency %d and a chance of %d, get removes expired sessions: %s',
    async (gcFrequency, chance, removes) => {
      const store = await open({ gcFrequency })
      await store.set('expired', {}, -HOUR)
      const gc = jest.spyOn(store, 'gc')
      const random = jest.spyOn(Math, 'random').mockReturnValue(chance)
      try {
        await store.get('sid')
      } finally {
        random.mockRestore()
      }

      expect(gc).toHaveBeenCalledTimes(removes ? 1 : 0)
      if (removes) expect(await gc.mock.results[0].value).toBe(1)
    }
  )

  test('a removal that fails harms nobody', async () => {
    const store = await open({ gcFrequency: 1 })
    const gc = jest.spyOn(store, 'gc').mockImplementation(() => Promise.reject(new Error('of the test')))

    expect(await store.get('sid')).toBeNull()
    expect(gc).toHaveBeenCalledTimes(1)
  })

  test('writes the session as it was when set was called', async () => {
    const store = await open()
    const session = { user: 'Ada' }
    const written = store.set('sid', session)
    session.user = 'Eve'
    await written

    expect(await store.get('sid')).toEqual({ user: 'Ada' })
  })

  test('with a lifetime of 0 for the browser, a session without one of its own is none', async () => {
    const store = await open({ browserSessionLifetime: 0 })
    await store.set('sid', { cookie: {} })
    await store.set('other', { cookie: { maxAge: HOUR } })

    expect(await store.get('sid')).toBeNull()
    expect(await store.get('other')).not.toBeNull()
  })

  test('a closed store refuses', async () => {
    const store = await open()
    await store.close()

    await expect(store.get('sid')).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' })
  })

  test.each([undefined, null, {}, 'sqlite::memory:'])('%p is no Sequelize instance', (sequelize) => {
    expect(() => new SequelizeStore(sequelize)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
  })

  describe('whose model cannot be synced', () => {
    /** A store whose Sequelize does what it is told before it syncs, and opens nothing. */
    function unsynced(beforeSync, options) {
      const sequelize = new Sequelize(sequelizeOptions(database, database.place()))
      sequelize.addHook('beforeSync', beforeSync)
      const store = new SequelizeStore(sequelize, options)
      opened.push(store)
      return store
    }

    test('tells those who call it, and nobody else', async () => {
      const unhandled = jest.fn()
      process.on('unhandledRejection', unhandled)
      try {
        const failed = []
        const store = unsynced(() => {
          failed.push('once more')
          throw new Error('out of order')
        })
        // Longer than the attempt of the constructor takes.
        for (let turns = 0; failed.length < 2 || turns < 10; turns++) {
          await new Promise((resolve) => setImmediate(resolve))
        }
        expect(unhandled).not.toHaveBeenCalled()
        for (const call of [
          () => store.get('a'),
          () => store.set('a', {}),
          () => store.destroy('a'),
          () => store.gc()
        ]) {
          await expect(call()).rejects.toMatchObject({
            code: 'ERR_SESSION_TABLE',
            message: 'could not sync() the Session model: out of order'
          })
        }
        expect(store.synced).toBe(false)
      } finally {
        process.off('unhandledRejection', unhandled)
      }
    })

    test('is waited for no longer than syncTimeout', async () => {
      const store = unsynced(() => new Promise(() => {}), { syncTimeout: 20 })

      await expect(store.get('sid')).rejects.toMatchObject({
        code: 'ERR_SESSION_TIMEOUT',
        message: expect.stringContaining('could not sync() the Session model')
      })
    })
  })
})

describe.each(named(onServers))('on $name, in one process with Sequelize', ({ database }) => {
  const opened = []

  afterEach(async () => {
    for (const { store, sequelize } of opened.splice(0)) {
      await store.close()
      await sequelize.close()
    }
    await database.reset()
  })

  afterAll(() => database.end())

  function open(where, prepare = () => {}) {
    const sequelize = new Sequelize(where.db, { logging: false })
    prepare(sequelize)
    const store = new SequelizeStore(sequelize)
    opened.push({ store, sequelize })
    return store
  }

  test('the first calls wait for the table', async () => {
    const store = open(database.place())
    expect(store.synced).toBe(false)
    const [, , connected] = await Promise.all([
      store.set('sid', { user: 'Ada' }),
      store.get('other'),
      once(store, 'connect')
    ])
    expect(connected).toEqual([])
    expect(store.synced).toBe(true)
    expect(await store.get('sid')).toEqual({ user: 'Ada' })
  })

  test('stores that start together all find their table', async () => {
    const where = database.place()
    const stores = Array.from({ length: 6 }, () => open(where))
    await Promise.all(stores.map((store, at) => store.set(`sid-${at}`, { at })))
    expect(await stores[0].Model.count()).toBe(6)
  })

  test('a sync that failed is tried again', async () => {
    let failures = 0
    const store = open(database.place(), (sequelize) =>
      sequelize.addHook('beforeSync', () => {
        if (++failures <= 4) throw new Error('not yet')
      })
    )
    await expect(store.get('sid')).rejects.toThrow('not yet')
    expect(await store.get('sid')).toBeNull()
    expect(store.synced).toBe(true)
  })
})
