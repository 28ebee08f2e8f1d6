'use strict'

const { RustSequelizeStore } = require('../..')
const reasons = require('../on-servers/reasons')
const { failure } = require('../support/calls')
const { onOwnServers } = require('../support/suites')
const { serverKit } = require('./kit')
const { run } = require('./setup')

onOwnServers('mysql', ({ create }) => {
  let server

  reasons({
    ...serverKit(create),
    async create() {
      server = await serverKit(create).create()
      return server
    },
    async fill() {
      await run(server.url(), "CREATE USER limited@'%' IDENTIFIED BY 'secret' WITH MAX_CONNECTIONS_PER_HOUR 1")
      await run(server.url(), "GRANT ALL ON test.* TO limited@'%'")
      await run(server.url({ user: 'limited', pass: 'secret' }), 'SELECT 1')
    },
    full: '1226'
  })

  test('an account of MariaDB with ed25519', async () => {
    try {
      await run(server.url(), "INSTALL SONAME 'auth_ed25519'")
    } catch {
      // MySQL has no such plugin.
      return
    }
    await run(server.url(), "CREATE USER modern@'%' IDENTIFIED VIA ed25519 USING PASSWORD('secret')")
    const store = new RustSequelizeStore({ db: server.url({ user: 'modern', pass: 'secret' }) })
    const error = await failure(store.get('ada'))
    await store.close()
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.message).toMatch('`client_ed25519`')
    expect(error.message).toMatch('ALTER USER')
  })
})
