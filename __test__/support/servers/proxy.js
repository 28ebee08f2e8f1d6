'use strict'

const { once } = require('node:events')
const net = require('node:net')

/**
 * A TCP proxy in this process that misbehaves when it is told so: `{ port, mode, target, accepted, cut(), end() }`.
 *
 * - `mode`: what becomes of new connections. `pass`: they lead to `target`, a port. `close`: they are accepted and closed. `reset`: the
 *   same by a reset. `silent`: they are accepted and never answered.
 * - `breakAt`: a connection that has sent so many times is broken before the last is passed on; 0 for never.
 * - `accepted`: how many connections there were. `cut()` breaks those that are there.
 */
async function createProxy(target) {
  const sockets = new Set()
  const proxy = { port: 0, mode: 'pass', target, breakAt: 0, accepted: 0, cut, end }

  function keep(socket) {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // The other end may be gone already.
    socket.on('error', () => {})
    return socket
  }

  const modes = {
    close: (socket) => socket.end(),
    reset: (socket) => socket.resetAndDestroy(),
    silent: () => {},
    pass(socket) {
      const server = keep(net.connect(proxy.target, '127.0.0.1'))
      for (const end of [socket, server]) end.setNoDelay(true)
      let sent = 0
      socket.on('data', (data) => {
        if (++sent === proxy.breakAt) socket.resetAndDestroy()
        else server.write(data)
      })
      server.on('data', (data) => socket.write(data))
      socket.on('close', () => server.destroy())
      server.on('close', () => socket.destroy())
    }
  }

  const listener = net.createServer((socket) => {
    proxy.accepted++
    modes[proxy.mode](keep(socket))
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  proxy.port = listener.address().port

  function cut() {
    for (const socket of sockets) socket.destroy()
  }

  async function end() {
    cut()
    listener.close()
    await once(listener, 'close')
  }

  return proxy
}

module.exports = { createProxy }
