'use strict'

const { create, db, server } = require('./setup')

describe('the options of a store', () => {
  test('have defaults', () => {
    const { options } = create({ db })

    expect(options).toMatchObject({
      tableName: 'Sessions',
      modelKey: 'Session',
      expiration: 24 * 60 * 60 * 1000,
      checkExpirationInterval: 15 * 60 * 1000,
      disableTouch: false,
      touchAfter: 0,
      createTable: true,
      serializer: JSON,
      pool: {
        max: 4,
        acquireTimeout: 30_000,
        queryTimeout: 30_000,
        idleTimeout: 60_000,
        maxLifetime: 1_800_000
      },
      queue: { maxOperations: 100_000, maxBytes: 256 * 1024 * 1024 }
    })
    expect(options.db).toBe(db)
    for (const name of ['table', 'schema', 'extendDefaultFields']) {
      expect(options[name]).toBeUndefined()
    }
  })

  test.each([server, 'postgresql://localhost/x', 'mysql://localhost/x', 'mariadb://localhost/x'])(
    'have other defaults on a server: %s',
    (url) => {
      const { options } = create({ db: url })

      expect(options).toMatchObject({
        tableName: 'Sessions',
        timezone: '+00:00',
        preparedStatements: true,
        pool: { max: 5, acquireTimeout: 10_000, queryTimeout: 30_000, idleTimeout: 60_000, maxLifetime: 1_800_000 },
        queue: { maxOperations: 100_000, maxBytes: 256 * 1024 * 1024 }
      })
      for (const name of ['table', 'schema', 'extendDefaultFields']) expect(options[name]).toBeUndefined()
    }
  )

  const serializer = { stringify: JSON.stringify, parse: JSON.parse }
  const extendDefaultFields = (defaults) => defaults

  test.each([
    ['tableName', 'a "table" `of` \'mine\' 漢\u{1f600}'],
    ['modelKey', 'WebSession'],
    ['columns', { sid: 'id', createdAt: false, updatedAt: false }],
    ['columns', { deletedAt: 'deleted' }],
    ['columns', { deletedAt: false }],
    ['expiration', 1],
    ['expiration', 10 * 365 * 24 * 60 * 60 * 1000],
    ['checkExpirationInterval', 1],
    ['checkExpirationInterval', 0],
    ['checkExpirationInterval', -1],
    ['checkExpirationInterval', 365 * 24 * 60 * 60 * 1000],
    ['extendDefaultFields', extendDefaultFields],
    ['disableTouch', true],
    ['disableTouch', false],
    ['touchAfter', 0],
    ['touchAfter', 60_000],
    ['createTable', false],
    ['createTable', true],
    ['serializer', serializer],
    ['serializer', JSON],
    ['pool', { max: 1 }],
    ['pool', { max: 2, acquireTimeout: 1000, queryTimeout: 1, idleTimeout: 1, maxLifetime: 1 }],
    ['queue', { maxOperations: 1, maxBytes: 1 }],
    ['queue', { maxBytes: 1024 }]
  ])('accept %s: %p', async (name, value) => {
    const store = create({ db, [name]: value })

    if (typeof value === 'object' && value !== JSON) {
      expect(store.options[name]).toMatchObject(value)
    } else {
      expect(store.options[name]).toBe(value)
    }
  })

  test.each([
    ['schema', 'app'],
    ['schema', 'a "schema" `of` \'mine\' 漢'],
    ['timezone', '+00:00'],
    ['timezone', '-00:00'],
    ['timezone', '+05:30'],
    ['timezone', '-12:00'],
    ['timezone', '+14:00'],
    ['preparedStatements', true],
    ['preparedStatements', false],
    ['tableName', 'sessions'],
    ['columns', { deletedAt: 'deleted' }],
    ['pool', { max: 1 }]
  ])('accept %s on a server: %p', (name, value) => {
    for (const url of [server, 'mysql://localhost/sessions']) {
      const { options } = create({ db: url, [name]: value })

      if (typeof value === 'object') expect(options[name]).toMatchObject(value)
      else expect(options[name]).toBe(value)
    }
  })

  test.each([true, false])('accept causalReads on MySQL: %p', (causalReads) => {
    expect(create({ db: 'mysql://localhost/x', causalReads }).options.causalReads).toBe(causalReads)
  })

  test.each([
    'tableName',
    'modelKey',
    'table',
    'schema',
    'timezone',
    'preparedStatements',
    'columns',
    'expiration',
    'checkExpirationInterval',
    'extendDefaultFields',
    'disableTouch',
    'touchAfter',
    'createTable',
    'serializer',
    'pool',
    'queue'
  ])('%s: undefined means the default', (name) => {
    for (const url of [db, server]) {
      const { options } = create({ db: url, [name]: undefined })

      expect(options[name]).toEqual(create({ db: url }).options[name])
    }
  })

  test('undefined means the default within pool, queue and columns too', () => {
    const { options } = create({
      db,
      pool: { max: undefined, idleTimeout: 5 },
      queue: { maxBytes: undefined },
      columns: { sid: undefined }
    })

    expect(options.pool).toMatchObject({ max: 4, idleTimeout: 5 })
    expect(options.queue.maxBytes).toBe(256 * 1024 * 1024)
  })

  test('an expiration beyond the last storable date means that date', async () => {
    const store = create({ db, expiration: Number.MAX_SAFE_INTEGER })
    const cookie = { originalMaxAge: null, expires: null }

    expect(store.expiration({ cookie }).getUTCFullYear()).toBe(9999)
    await store.set('sid', { cookie })
    expect(await store.get('sid')).toEqual({ cookie })
  })

  test('can be frozen or without a prototype, and are never changed', () => {
    const options = Object.assign(Object.create(null), { db, expiration: 1000 })
    const before = { ...options }

    create(Object.freeze(options))

    expect({ ...options }).toEqual(before)
  })

  test('are copied by the store', () => {
    const pool = { max: 2 }
    const options = { db, expiration: 1000, pool }
    const store = create(options)
    options.expiration = 2000
    pool.max = 3

    expect(store.options.expiration).toBe(1000)
    expect(store.options.pool.max).toBe(2)
    expect(create({ db }).options.pool.max).toBe(4)
  })

  test('are read at every call', async () => {
    const store = create({ db, expiration: 1000 })
    const cookie = { originalMaxAge: null, expires: null }

    store.options.expiration = 1_000_000
    const expires = store.expiration({ cookie })
    expect(expires.getTime() - Date.now()).toBeGreaterThan(900_000)

    await store.set('sid', { cookie })
    store.options.disableTouch = true
    await store.touch('sid', { cookie })
    expect(store.stats().touchesSkipped).toBe(1)
    store.options.disableTouch = false
    await store.touch('sid', { cookie })
    expect(store.stats().touchesSkipped).toBe(1)
  })
})
