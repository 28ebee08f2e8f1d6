'use strict'

const { once } = require('node:events')
const net = require('node:net')
const { PrivateServer, findProgram } = require('./private-server')

/** Resolves when a port accepts connections. */
async function probe(port) {
  const socket = net.connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}

/**
 * Starts HAProxy in front of some servers, each `{ port, health, backup }`; `health` is the port of ./health.js. Connections go to all
 * that are up, in turns, or to one that is a `backup` if none of the others is. Resolves with `{ port, end() }`.
 *
 * What docs/high-availability.md shows is this configuration, with other addresses and longer times.
 */
async function startHaproxy(servers) {
  const haproxy = await PrivateServer.create(['haproxy'])
  const lines = servers.map(
    ({ port, health, backup }, i) =>
      `  server node-${i} 127.0.0.1:${port} check port ${health}${backup ? ' backup' : ''}`
  )
  const file = haproxy.write(
    'haproxy.cfg',
    `defaults
  mode tcp
  timeout connect 1s
  timeout check 2s
  timeout client 30m
  timeout server 30m
  option clitcpka
  option srvtcpka

listen database
  bind 127.0.0.1:${haproxy.port}
  balance roundrobin
  option httpchk GET /
  default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
${lines.join('\n')}
`
  )
  await haproxy.start(findProgram('haproxy', ['/usr/sbin']), ['-db', '-f', file], () => probe(haproxy.port))
  return {
    port: haproxy.port,
    async end() {
      // Other signals do not end it.
      await haproxy.stop('SIGTERM')
      await haproxy.end()
    }
  }
}

module.exports = { startHaproxy }
