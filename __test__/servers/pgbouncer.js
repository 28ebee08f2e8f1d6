'use strict'

const path = require('node:path')
const { probe } = require('./postgres')
const { PrivateServer, findProgram } = require('./private-server')

/** Starts a pooler in transaction mode in front of a server: `{ url, stop(), start(), end() }`. */
async function startPgbouncer(postgres, settings = {}) {
  const server = await PrivateServer.create(['postgres'])
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: server.port,
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    default_pool_size: 3,
    max_client_conn: 500,
    logfile: path.join(server.folder, 'pgbouncer.log'),
    ...settings
  }
  const ini = server.write(
    'pgbouncer.ini',
    `[databases]
* = host=127.0.0.1 port=${postgres.port} user=postgres password='${postgres.password}'
[pgbouncer]
${Object.entries(all)
  .map(([name, value]) => `${name} = ${value}`)
  .join('\n')}
`
  )
  const url = `postgres://postgres@127.0.0.1:${server.port}/postgres`
  const start = () => server.start(findProgram('pgbouncer', ['/usr/sbin']), [ini], () => probe(url))
  await start()
  return { url, start, stop: () => server.stop('SIGTERM'), end: () => server.end() }
}

module.exports = { startPgbouncer }
