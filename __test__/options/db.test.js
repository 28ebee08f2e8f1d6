'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { closeAll, create, db, refusal, server } = require('./setup')

describe('the option db', () => {
  test.each([undefined, null, ''])('must not be empty if it is given: %p', (value) => {
    const error = refusal({ db: value })

    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toMatch(/required/)
  })

  test('defaults to a file in the working directory', () => {
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
    return closeAll().then(() => fs.rmSync(folder, { recursive: true }))
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
    'postgres://localhost/sessions?ssl=maybe',
    'postgres://localhost/sessions?sslcert=/client.crt',
    'postgres://localhost/sessions?connection_limit=none',
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
    'mysql://user@localhost/x?socket=/run/mysqld/mysqld.sock',
    'mysql://user@localhost/x?socketPath=/run/mysqld/mysqld.sock',
    'postgres://user:p@[2001:db8::7]:5433/x',
    'mysql://user:p@host/x?ssl={"rejectUnauthorized":true}',
    ' postgres://localhost/x\r\n'
  ])('may be %s', (url) => {
    // Nothing is opened before it is needed.
    expect(create({ db: url }).options.db).toBe(url)
  })

  test.each([
    ['schema', 'public'],
    ['timezone', '+00:00'],
    ['preparedStatements', true],
    ['causalReads', true]
  ])('with SQLite the option %s is refused', (name, value) => {
    expect(refusal({ db, [name]: value }).message).toMatch(/SQLite/)
  })

  test.each([db, server, 'mysql://localhost/x'])(
    'with %s the option table is refused, and tableName suggested',
    (url) => {
      expect(refusal({ db: url, table: 'Session' }).message).toContain('tableName')
    }
  )
})
