'use strict'

const { RustSequelizeStore } = require('../..')
const { failure } = require('../support/calls')
const { exercise } = require('../support/exercise')
const { onEachMysql, onRunningServers } = require('./setup')

onEachMysql((database) => {
  const { open, place } = database

  test('option preparedStatements: false works too', async () => {
    await exercise(database, open({ preparedStatements: false }))
  })

  test('the URL may begin with mariadb', async () => {
    const { db } = place()
    await exercise(database, open({}, { db: db.replace(/^mysql:/, 'mariadb:') }))
  })

  test('parameters of the usual hosts', async () => {
    const { db } = place()
    await exercise(
      database,
      open({}, { db: `${db}?reconnect=true&charset=utf8mb4&connect_timeout=10&ssl-mode=PREFERRED` })
    )
  })

  test('a URL without a database is refused by the constructor', () => {
    const url = new URL(place().db)
    url.pathname = ''
    expect(() => new RustSequelizeStore({ db: url.href })).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' })
    )
  })
})

onRunningServers(({ count, open, server }) => {
  describe('a unix socket', () => {
    const bySocket = (host) => `${server().url({ host, query: `socket=${encodeURIComponent(server().socket)}` })}`

    test.each(['localhost', 'somewhere.invalid'])('with the host %s', async (host) => {
      await exercise({ count }, open(bySocket(host)))
    })

    test('that is not there is an error, until it is', async () => {
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
