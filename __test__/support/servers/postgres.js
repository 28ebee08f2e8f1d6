'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { Client } = require('pg')
const { need } = require('./needs')
const { PrivateServer, findProgram } = require('./private-server')

const DEBIAN = '/usr/lib/postgresql'

/** The programs of the newest PostgreSQL here, or null. */
function findPrograms() {
  let versions = []
  try {
    versions = fs.readdirSync(DEBIAN).sort((one, other) => Number(other) - Number(one))
  } catch {}
  const folders = versions.map((version) => path.join(DEBIAN, version, 'bin'))
  const initdb = findProgram('initdb', folders)
  if (initdb === null) return null
  const postgres = findProgram('postgres', [path.dirname(initdb)])
  return postgres && { initdb, postgres }
}

/** Resolves with what a server is, and rejects if it does not answer. */
async function probe(url) {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 20_000 })
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query('SHOW server_version')
  await client.end()
  return `PostgreSQL ${rows[0].server_version.split(' ')[0]}`
}

/**
 * Makes a server without starting it: `{ url(options), socketUrl, port, folder, start(settings), stop(signal), log(), end() }`. Over TCP
 * it asks for a password; over its socket, in its folder, for none.
 */
async function create() {
  const programs = findPrograms()
  if (programs === null) return null
  const server = await PrivateServer.create(['postgres'])
  const password = 'only for the tests'
  const data = path.join(server.folder, 'data')
  try {
    const pwfile = server.write('password', password)
    await server.run(programs.initdb, [
      ...['-D', data, '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', `--pwfile=${pwfile}`],
      ...['--auth-local=trust', '--auth-host=scram-sha-256']
    ])
  } catch (error) {
    await server.end()
    throw error
  }
  return serverAt(server, { programs, data, password })
}

/** Makes a standby of a server that runs, without starting it. It also has `promote()`. */
async function createStandby(primary) {
  const programs = findPrograms()
  const server = await PrivateServer.create(['postgres'])
  const data = path.join(server.folder, 'data')
  try {
    await server.run(path.join(path.dirname(programs.initdb), 'pg_basebackup'), [
      ...['-D', data, '-R', '--checkpoint=fast', '--no-sync'],
      ...['-h', primary.folder, '-p', String(primary.port), '-U', 'postgres']
    ])
  } catch (error) {
    await server.end()
    throw error
  }
  const standby = serverAt(server, { programs, data, password: primary.password })
  return { ...standby, promote: () => execute(standby.url(), 'SELECT pg_promote(true, 60)') }
}

/** A server whose data are in a folder. */
function serverAt(server, { programs, data, password }) {
  const { folder, port } = server
  const url = ({ user = 'postgres', pass = password, host = '127.0.0.1', database = 'postgres', query = '' } = {}) =>
    `postgres://${encodeURIComponent(user)}:${encodeURIComponent(pass)}@${host}:${port}/${database}${query && `?${query}`}`

  return {
    url,
    socketUrl: `postgres://postgres@localhost:${port}/postgres?host=${encodeURIComponent(folder)}`,
    port,
    folder,
    data,
    password,
    write: (name, text) => server.write(name, text),
    start(settings = {}) {
      const all = {
        listen_addresses: '127.0.0.1',
        port,
        unix_socket_directories: folder,
        // Nothing here outlives the machine.
        fsync: 'off',
        full_page_writes: 'off',
        max_connections: 500,
        max_prepared_transactions: 10,
        ...settings
      }
      const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      return server.start(programs.postgres, ['-D', data, ...args], () => probe(url()))
    },
    /** SIGINT ends the sessions first (fast), SIGQUIT is like a crash (immediate). */
    stop: (signal = 'SIGINT') => server.stop(signal),
    log: () => server.log(),
    end: () => server.end()
  }
}

/** Runs statements one after the other. */
async function execute(url, sql) {
  const client = new Client({ connectionString: url, options: '-c client_min_messages=warning' })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

module.exports = {
  name: 'PostgreSQL',
  dialect: 'postgres',
  variable: 'TEST_POSTGRES',
  own: need('PostgreSQL, started and stopped', findPrograms(), 'programs initdb and postgres'),
  create,
  createStandby,
  probe,
  // A server that was set up for tests, as the usual images have it.
  usual: ['postgres:postgres', 'postgres'].map((user) => `postgres://${user}@127.0.0.1:5432/postgres`),
  execute,
  make: (name) => `CREATE SCHEMA ${name};`,
  drop: (name) => `DROP SCHEMA IF EXISTS ${name} CASCADE;`
}
