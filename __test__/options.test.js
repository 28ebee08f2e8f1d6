'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { inspect } = require('node:util')
const { RustSequelizeStore, SessionStoreError } = require('..')

const db = 'sqlite::memory:'
// Nothing is opened before it is needed, so there need not be a server.
const server = 'postgres://localhost/sessions'
const stores = []

function create(...args) {
  const store = new RustSequelizeStore(...args)
  stores.push(store)
  return store
}

/** The error with which the constructor refuses its arguments. */
function refusal(...args) {
  try {
    create(...args)
  } catch (error) {
    return error
  }
  throw new Error(`accepted ${inspect(args)}`)
}

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
})

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
  ])('%s: undefined stands for the default', (name) => {
    for (const url of [db, server]) {
      const { options } = create({ db: url, [name]: undefined })

      expect(options[name]).toEqual(create({ db: url }).options[name])
    }
  })

  test('undefined stands for the default within pool, queue and columns too', () => {
    const { options } = create({
      db,
      pool: { max: undefined, idleTimeout: 5 },
      queue: { maxBytes: undefined },
      columns: { sid: undefined }
    })

    expect(options.pool).toMatchObject({ max: 4, idleTimeout: 5 })
    expect(options.queue.maxBytes).toBe(256 * 1024 * 1024)
  })

  test('an expiration beyond the last date that can be stored means that date', async () => {
    const store = create({ db, expiration: Number.MAX_SAFE_INTEGER })
    const cookie = { originalMaxAge: null, expires: null }

    expect(store.expiration({ cookie }).getUTCFullYear()).toBe(9999)
    await store.set('sid', { cookie })
    expect(await store.get('sid')).toEqual({ cookie })
  })

  test('may be frozen, without a prototype, and are not changed', () => {
    const options = Object.assign(Object.create(null), { db, expiration: 1000 })
    const before = { ...options }

    create(Object.freeze(options))

    expect({ ...options }).toEqual(before)
  })

  test('belong to the store', () => {
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

describe('a refused option', () => {
  test.each([
    ['tableName', ''],
    ['tableName', 5],
    ['tableName', null],
    ['tableName', 'a\0b'],
    ['tableName', 'a\ud800b'],
    ['modelKey', 5],
    ['modelKey', ''],
    ['table', 'Session'],
    ['schema', 'public'],
    ['schema', null],
    ['timezone', '+00:00'],
    ['timezone', null],
    ['preparedStatements', true],
    ['preparedStatements', false],
    ['columns', 'sid'],
    ['columns', null],
    ['columns', []],
    ['expiration', '1 day'],
    ['expiration', '1000'],
    ['expiration', 0],
    ['expiration', -1],
    ['expiration', Number.NaN],
    ['expiration', Number.POSITIVE_INFINITY],
    ['expiration', 1000n],
    ['expiration', null],
    ['expiration', new Date()],
    ['checkExpirationInterval', '15m'],
    ['checkExpirationInterval', Number.NaN],
    ['checkExpirationInterval', false],
    ['extendDefaultFields', {}],
    ['extendDefaultFields', 'fields'],
    ['disableTouch', 'yes'],
    ['disableTouch', 1],
    ['disableTouch', null],
    ['touchAfter', -1],
    ['touchAfter', '60'],
    ['touchAfter', Number.NaN],
    ['touchAfter', Number.POSITIVE_INFINITY],
    ['createTable', 'false'],
    ['createTable', 0],
    ['serializer', {}],
    ['serializer', 'json'],
    ['serializer', null],
    ['serializer', { stringify: JSON.stringify }],
    ['serializer', { stringify: JSON.stringify, parse: 'parse' }],
    ['pool', 5],
    ['pool', null],
    ['pool', []],
    ['queue', 5],
    ['queue', true]
  ])('%s: %p is named', (name, value) => {
    const error = refusal({ db, [name]: value })

    expect(error).toBeInstanceOf(SessionStoreError)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'SessionStoreError',
      code: 'ERR_SESSION_OPTIONS',
      message: expect.stringContaining(name)
    })
  })

  test.each([
    ['schema', ''],
    ['schema', 5],
    ['schema', null],
    ['schema', 'a\0b'],
    ['schema', 'a\udc00'],
    ['table', 'Session'],
    ['table', null],
    ['timezone', ''],
    ['timezone', 'Z'],
    ['timezone', 'UTC'],
    ['timezone', 'Europe/Berlin'],
    ['timezone', '05:30'],
    ['timezone', '+5:30'],
    ['timezone', '+0530'],
    ['timezone', '+05:60'],
    ['timezone', '+15:00'],
    ['timezone', '+05:30\n'],
    ['timezone', 330],
    ['timezone', null],
    ['preparedStatements', 'false'],
    ['preparedStatements', 0],
    ['preparedStatements', null]
  ])('%s: %p is named on a server', (name, value) => {
    for (const url of [server, 'mysql://localhost/sessions']) {
      const error = refusal({ db: url, [name]: value })

      expect(error.code).toBe('ERR_SESSION_OPTIONS')
      expect(error.message).toContain(name)
    }
  })

  test.each([
    ['pool', 'max', 0],
    ['pool', 'max', -1],
    ['pool', 'max', 1.5],
    ['pool', 'max', '4'],
    ['pool', 'max', 2 ** 32],
    ['pool', 'max', Number.POSITIVE_INFINITY],
    ['pool', 'acquireTimeout', -1],
    ['pool', 'acquireTimeout', Number.NaN],
    ['pool', 'acquireTimeout', '30s'],
    ['pool', 'acquireTimeout', 0],
    ['pool', 'queryTimeout', 0],
    ['pool', 'queryTimeout', -1],
    ['pool', 'queryTimeout', 1.5],
    ['pool', 'queryTimeout', 2 ** 32],
    ['pool', 'queryTimeout', '30s'],
    ['pool', 'idleTimeout', -1],
    ['pool', 'idleTimeout', '1m'],
    ['pool', 'maxLifetime', -1],
    ['pool', 'maxLifetime', {}],
    ['queue', 'maxOperations', 0],
    ['queue', 'maxOperations', 1.5],
    ['queue', 'maxOperations', '1000'],
    ['queue', 'maxBytes', 0],
    ['queue', 'maxBytes', -1],
    ['queue', 'maxBytes', '1 MiB'],
    ['columns', 'sid', ''],
    ['columns', 'sid', false],
    ['columns', 'sid', 5],
    ['columns', 'data', false],
    ['columns', 'expires', null],
    ['columns', 'createdAt', true],
    ['columns', 'updatedAt', 'a\0b'],
    ['columns', 'updatedAt', 'a\ud800'],
    ['columns', 'deletedAt', true],
    ['columns', 'deletedAt', ''],
    ['columns', 'deletedAt', null]
  ])('%s.%s: %p is named', (option, name, value) => {
    const error = refusal({ db, [option]: { [name]: value } })

    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toContain(option)
    expect(error.message).toContain(name)
  })

  test('two columns of the same name', () => {
    for (const columns of [
      { sid: 'id', data: 'id' },
      { updatedAt: 'changed', deletedAt: 'changed' }
    ]) {
      const error = refusal({ db, columns })

      expect(error.code).toBe('ERR_SESSION_OPTIONS')
      expect(error.message).toContain('columns')
    }
  })

  test.each([
    ['DB', 'db'],
    ['tablename', 'tableName'],
    ['tabelName', 'tableName'],
    ['ModelKey', 'modelKey'],
    ['shema', 'schema'],
    ['column', 'columns'],
    ['expirations', 'expiration'],
    ['experation', 'expiration'],
    ['checkExpirationIntervall', 'checkExpirationInterval'],
    ['checkExpirationInterva', 'checkExpirationInterval'],
    ['extendDefaultField', 'extendDefaultFields'],
    ['disabletouch', 'disableTouch'],
    ['touchafter', 'touchAfter'],
    ['createtable', 'createTable'],
    ['serialiser', 'serializer'],
    ['timeZone', 'timezone'],
    ['preparedStatement', 'preparedStatements'],
    ['pools', 'pool'],
    ['queu', 'queue']
  ])('%s is misspelled, and %s is meant', (wrong, right) => {
    const error = refusal({ db, [wrong]: 5 })

    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toContain(wrong)
    expect(didYouMean(error)).toBe(right)
  })

  test.each([
    ['pool', 'aquireTimeout', 'acquireTimeout'],
    ['pool', 'idle_timeout', 'idleTimeout'],
    ['pool', 'querytimeout', 'queryTimeout'],
    ['pool', 'maxLifeTime', 'maxLifetime'],
    ['queue', 'maxOperation', 'maxOperations'],
    ['queue', 'maxbytes', 'maxBytes'],
    ['columns', 'sId', 'sid'],
    ['columns', 'expire', 'expires'],
    ['columns', 'created_at', 'createdAt'],
    ['columns', 'deleted_at', 'deletedAt']
  ])('%s.%s is misspelled, and %s is meant', (option, wrong, right) => {
    const error = refusal({ db, [option]: { [wrong]: 5 } })

    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toContain(wrong)
    expect(didYouMean(error)).toMatch(new RegExp(`^(${option}\\.)?${right}$`))
  })

  test.each(['colour', 'x', '', 'constructor', 'toString', 'secret'])(
    '%p is unknown, and nothing else is meant',
    (name) => {
      const error = refusal({ db, [name]: 5 })

      expect(error.code).toBe('ERR_SESSION_OPTIONS')
      expect(error.message).toContain(name)
      expect(didYouMean(error)).toBeUndefined()
    }
  )

  test.each([null, 'sqlite::memory:', 5, [], () => {}, true])('options that are %p', (options) => {
    expect(refusal(options).code).toBe('ERR_SESSION_OPTIONS')
  })

  /** The name that the message proposes. */
  function didYouMean({ message }) {
    return /did you mean\W+([\w.]+)/i.exec(message)?.[1]
  }
})

