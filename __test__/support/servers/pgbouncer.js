'use strict'

const { execFileSync } = require('node:child_process')
const path = require('node:path')
const { probe } = require('./postgres')
const { PrivateServer, findProgram } = require('./private-server')

/** What keeps a pooler from following prepared statements, as all did before 1.21; those did not know the setting. */
function unaware(program) {
  const [, major, minor] = /(\d+)\.(\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))
  return Number(major) > 1 || Number(minor) >= 21 ? { max_prepared_statements: 0 } : {}
}

/** Starts a pooler in transaction mode in front of a server: `{ url, stop(), start(), end() }`. `settings` are those of pgbouncer.ini. */
async function startPgbouncer(postgres, settings = {}) {
  const program = findProgram('pgbouncer', ['/usr/sbin'])
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
    ...unaware(program),
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
  const start = () => server.start(program, [ini], () => probe(url))
  await start()
  return { url, start, stop: () => server.stop('SIGTERM'), end: () => server.end() }
}

module.exports = { startPgbouncer }
