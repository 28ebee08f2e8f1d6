'use strict'

const { execFileSync } = require('node:child_process')
const path = require('node:path')
const mysql = require('mysql2/promise')
const { need } = require('./needs')
const { PrivateServer, findProgram } = require('./private-server')

const FOLDERS = ['/usr/sbin', '/usr/libexec', '/usr/local/sbin']

/**
 * What makes a data folder and what serves it, of MariaDB or of MySQL, or null: `daemon`, the program and its first arguments, and
 * `initialize(data)`, a program and all of its arguments.
 */
function findPrograms() {
  const program = findProgram('mariadbd', FOLDERS) ?? findProgram('mysqld', FOLDERS)
  if (program === null) return null
  const daemon = [program, '--no-defaults']
  if (!execFileSync(program, ['--no-defaults', '--version'], { encoding: 'utf8' }).includes('MariaDB')) {
    return { daemon, initialize: (data) => [...daemon, '--initialize-insecure', `--datadir=${data}`] }
  }
  const install = findProgram('mariadb-install-db') ?? findProgram('mysql_install_db')
  const args = ['--no-defaults', '--auth-root-authentication-method=normal', '--skip-test-db']
  return install && { daemon, initialize: (data) => [install, ...args, `--datadir=${data}`] }
}

/** Resolves with what a server is, and rejects if it does not answer. */
async function probe(url) {
  const connection = await mysql.createConnection({ uri: url, connectTimeout: 20_000 })
  try {
    const [[{ version }]] = await connection.query('SELECT VERSION() AS version')
    return `${version.includes('MariaDB') ? 'MariaDB' : 'MySQL'} ${version.split('-')[0]}`
  } finally {
    connection.destroy()
  }
}

/**
 * Makes a server without starting it: `{ url(options), socket, port, folder, start(settings), stop(signal), log(), end() }`. Its user
 * `tester` may do anything.
 */
async function create(programs) {
  if (programs === null) return null
  const server = await PrivateServer.create(['mysql'])
  const { folder, port } = server
  const password = 'only for the tests'
  const data = path.join(folder, 'data')
  const socket = path.join(folder, 'mysql.sock')
  let users
  try {
    const [command, ...args] = programs.initialize(data)
    await server.run(command, args)
    users = server.write(
      'users.sql',
      `CREATE USER IF NOT EXISTS tester@'%' IDENTIFIED BY '${password}';
GRANT ALL ON *.* TO tester@'%' WITH GRANT OPTION;
CREATE DATABASE IF NOT EXISTS test;
`
    )
  } catch (error) {
    await server.end()
    throw error
  }
  const url = ({ user = 'tester', pass = password, host = '127.0.0.1', database = 'test', query = '' } = {}) =>
    `mysql://${encodeURIComponent(user)}:${encodeURIComponent(pass)}@${host}:${port}/${database}${query && `?${query}`}`

  return {
    url,
    socket,
    port,
    folder,
    password,
    write: (name, text) => server.write(name, text),
    start(settings = {}) {
      const all = {
        datadir: data,
        socket,
        port,
        'bind-address': '127.0.0.1',
        'pid-file': path.join(folder, 'pid'),
        'init-file': users,
        'skip-name-resolve': 'ON',
        'skip-log-bin': 'ON',
        'character-set-server': 'utf8mb4',
        'collation-server': 'utf8mb4_general_ci',
        'max-connections': 600,
        // Nothing here outlives the machine, though it may outlive the server.
        'innodb-flush-log-at-trx-commit': 2,
        'innodb-flush-method': 'nosync',
        'loose-mysqlx': 'OFF',
        ...settings
      }
      const [command, ...first] = programs.daemon
      const args = [...first, ...Object.entries(all).map(([name, value]) => `--${name}=${value}`)]
      return server.start(command, args, () => probe(url()))
    },
    stop: (signal = 'SIGTERM') => server.stop(signal),
    log: () => server.log(),
    end: () => server.end()
  }
}

/** Runs statements one after the other. */
async function execute(url, sql) {
  const connection = await mysql.createConnection({ uri: url, multipleStatements: true })
  try {
    await connection.query(sql)
  } finally {
    await connection.end()
  }
}

/** What MariaDB and MySQL have in common, of what ./index.js lists. `what` names the programs for those who lack them. */
function mysqlServer({ name, variable, programs, what, usual }) {
  return {
    name,
    dialect: 'mysql',
    variable,
    own: need(`${name}, started and stopped`, programs, what),
    create: () => create(programs),
    probe,
    usual,
    execute,
    make: (place) => `CREATE DATABASE ${place};`,
    drop: (place) => `DROP DATABASE IF EXISTS ${place};`
  }
}

module.exports = { findPrograms, mysqlServer }