describe('the option db', () => {
  test.each([undefined, null, ''])('is required if it is there: %p', (value) => {
    const error = refusal({ db: value })

    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toContain('Database connection is required')
  })

  test('names the embedded default if it is absent', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
    const before = process.cwd()
    process.chdir(folder)
    try {
      for (const args of [[], [undefined], [{}], [{ expiration: 1000 }]]) {
        expect(create(...args).options.db).toBe('sqlite:./sessions.sqlite')
      }
    } finally {
      process.chdir(before)
    }
    return Promise.all(stores.splice(0).map((store) => store.close())).then(() =>
      fs.rmSync(folder, { recursive: true })
    )
  })

  test.each([
    5,
    {},
    [],
    true,
    Symbol('sqlite'),
    () => db,
    new URL('sqlite:./sessions.sqlite'),
    ' ',
    'sessions.sqlite',
    'oracle://localhost/x',
    'sqlite3:./sessions.sqlite',
    ':memory:',
    'sqlite::memory:?journal_mode=fast',
    'sqlite:./sessions.sqlite?busy_timeout=long',
    'postgres://localhost:port/sessions',
    'postgres://localhost:65536/sessions',
    'postgres://localhost/sessions?sslmode=maybe',
    'mysql://localhost/sessions?ssl-mode=maybe',
    'mysql://localhost',
    'mysql://localhost/',
    'mysql:',
    'mariadb://user@localhost?socket=/run/mysqld/mysqld.sock',
    'postgres//localhost/sessions',
    'mssql://localhost/sessions'
  ])('is refused as %p', (value) => {
    const error = refusal({ db: value })

    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toMatch(/\bdb\b|URL/)
  })

  test.each([
    ['journalmode', 'WAL'],
    ['jornal_mode', 'WAL'],
    ['sslmode', 'require']
  ])('with the unknown parameter %s', (name, value) => {
    const error = refusal({ db: `sqlite:./sessions.sqlite?${name}=${value}` })

    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toContain(name)
  })

  test.each([
    'sqlite::memory:',
    'sqlite:./a b.sqlite',
    'sqlite:./%C3%A9.sqlite',
    'sqlite:./x.sqlite?journal_mode=WAL&synchronous=FULL&busy_timeout=5000',
    'sqlite:./x.sqlite?mode=ro',
    'sqlite:///tmp/x.sqlite',
    'postgres://localhost/x',
    'postgresql://user:p%40ss@db.example.com:5433/a%20b',
    'postgres://localhost/x?sslmode=verify-full&sslrootcert=/ca.crt&sslcert=/client.crt&sslkey=/client.key',
    'postgres:///x?host=/var/run/postgresql',
    'postgres://user@%2Fvar%2Frun%2Fpostgresql/x',
    'mysql://user:p%40ss@db.example.com:3307/a%20b',
    'mariadb://localhost/x?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.crt&ssl-cert=/client.crt&ssl-key=/client.key',
    'mysql://user@localhost/x?socket=/run/mysqld/mysqld.sock'
  ])('may be %s', (url) => {
    // Nothing is opened before it is needed.
    expect(create({ db: url }).options.db).toBe(url)
  })

  test.each([
    ['schema', 'public'],
    ['timezone', '+00:00'],
    ['preparedStatements', true]
  ])('with SQLite there is no %s, and the message says so', (name, value) => {
    expect(refusal({ db, [name]: value }).message).toContain('is not for SQLite')
  })

  test.each([db, server, 'mysql://localhost/x'])('with %s there is no table, and tableName is pointed to', (url) => {
    expect(refusal({ db: url, table: 'Session' }).message).toContain('tableName')
  })
})

