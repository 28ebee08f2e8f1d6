'use strict'

const { RustSequelizeStore, SessionStoreError } = require('../..')
const { db } = require('./setup')

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
