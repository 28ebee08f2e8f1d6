'use strict'

const { open, refusal, sequelize, urlOf } = require('./setup')

/** What stands in a file of certificates, and what it is in a URL. */
const pem = (text, name = 'CERTIFICATE') => `-----BEGIN ${name}-----\n${text}\n-----END ${name}-----`
const encoded = (text) => new URLSearchParams({ '': text }).toString().slice(1)

describe('what a Sequelize instance says', () => {
  const url = (...args) => urlOf(sequelize(...args))
  const server = (dialect, settings) => url({ dialect, host: 'db', database: 'app', logging: false, ...settings })

  test.each([
    ['a URL', 'postgres', ['postgres://me:secret@db:6000/app'], 'postgres://me:secret@db:6000/app'],
    [
      'arguments',
      'postgres',
      ['app', 'me', 'secret', { host: 'db', dialect: 'postgres' }],
      'postgres://me:secret@db:5432/app'
    ],
    ['no host', 'postgres', ['app', 'me', null, { dialect: 'postgres' }], 'postgres://me@localhost:5432/app'],
    [
      'IPv6 in brackets',
      'postgres',
      ['app', 'me', 'secret', { host: '[::1]', dialect: 'postgres' }],
      'postgres://me:secret@[::1]:5432/app'
    ],
    ['IPv6', 'mysql', ['app', 'me', 'secret', { host: '::1', dialect: 'mysql' }], 'mysql://me:secret@[::1]:3306/app'],
    [
      'special characters',
      'mysql',
      ['a/b?c#d%', 'm@:/e', 'p@:/?#[]%&+ ä', { host: 'db', port: 6000, dialect: 'mysql' }],
      'mysql://m%40%3A%2Fe:p%40%3A%2F%3F%23%5B%5D%25%26%2B%20%C3%A4@db:6000/a%2Fb%3Fc%23d%25'
    ]
  ])('by %s', (_how, _dialect, args, expected) => {
    const last = args.at(-1)
    const quiet =
      typeof last === 'object' ? [...args.slice(0, -1), { ...last, logging: false }] : [...args, { logging: false }]
    expect(url(...quiet)).toBe(expected)
  })

  test.each([
    [undefined, ''],
    [null, ''],
    [false, ''],
    [true, 'sslmode=verify-full'],
    ['true', 'sslmode=verify-full'],
    [{ require: true }, 'sslmode=verify-full'],
    [{ require: true, rejectUnauthorized: true }, 'sslmode=verify-full'],
    [{ require: true, rejectUnauthorized: false }, 'sslmode=require'],
    [{ rejectUnauthorized: false, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', ca: undefined }, 'sslmode=require'],
    [{ ca: pem('A').replaceAll('\n', '\\n') }, `sslmode=verify-full&sslrootcert=${encoded(pem('A'))}`],
    [{ servername: 'db', ca: undefined }, `sslmode=verify-full&ssl=${encoded('{"servername":"db"}')}`],
    [{ rejectUnauthorized: false, ca: pem('A') }, `sslmode=require&sslrootcert=${encoded(pem('A'))}`],
    [
      { ca: `# Authority\n${pem('A')}\n`, checkServerIdentity: () => undefined },
      `sslmode=verify-ca&sslrootcert=${encoded(pem('A'))}`
    ],
    [
      { ca: [pem('A'), Buffer.from(pem('B'))], cert: pem('C'), key: pem('K', 'PRIVATE KEY') },
      `sslmode=verify-full&sslrootcert=${encoded(`${pem('A')}\n${pem('B')}`)}` +
        `&sslcert=${encoded(pem('C'))}&sslkey=${encoded(pem('K', 'PRIVATE KEY'))}`
    ]
  ])('of TLS on PostgreSQL: %j', (ssl, expected) => {
    expect(server('postgres', { dialectOptions: { ssl } })).toBe(`postgres://db:5432/app${expected && `?${expected}`}`)
  })

  test.each([
    [undefined, ''],
    [{}, 'ssl-mode=VERIFY_CA'],
    [{ verifyIdentity: true }, 'ssl-mode=VERIFY_IDENTITY'],
    [{ rejectUnauthorized: false }, 'ssl-mode=REQUIRED'],
    [{ ca: pem('A'), checkServerIdentity: () => undefined }, `ssl-mode=VERIFY_CA&ssl-ca=${encoded(pem('A'))}`],
    [
      { ca: pem('A'), cert: pem('C'), key: pem('K', 'RSA PRIVATE KEY') },
      `ssl-mode=VERIFY_CA&ssl-ca=${encoded(pem('A'))}&ssl-cert=${encoded(pem('C'))}` +
        `&ssl-key=${encoded(pem('K', 'RSA PRIVATE KEY'))}`
    ]
  ])('of TLS on MySQL: %j', (ssl, expected) => {
    expect(server('mysql', { dialectOptions: { ssl } })).toBe(`mysql://db:3306/app${expected && `?${expected}`}`)
  })

  test.each([
    ['ciphers', 'postgres', { ssl: { ciphers: 'none' } }],
    ['pfx', 'mysql', { ssl: { pfx: 'secret' } }],
    ['minVersion', 'postgres', { ssl: { minVersion: 'TLSv1.3' } }],
    ['maxVersion', 'mysql', { ssl: { maxVersion: 'TLSv1.2' } }],
    ['TLS profile', 'mysql', { ssl: 'Amazon secret' }],
    ['PEM', 'postgres', { ssl: { key: 'the secret key itself' } }]
  ])('of TLS are refused if unsupported and Rust is asked for: %s', (name, dialect, dialectOptions) => {
    const error = refusal({ db: sequelize({ dialect, host: 'db', logging: false, dialectOptions }), engine: 'rust' })
    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toContain(name)
    expect(error.message).not.toContain('secret')
  })

  test.each([{}, { dialectOptions: {} }])('of TLS are ignored where Sequelize 6 ignores them: %j', (settings) => {
    expect(server('postgres', { ssl: true, ...settings })).toBe('postgres://db:5432/app')
    expect(server('mysql', { ssl: true, ...settings })).toBe('mysql://db:3306/app')
  })

  test('of the server are passed to the server', () => {
    const dialectOptions = { statement_timeout: 1500, lock_timeout: 20, application_name: 'app', keepAlive: true }
    const parameters = new URL(server('postgres', { dialectOptions })).searchParams
    expect(Object.fromEntries(parameters)).toEqual({
      'options[statement_timeout]': '1500',
      'options[lock_timeout]': '20',
      application_name: 'app'
    })
  })

  test('of the pool is taken over, and the options come first', () => {
    const pool = { max: 17, min: 2, acquire: 1234, idle: 4321 }
    const dialectOptions = { query_timeout: 2500 }
    const db = sequelize({ dialect: 'postgres', host: 'db', logging: false, pool, dialectOptions })
    const { pool: taken } = open({ db }).options
    expect(taken).toMatchObject({ max: 17, acquireTimeout: 1234, idleTimeout: 4321, queryTimeout: 2500 })
    expect(open({ db, pool: { max: 3 } }).options.pool).toMatchObject({ max: 3, acquireTimeout: 1234 })
    const odd = { max: 2, acquire: '60000', idle: 1e12 }
    const other = sequelize({ dialect: 'postgres', host: 'db', logging: false, pool: odd })
    expect(open({ db: other }).options.pool).toMatchObject({
      max: 2,
      acquireTimeout: 60_000,
      idleTimeout: 2 ** 32 - 1
    })
  })

  test('of replication: the writer is asked for everything', () => {
    const replication = {
      read: [{ host: 'reader', username: 'reads' }],
      write: { host: 'writer', port: 6000, username: 'writes', password: 'secret', database: 'main' }
    }
    expect(url({ dialect: 'postgres', logging: false, replication })).toBe('postgres://writes:secret@writer:6000/main')
  })

  test('of replication: all servers that accept writes are named', () => {
    const one = { username: 'writes', password: 'secret', database: 'main' }
    const named = (write) => url({ dialect: 'postgres', logging: false, replication: { read: [], write } })
    expect(named({ ...one, host: 'h1,::1, h3', port: 6000 })).toBe(
      'postgres://writes:secret@h1:6000,[::1]:6000,h3:6000/main'
    )
    expect(named({ ...one, host: 'h1,h2', port: '1,2' })).toBe('postgres://writes:secret@h1:1,h2:2/main')
    const user = { username: 'writes', password: 'secret' }
    const array = [
      { ...user, host: 'h1', port: 1 },
      { ...user, host: 'h2' },
      { ...user, host: '::1', port: 3 }
    ]
    const db = sequelize({
      dialect: 'postgres',
      database: 'main',
      logging: false,
      replication: { read: [], write: array }
    })
    expect(urlOf(db)).toBe('postgres://writes:secret@h1:1,h2,[::1]:3/main')
    array[1].password = 'other'
    expect(refusal({ db }).message).toMatch(/replication\.write/)
  })

  test.each([
    ['postgres', 'postgres://writer:5432/app?sslmode=require'],
    ['mysql', 'mysql://writer:3306/app?ssl-mode=REQUIRED']
  ])('of replication: the dialectOptions of the writer come first, %s', (dialect, expected) => {
    const write = { host: 'writer', dialectOptions: { ssl: { rejectUnauthorized: false } } }
    const dialectOptions = { ssl: { ca: pem('A') }, statement_timeout: 5 }
    expect(server(dialect, { host: undefined, dialectOptions, replication: { read: [], write } })).toBe(expected)
    expect(server(dialect, { host: undefined, replication: { read: [], write } })).toBe(expected)
  })

  test.each([
    ['no storage', { dialect: 'sqlite' }],
    ['memory', { dialect: 'sqlite', storage: ':memory:' }],
    ['an empty name', { dialect: 'sqlite', storage: '' }],
    ['a URL of memory', 'sqlite::memory:']
  ])('of an SQLite database in memory is refused if Rust is asked for: %s', (_name, settings) => {
    const db =
      typeof settings === 'string'
        ? sequelize(settings, { logging: false })
        : sequelize({ ...settings, logging: false })
    const error = refusal({ db, engine: 'rust' })
    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toMatch(/memory/)
    expect(error.message).toMatch(/`storage`/)
  })

  test.each([
    ['changes in the year', 'America/New_York'],
    ['is unknown', 'Mars/Olympus']
  ])(
    'of a time zone that %s are refused on MySQL if Rust is asked for, and ignored on PostgreSQL',
    (_name, timezone) => {
      const settings = { host: 'db', database: 'app', logging: false }
      const mysql = sequelize({ dialect: 'mysql', ...settings })
      mysql.options.timezone = timezone
      const error = refusal({ db: mysql, engine: 'rust' })
      expect(error.code).toBe('ERR_SESSION_OPTIONS')
      expect(error.message).toContain(timezone)
      expect(open({ db: mysql, timezone: '-05:00' }).options.timezone).toBe('-05:00')
      const postgres = sequelize({ dialect: 'postgres', ...settings })
      postgres.options.timezone = timezone
      expect(open({ db: postgres }).options.timezone).toBe('+00:00')
    }
  )

  test('is refused without a Sequelize instance', () => {
    for (const db of [null, {}, { models: {} }, [], new Date()]) {
      expect(refusal({ db }).code).toBe('ERR_SESSION_OPTIONS')
    }
  })

  test('never reveals a password', async () => {
    const db = sequelize({ dialect: 'postgres', host: '127.0.0.1', port: 1, password: 'only mine', logging: false })
    const store = open({ db, pool: { acquireTimeout: 200 } })
    const error = await store.get('ada').catch((error) => error)
    const shown = require('node:util').inspect(store, { depth: 6 }) + JSON.stringify(store.options) + error.stack
    expect(shown).not.toMatch(/only mine|only%20mine/)
  })
})
