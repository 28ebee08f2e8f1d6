'use strict'

const os = require('node:os')
const path = require('node:path')
const { session } = require('../support/sessions')
const { memory, open, refusal, sequelize, sqlServer, warningsOf } = require('./setup')

const server = (dialect, settings) => sequelize({ dialect, host: 'db', database: 'app', logging: false, ...settings })
const file = () =>
  sequelize({ dialect: 'sqlite', storage: path.join(os.tmpdir(), 'never-opened.sqlite'), logging: false })

describe('what serves the calls of a store', () => {
  test.each([
    ['a file', file],
    ['PostgreSQL', () => server('postgres')],
    ['MariaDB', () => server('mariadb')],
    ['a password that is a number', () => server('mysql', { username: 'me', password: 123 })],
    ['another hook', () => server('postgres', { hooks: { beforeQuery() {} } })]
  ])('is Rust for an instance of %s', (_name, make) => {
    const { result, warnings } = warningsOf(() => open({ db: make() }))
    expect(result.stats().engine).toBe('rust')
    expect(warnings).toEqual([])
  })

  test('is Rust for a URL', () => {
    expect(open({ db: 'sqlite::memory:' }).stats().engine).toBe('rust')
    expect(open({ db: 'sqlite::memory:', engine: 'rust' }).stats().engine).toBe('rust')
  })

  test.each([
    ['a database in memory', () => memory()],
    ['SQL Server', () => sqlServer().instance],
    ['a hook that sets the credentials', () => server('postgres', { hooks: { beforeConnect() {} } })]
  ])('is Sequelize for an instance of %s, without a warning', (_name, make) => {
    const { result, warnings } = warningsOf(() => open({ db: make() }))
    expect(result.stats().engine).toBe('sequelize')
    expect(warnings).toEqual([])
  })

  test.each([
    ['ciphers', 'postgres', { dialectOptions: { ssl: { ciphers: 'ALL' } } }, /`dialectOptions.ssl.ciphers`/],
    ['a TLS profile', 'mysql', { dialectOptions: { ssl: 'Amazon RDS' } }, /TLS profile/],
    ['a version of TLS', 'postgres', { dialectOptions: { ssl: { maxVersion: 'TLSv1.2' } } }, /maxVersion/],
    ['certificates of another form', 'mysql', { dialectOptions: { ssl: { ca: 'bundle' } } }, /PEM/],
    ['summer time', 'mysql', { timezone: 'America/New_York' }, /America\/New_York/],
    ['a password that is fetched', 'postgres', { username: 'me', password: async () => 'secret' }, /password/]
  ])('is Sequelize for an instance with %s, with one warning', (_name, dialect, settings, reason) => {
    const { result, warnings } = warningsOf(() => [1, 2].map(() => open({ db: server(dialect, settings) })))
    for (const store of result) expect(store.stats().engine).toBe('sequelize')
    expect(warnings).toEqual([
      { code: 'SESSION_ENGINE', message: expect.stringMatching(/through Sequelize, which takes .* as much time/) }
    ])
    expect(warnings[0].message).toMatch(reason)
  })

  test('is what option `engine` says', async () => {
    const db = memory()
    expect(open({ db: file(), engine: 'sequelize' }).stats().engine).toBe('sequelize')
    expect(open({ db: server('postgres', { hooks: { beforeConnect() {} } }), engine: 'rust' }).stats().engine).toBe(
      'rust'
    )
    expect(refusal({ db, engine: 'rust' })).toMatchObject({
      code: 'ERR_SESSION_OPTIONS',
      message: expect.stringMatching(/memory/)
    })
    expect(refusal({ db, engine: 'knex' })).toMatchObject({
      code: 'ERR_SESSION_OPTIONS',
      message: expect.stringMatching(/`engine`.*`rust` or `sequelize`/)
    })
    expect(refusal({ db: 'sqlite::memory:', engine: 'sequelize' })).toMatchObject({
      code: 'ERR_SESSION_OPTIONS',
      message: expect.stringMatching(/`engine`.*URL/)
    })
    const mssql = sqlServer().instance
    expect(refusal({ db: mssql, engine: 'rust' }).message).toMatch(/`mssql`/)
  })

  test('needs a model where Sequelize serves', () => {
    expect(refusal({ db: memory(), layout: 'connect-pg-simple' })).toMatchObject({
      code: 'ERR_SESSION_OPTIONS',
      message: expect.stringMatching(/`layout`|layout .*`table`/)
    })
  })

  test('is on the connections of the instance, with its hooks and its log', async () => {
    const queries = []
    const hooks = []
    const db = memory({ logging: (sql) => queries.push(sql), hooks: { beforeQuery: () => hooks.push(1) } })
    const store = open({ db })
    await store.set('ada', session({ user: 'ada' }))
    expect(queries.some((sql) => sql.includes('INSERT INTO `Sessions`'))).toBe(true)
    expect(hooks.length).toBeGreaterThan(0)
    expect(await store.sessionModel.count()).toBe(1)
    await store.close()
    expect(await store.sessionModel.count()).toBe(1)
  })
})
