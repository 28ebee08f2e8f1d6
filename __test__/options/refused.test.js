'use strict'

const { SessionStoreError } = require('../..')
const { db, refusal, server } = require('./setup')

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
  ])('%s is misspelled, and %s suggested', (wrong, right) => {
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
  ])('%s.%s is misspelled, and %s suggested', (option, wrong, right) => {
    const error = refusal({ db, [option]: { [wrong]: 5 } })

    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toContain(wrong)
    expect(didYouMean(error)).toMatch(new RegExp(`^(${option}\\.)?${right}$`))
  })

  test.each(['purple', 'x', '', 'constructor', 'toString', 'secret'])(
    '%p is unknown, and no other name is suggested',
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
