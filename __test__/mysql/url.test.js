'use strict'

const { RustSequelizeStore } = require('../..')
const { failure } = require('../support/calls')
const { exercise } = require('../support/exercise')
const { onEachMysql, onRunningServers } = require('./setup')

onEachMysql((database) => {
  const { open, place } = database

  test('the option preparedStatements can be false', async () => {
    await exercise(database, open({ preparedStatements: false }))
  })

  test('the scheme of a URL can be mariadb', async () => {
    const { db } = place()
    await exercise(database, open({}, { db: db.replace(/^mysql:/, 'mariadb:') }))
  })

  test('parameters that hosting services add are accepted', async () => {
    const { db } = place()
    await exercise(
      database,
      open({}, { db: `${db}?reconnect=true&charset=utf8mb4&connect_timeout=10&ssl-mode=PREFERRED` })
    )
  })

  test('the constructor refuses a URL without a database', () => {
    const url = new URL(place().db)
    url.pathname = ''
    expect(() => new RustSequelizeStore({ db: url.href })).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' })
    )
  })
})

onRunningServers(({ count, open, server }) => {
  describe('a unix socket', () => {
    const bySocket = (host, name = 'socket') =>
      server().url({ host, query: `${name}=${encodeURIComponent(server().socket)}` })

    test.each(['socketPath', 'unix_socket'])('by the parameter %s of other drivers', async (name) => {
      await exercise({ count }, open(bySocket('somewhere.invalid', name)))
    })

    test.each(['localhost', 'somewhere.invalid'])('with the host %s', async (host) => {
      await exercise({ count }, open(bySocket(host)))
    })

    test('that is missing is an error until it exists', async () => {
      await server().stop()
      try {
        const store = open(bySocket('localhost'), { pool: { acquireTimeout: 3000 } })
        const error = await failure(store.get('ada'))
        expect(error.code).toBe('ERR_SESSION_CONNECTION')
        expect(error.message).toMatch('mysql.sock')
        await server().start()
        expect(await store.get('ada')).toBeNull()
      } finally {
        await server().start()
      }
    })
  })
})
