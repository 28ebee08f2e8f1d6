'use strict'

// MySQL itself, where servers/mysql.js takes MariaDB first. It is used from the folder that .ci/install-mysql has unpacked, by the
// loader and the libraries in there, so that it runs on systems that do not have it.

const fs = require('node:fs')
const path = require('node:path')
const { probe } = require('../../servers/mysql')
const { PrivateServer } = require('../../servers/private-server')
const { folder: installed } = require('./mysql-folder')

/** The file in a folder whose name matches, or undefined. */
function findFile(folder, pattern) {
  const name = fs.readdirSync(folder).find((each) => pattern.test(each))
  return name && path.join(folder, name)
}

/**
 * How to run the server: `{ command, args, plugins }`, the arguments being those that come first in any case, and `plugins` the folder
 * of its plugins, such as group_replication.so. Null if it is not installed.
 */
function findPrograms() {
  if (!fs.existsSync(path.join(installed, 'complete'))) return null
  const usr = path.join(installed, 'root', 'usr')
  const libraries = findFile(path.join(usr, 'lib'), /-linux-gnu/)
  const loader = findFile(libraries, /^ld-linux.*\.so/)
  const plugins = path.join(usr, 'lib', 'mysql', 'plugin')
  return {
    command: loader,
    args: [
      ...['--library-path', libraries, path.join(usr, 'sbin', 'mysqld')],
      '--no-defaults',
      `--basedir=${usr}`,
      `--lc-messages-dir=${path.join(usr, 'share', 'mysql')}`,
      `--character-sets-dir=${path.join(usr, 'share', 'mysql', 'charsets')}`,
      `--plugin-dir=${plugins}`,
      // Debian's default is a folder of the system, without which the server does not start.
      '--secure-file-priv=NULL',
      '--mysqlx=OFF'
    ],
    plugins
  }
}

/**
 * Makes a server without starting it, as `createMysql` of servers/mysql.js does:
 * `{ url(options), socket, port, folder, password, write(name, text), start(settings), stop(signal), log(), end() }`. Its user
 * `tester` may do anything. Null if it is not installed.
 */
async function createMysql() {
  const programs = findPrograms()
  if (programs === null) return null
  const server = await PrivateServer.create(['mysql'])
  const { folder, port } = server
  const password = 'only for the tests'
  const data = path.join(folder, 'data')
  const socket = path.join(folder, 'mysql.sock')
  let users
  try {
    await server.run(programs.command, [
      ...programs.args,
      '--initialize-insecure',
      '--auto-generate-certs=OFF',
      `--datadir=${data}`,
      // Half of the time of this step would be waiting for the disk.
      '--innodb-flush-method=nosync'
    ])
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
        // As on MariaDB, there is TLS if a test has given a certificate.
        'auto-generate-certs': 'OFF',
        // Nothing here outlives the machine, though it may outlive the server.
        'innodb-flush-log-at-trx-commit': 2,
        'innodb-flush-method': 'nosync',
        ...settings
      }
      const args = Object.entries(all).map(([name, value]) => `--${name}=${value}`)
      return server.start(programs.command, [...programs.args, ...args], () => probe(url()))
    },
    stop: (signal = 'SIGTERM') => server.stop(signal),
    log: () => server.log(),
    end: () => server.end()
  }
}

module.exports = { createMysql, findPrograms, probe }
