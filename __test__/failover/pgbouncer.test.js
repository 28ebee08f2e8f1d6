'use strict'

const { startPgbouncer } = require('../support/servers/pgbouncer')
const { needing, onOwnServers } = require('../support/suites')
const { sleep } = require('../support/time')
const { callsDuring, endings } = require('./setup')

/** How long the server is away, in ms. */
const AWAY = 3000

needing('pgbouncer', () => {
  onOwnServers('postgres', ({ create }) => {
    const all = endings()
    const { open } = all
    let server
    let pooler

    beforeAll(async () => {
      server = await create()
      await server.start()
      // The default of 15 s is longer than calls wait for a connection.
      pooler = await startPgbouncer(server, { server_login_retry: 1 })
    })

    afterEach(() => all.end())

    afterAll(() => Promise.all([pooler?.end(), server?.end()]))

    const calls = (what, act) =>
      callsDuring(`PostgreSQL behind PgBouncer, ${what}`, open(pooler.url, { preparedStatements: false }), act, () =>
        open(server.url())
      )

    test('a server that is away for some seconds fails no call and loses nothing', async () => {
      const { errors } = await calls(`server away for ${AWAY / 1000} s`, async () => {
        await server.stop('SIGINT')
        await sleep(AWAY)
        await server.start()
      })
      expect(errors).toEqual([])
    })

    test('a restart of the pooler fails no call and loses nothing', async () => {
      const { errors } = await calls('restart of the pooler', async () => {
        await pooler.stop()
        await pooler.start()
      })
      expect(errors).toEqual([])
    })
  })
})
