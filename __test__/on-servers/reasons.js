'use strict'

const net = require('node:net')
const { failure } = require('../support/calls')
const { serverOf } = require('./setup')

const TIMEOUT = 3000

/**
 * What an error says of a database that cannot be reached. `kit` is as setup.js has it, and has `fill(server)`, which
 * leaves no room for connections of a user `limited` with the password `secret`, and `full`, the server's code for that.
 */
module.exports = ({ fill, full, ...kit }) => {
  const { open, server } = serverOf(kit)
  const closing = []

  afterEach(() => Promise.all(closing.splice(0).map((close) => close())))

  /** A server that does this with each connection. */
  async function listen(serve) {
    const sockets = new Set()
    const listener = net.createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      serve(socket)
    })
    await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve))
    closing.push(async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    })
    return listener.address().port
  }

  async function reason(change) {
    const url = new URL(server().url())
    change(url)
    const began = Date.now()
    const error = await failure(open(url.href, { pool: { acquireTimeout: TIMEOUT } }).get('ada'))
    expect(Date.now() - began).toBeLessThan(2 * TIMEOUT)
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.message).not.toMatch(server().password)
    return error
  }

  const atPort = async (serve) => {
    const port = await listen(serve)
    return reason((url) => Object.assign(url, { port }))
  }

  test('a port where nobody listens', async () => {
    const error = await reason((url) => Object.assign(url, { port: 1 }))
    expect(error.message).toMatch(/refused/)
    expect(error.cause.code).toBe('ECONNREFUSED')
  })

  test('a host that is unknown', async () => {
    const error = await reason((url) => Object.assign(url, { hostname: 'nowhere.invalid' }))
    expect(error.message).toMatch('the host is unknown')
    expect(error.cause.code).toBe('ENOTFOUND')
  })

  test('a server that closes the connection', async () => {
    const error = await atPort((socket) => socket.end())
    expect(error.message).toMatch('closed the connection')
    expect(error.cause.code).toBe('ECONNRESET')
  })

  test('a server that does not answer', async () => {
    const error = await atPort(() => {})
    expect(error.message).toMatch('does not answer')
    expect(error.cause.code).toBe('ETIMEDOUT')
  })

  test('a server without room for a connection', async () => {
    await fill(server())
    const error = await reason((url) => Object.assign(url, { username: 'limited', password: 'secret' }))
    expect(error.message).toMatch(/too many|max_user_connections|resource/)
    expect(error.cause.code).toBe(full)
  })
}
