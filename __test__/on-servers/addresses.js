'use strict'

const { Sequelize } = require('sequelize')
const { failure } = require('../support/calls')
const { expectWorking, serverOf } = require('./setup')

/** The addresses of a server that listens on IPv6 too: see setup.js, and `onBoth`, the settings for that. */
module.exports = ({ onBoth, ...kit }) => {
  const { fresh, open, server } = serverOf({
    ...kit,
    async create() {
      const made = await kit.create()
      return Object.assign(made, {
        start: (
          (start) => () =>
            start(onBoth)
        )(made.start)
      })
    }
  })

  test.each(['[::1]', '[0:0:0:0:0:0:0:1]', '127.0.0.1', 'localhost'])('a URL with the host %s', async (host) => {
    await expectWorking(open(server().url({ host, database: await fresh() })))
  })

  test.each(['::1', '[::1]', '127.0.0.1'])('a Sequelize instance with the host %s', async (host) => {
    const { protocol, port, username, password } = new URL(server().url())
    const sequelize = new Sequelize(await fresh(), username, decodeURIComponent(password), {
      ...{ dialect: protocol.slice(0, -1), host, port, logging: false }
    })
    await expectWorking(open(sequelize))
  })

  test('an IPv6 address where nobody listens is in the error', async () => {
    const url = new URL(server().url({ host: '[::1]' }))
    url.port = '1'
    const error = await failure(open(url.href, { pool: { acquireTimeout: 1000 } }).get('ada'))
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.message).toContain('[::1]:1')
  })

  test('a URL with white space around it', async () => {
    await expectWorking(open(` ${server().url({ database: await fresh() })}\r\n`))
  })
}
