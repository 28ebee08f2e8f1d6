'use strict'

const { once } = require('node:events')
const net = require('node:net')
const { inspect } = require('node:util')
const { failure, styles } = require('../support/calls')
const { freePort } = require('../support/servers/private-server')
const { session } = require('../support/sessions')
const { until } = require('../support/time')
const { TIMEOUT, expectWorking, serverOf } = require('./setup')

const CONNECTION = 'ERR_SESSION_CONNECTION'

/** In less than this they fail, on the slowest machine, and a store that does not heed the option takes longer. In milliseconds. */
const LIMIT = 9000

/** What keeps a store from its database. `kit` is as setup.js has it. */
module.exports = (kit) => {
  const { createUser, setPassword, createDatabase, grant } = kit
  const { admin, fresh, open, openFresh, server } = serverOf(kit)

  /** That each way of calling fails soon, with the code, and tells no password. */
  async function expectRefused(store, secret, code = CONNECTION) {
    const calls = {
      get: () => store.get('ada'),
      callback: () => styles.callback(store, 'get', 'ada'),
      set: () => store.set('ada', session()),
      length: () => store.length(),
      prune: () => store.clearExpiredSessions()
    }
    const started = Date.now()
    const errors = await Promise.all(Object.values(calls).map((call) => failure(call())))
    expect(Date.now() - started).toBeLessThan(LIMIT)
    for (const error of errors) {
      expect(error.code).toBe(code)
      expect(error.cause).toBeInstanceOf(Error)
      expect(error.message).not.toMatch('[object')
      if (secret) {
        const told = inspect(error, { depth: 5, showHidden: true }) + error.stack + error.cause.message
        expect(told).not.toMatch(secret)
      }
    }
    return errors[0]
  }

  const options = { pool: { acquireTimeout: TIMEOUT } }

  describe('a store that cannot connect fails by code, in time and without the password, until it can:', () => {
    const secret = 'v3ry-s3cret'

    test('a wrong password', async () => {
      const database = await fresh()
      await admin(createUser('wrong', 'another'))
      await admin(grant('wrong', database))
      const store = open(server().url({ user: 'wrong', pass: secret, database }), options)
      const error = await expectRefused(store, secret)
      expect(error.message).toMatch('wrong')
      await admin(setPassword('wrong', secret))
      await expectWorking(store)
    })

    test('an unknown user', async () => {
      const database = await fresh()
      const store = open(server().url({ user: 'nobody', pass: secret, database }), options)
      await expectRefused(store, secret)
      await admin(createUser('nobody', secret))
      await admin(grant('nobody', database))
      await expectWorking(store)
    })

    test('an unknown database', async () => {
      const store = open(server().url({ database: 'unknown' }), options)
      const error = await expectRefused(store, server().password)
      expect(error.message).toMatch('unknown')
      await admin(createDatabase('unknown'))
      await expectWorking(store)
    })

    test('a closed port', async () => {
      const url = new URL(server().url({ database: await fresh() }))
      url.port = await freePort()
      const error = await expectRefused(open(url.href, options), server().password)
      expect(error.message).toMatch(url.port)
    })

    test('a host that does not exist', async () => {
      const url = new URL(server().url({ database: await fresh() }))
      url.hostname = 'nowhere.invalid'
      await expectRefused(open(url.href, options), server().password)
    })

    test('a server that never answers', async () => {
      const sockets = []
      const silent = net.createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const url = new URL(server().url({ database: await fresh() }))
      url.port = silent.address().port
      const store = open(url.href, options)
      await expectRefused(store, server().password)
      await store.close()
      for (const socket of sockets) socket.destroy()
      silent.close()
    })

    test('a server of another protocol', async () => {
      const other = net.createServer((socket) => {
        socket.on('error', () => {})
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      })
      other.listen(0, '127.0.0.1')
      await once(other, 'listening')
      const url = new URL(server().url({ database: await fresh() }))
      url.port = other.address().port
      await expectRefused(open(url.href, options), server().password)
      other.close()
    })

    test('a server that is down at the start', async () => {
      const database = await fresh()
      await server().stop()
      try {
        const store = open(server().url({ database }), { ...options, checkExpirationInterval: 20 })
        await expectRefused(store, server().password)
        // The timer tries in vain meanwhile.
        await until(() => store.stats().errors >= 7)
        await server().start()
        await expectWorking(store)
      } finally {
        await server().start()
      }
    })

    test('a server that goes down, and comes back', async () => {
      const store = await openFresh(options)
      await store.set('ada', session({ user: 'ada' }))
      await server().stop()
      try {
        await expectRefused(store, server().password)
      } finally {
        await server().start()
      }
      expect((await store.get('ada')).user).toBe('ada')
    })
  })
}
