'use strict'

const { memory, open, refusal, warningsOf } = require('./setup')

// The options for an instance are those of connect-session-sequelize, which checks none.

describe('with a Sequelize instance', () => {
  test.each([
    ['expiration', '86400000', 86_400_000],
    ['expiration', ' 1500.5 ', 1500.5],
    ['checkExpirationInterval', '-1', -1],
    ['touchAfter', '60000', 60_000]
  ])('%s may be the text %p', (name, given, expected) => {
    expect(open({ db: memory(), [name]: given }).options[name]).toBe(expected)
  })

  test('the members of groups may be text', () => {
    const { pool, queue } = open({ db: memory(), pool: { max: '3' }, queue: { maxOperations: '10' } }).options
    expect(pool.max).toBe(3)
    expect(queue.maxOperations).toBe(10)
  })

  test.each([
    'tableName',
    'table',
    'modelKey',
    'expiration',
    'checkExpirationInterval',
    'extendDefaultFields',
    'pool',
    'schema'
  ])('%s may be null, which stands for the default', (name) => {
    const { options } = open({ db: memory(), [name]: null })
    expect(options[name]).toEqual(open({ db: memory() }).options[name])
  })

  test.each([
    ['secret', /`secret`; supported: db/],
    ['tabelName', /`tabelName`; did you mean `tableName`/],
    ['pool.maximum', /`pool.maximum`; supported: max/]
  ])('an unknown option is one warning: %s', (path, message) => {
    const [name, member] = path.split('.')
    const value = member === undefined ? 'x' : { [member]: 1 }
    const { result, warnings } = warningsOf(() => [1, 2].map(() => open({ db: memory(), [name]: value })))
    expect(result).toHaveLength(2)
    expect(warnings).toEqual([{ code: 'SESSION_UNKNOWN_OPTION', message: expect.stringMatching(message) }])
  })

  test('an option that the database does not have is one warning', () => {
    const { Sequelize } = require('sequelize')
    const db = () => new Sequelize({ dialect: 'sqlite', storage: './never-opened.sqlite', logging: false })
    const { warnings } = warningsOf(() => [1, 2].map(() => open({ db: db(), schema: 'shop' })))
    expect(warnings).toEqual([{ code: 'SESSION_UNKNOWN_OPTION', message: expect.stringMatching(/`schema`.*SQLite/) }])
  })

  test.each([
    ['expiration', '1 day'],
    ['expiration', ''],
    ['expiration', '0'],
    ['disableTouch', 'yes'],
    ['pool', 5],
    ['serializer', {}]
  ])('%s: %p is an error all the same', (name, value) => {
    expect(refusal({ db: memory(), [name]: value })).toMatchObject({
      code: 'ERR_SESSION_OPTIONS',
      message: expect.stringContaining(name)
    })
  })

  test('what was passed stays as it is', () => {
    const options = Object.freeze({ db: memory(), expiration: '1000', table: null, pool: Object.freeze({ max: '2' }) })
    open(options)
    expect(options).toMatchObject({ expiration: '1000', table: null, pool: { max: '2' } })
  })
})

test('with a URL they are strict', () => {
  for (const wrong of [{ expiration: '1000' }, { tableName: null }, { secret: 's' }]) {
    expect(refusal({ db: 'sqlite::memory:', ...wrong }).code).toBe('ERR_SESSION_OPTIONS')
  }
})