describe('the statement that creates the table', () => {
  const { ddl } = RustSequelizeStore

  test('is that of the database', () => {
    expect(ddl('sqlite')).toBe(
      'CREATE TABLE IF NOT EXISTS `Sessions` (`sid` VARCHAR(36) PRIMARY KEY, `expires` DATETIME, `data` TEXT, ' +
        '`createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL);'
    )
    expect(ddl('postgres')).toMatch(/^CREATE TABLE IF NOT EXISTS "Sessions" \("sid" VARCHAR\(128\), /)
    expect(ddl('mysql')).toMatch(/^CREATE TABLE IF NOT EXISTS `Sessions` \(`sid` VARCHAR\(128\) .* COLLATE utf8mb4_bin/)
    expect(ddl('postgresql')).toBe(ddl('postgres'))
    expect(ddl('mariadb')).toBe(ddl('mysql'))
  })

  test('follows the options', () => {
    const options = { schema: 'app', tableName: 'a"`b', columns: { sid: 'id', createdAt: false, updatedAt: 'changed' } }

    expect(ddl('postgres', options)).toContain('"app"."a""`b" ("id" ')
    expect(ddl('mysql', options)).toContain('`app`.`a"``b` (`id` ')
    for (const dialect of ['postgres', 'mysql']) {
      expect(ddl(dialect, options)).toContain('changed')
      expect(ddl(dialect, options)).not.toContain('createdAt')
    }
    expect(ddl('postgres', { db, expiration: 1 })).toBe(ddl('postgres'))
  })

  test.each([
    ['oracle'],
    [''],
    [undefined],
    [null],
    [5],
    ['sqlite', { schema: 'app' }],
    ['postgres', { tableName: '' }],
    ['postgres', { tablename: 'x' }]
  ])('is refused for %p', (...args) => {
    let error
    try {
      ddl(...args)
    } catch (thrown) {
      error = thrown
    }

    expect(error).toBeInstanceOf(SessionStoreError)
    expect(error.code).toBe('ERR_SESSION_OPTIONS')
  })
})

describe('a password', () => {
  const secret = 's3cr3t'

  /** All that can be seen of a value in a log. */
  function visible(value) {
    const parts = [
      String(value),
      inspect(value, { depth: 20, showProxy: true }),
      JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part))
    ]
    if (value instanceof Error) {
      const { message, stack, cause } = value
      parts.push(message, stack, JSON.stringify({ ...value }))
      if (cause !== undefined) parts.push(visible(cause))
    }
    return parts.join('\n')
  }

  test.each([
    [{ db: `postgress://user:${secret}@localhost/sessions` }],
    [{ db: `oracle://user:${secret}@localhost/sessions` }],
    [{ db: ` postgres://user:${secret}@localhost/sessions` }],
    [{ db: `postgres//user:${secret}@localhost/sessions` }],
    [{ db: `postgres://user:${secret}@local host:port/sessions` }],
    [{ db: `postgres://user:${secret}@localhost:port/sessions` }],
    [{ db: `postgres://user:${secret}@localhost/sessions?sslmode=maybe` }],
    [{ db: `mysql://user:${secret}@localhost/sessions?ssl-mode=maybe` }],
    [{ db: `mysql://user:${secret}@localhost` }],
    [{ db: `postgres://user:${secret}@localhost/sessions`, table: 'Session' }],
    [{ db: `postgres://user:${secret}@localhost/sessions`, timezone: 'UTC' }],
    [{ db: `postgres://user:a/${secret}@localhost/sessions` }],
    [{ db: `postgres://user:a#${secret}@localhost/sessions` }],
    [{ db: `postgres://user:a?${secret}@localhost/sessions` }],
    [{ db: `user:${secret}@localhost/sessions` }],
    [{ db: `${secret}` }],
    [{ db: `sqlite:./sessions.sqlite?password=${secret}` }],
    [{ db: { host: 'localhost', password: secret } }],
    [{ db: [`postgres://user:${secret}@localhost/sessions`] }],
    [{ db: new URL(`postgres://user:${secret}@localhost/sessions`) }],
    [{ url: `postgres://user:${secret}@localhost/sessions` }],
    [{ db, password: secret }],
    [{ db, pool: { password: secret } }],
    [{ db, pool: `postgres://user:${secret}@localhost/sessions` }],
    [`postgres://user:${secret}@localhost/sessions`]
  ])('is not in the error for %j', (options) => {
    const error = refusal(options)

    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(visible(error)).not.toContain(secret)
  })

  test('is not in the error for a URL in the place of a dialect', () => {
    expect.assertions(1)
    try {
      RustSequelizeStore.ddl(`postgres://user:${secret}@localhost/sessions`)
    } catch (error) {
      expect(visible(error)).not.toContain(secret)
    }
  })

  // A port at which nothing listens.
  test.each([
    `postgres://user:${secret}@127.0.0.1:1/sessions`,
    `postgres://user:a@${secret}@127.0.0.1:1/sessions`,
    `postgres://127.0.0.1:1/sessions?user=u&password=${secret}`,
    `postgres://user:${secret}@127.0.0.1:1/sessions?sslmode=verify-full&sslrootcert=/nowhere`,
    `postgres://user:${secret}@localhost/sessions?host=/nowhere`,
    `mysql://user:${secret}@127.0.0.1:1/sessions`,
    `mariadb://user:${secret}@127.0.0.1:1/sessions?ssl-mode=REQUIRED`,
    `mysql://user:${secret}@localhost/sessions?socket=/nowhere`
  ])('is not in what is seen of a store on a server that is away: %s', async (url) => {
    const store = create({ db: url, pool: { acquireTimeout: 100 } })

    const error = await store.get('sid').catch((thrown) => thrown)

    expect(error).toBeInstanceOf(SessionStoreError)
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(visible(error)).not.toContain(secret)
    expect(store.options.db).toBe(url)
    expect(visible(store.options)).not.toContain(secret)
    expect(inspect(store, { depth: 20 })).not.toContain(secret)
    expect(visible(store.stats())).not.toContain(secret)
  })

  test('is not in what is seen of a store', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
    const url = `sqlite:${folder}/${secret}.sqlite`
    const store = create({ db: url })
    await store.set('sid', { cookie: {} })

    expect(store.options.db).toBe(url)
    expect(visible(store.options)).not.toContain(secret)
    expect(Object.keys(store.options)).not.toContain('db')
    expect({ ...store.options }).not.toHaveProperty('db')
    for (const depth of [0, 5, 20]) {
      expect(inspect(store, { depth })).not.toContain(secret)
    }
    expect(visible(store.stats())).not.toContain(secret)
    await store.close()
    expect(inspect(store, { depth: 20 })).not.toContain(secret)
    fs.rmSync(folder, { recursive: true })
  })
})
