'use strict'

const { once } = require('node:events')
const { Sequelize } = require('sequelize')
const { RustSequelizeStore } = require('../..')
const SequelizeStore = require('../../compat/koa-generic-session-sequelize')
const databases = require('../support/databases')
const { onDatabases } = require('../support/suites')
const { HOUR, PATIENCE } = require('../support/time')

const onServers = (register) => onDatabases(({ dialect }) => dialect !== 'sqlite', register, closeBeside)

/** The options of a Sequelize instance for a place. */
function sequelizeOptions(database, place) {
  const where = database.dialect === 'sqlite' ? { dialect: 'sqlite', storage: database.file(place) } : { url: place.db }
  return { ...where, logging: false }
}

describe('the store', () => {
  const database = databases.find(({ name }) => name === 'SQLite file')
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

  test('never replaces a model of the application', async () => {
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

  test('a failed removal of expired sessions affects no other call', async () => {
    const store = await open({ gcFrequency: 1 })
    const gc = jest.spyOn(store, 'gc').mockImplementation(() => Promise.reject(new Error('of the test')))

    expect(await store.get('sid')).toBeNull()
    expect(gc).toHaveBeenCalledTimes(1)
  })

  test('stores the session as it was when `set` was called', async () => {
    const store = await open()
    const session = { user: 'Ada' }
    const written = store.set('sid', session)
    session.user = 'Eve'
    await written

    expect(await store.get('sid')).toEqual({ user: 'Ada' })
  })

  test('a session without a lifetime is not found where the default lifetime is 0', async () => {
    const store = await open({ browserSessionLifetime: 0 })
    await store.set('sid', { cookie: {} })
    await store.set('other', { cookie: { maxAge: HOUR } })

    expect(await store.get('sid')).toBeNull()
    expect(await store.get('other')).not.toBeNull()
  })

  test('a closed store rejects every call', async () => {
    const store = await open()
    await store.close()

    await expect(store.get('sid')).rejects.toMatchObject({ code: 'ERR_SESSION_CLOSED' })
  })

  test.each([undefined, null, {}, 'sqlite::memory:'])('%p is refused: not a Sequelize instance', (sequelize) => {
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

    test('rejects the calls of the store, and is no unhandled rejection', async () => {
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

const beside = []

async function closeBeside() {
  for (const { store, sequelize } of beside.splice(0)) {
    await store.close()
    await sequelize.close()
  }
}

// In one process with Sequelize, which on SQLite would be another copy of it.
onServers((database) => {
  function open(where, prepare = () => {}) {
    const sequelize = new Sequelize(where.db, { logging: false })
    prepare(sequelize)
    const store = new SequelizeStore(sequelize, { syncTimeout: PATIENCE })
    beside.push({ store, sequelize })
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
