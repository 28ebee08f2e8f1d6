'use strict'

// MySQL itself, where ./mysql.js takes MariaDB first. It is used from the folder that .ci/install-mysql has unpacked, by the
// loader and the libraries in there, so that it runs on systems that do not have it.

const fs = require('node:fs')
const path = require('node:path')
const { mysqlServer } = require('./mysql')
const { folder } = require('./mysql-folder')

/** The file in a folder whose name matches, or undefined. */
function findFile(folder, pattern) {
  const name = fs.readdirSync(folder).find((each) => pattern.test(each))
  return name && path.join(folder, name)
}

/** What makes a data folder and what serves it, as ./mysql.js has it, or null if it is not installed. */
function findPrograms() {
  if (!fs.existsSync(path.join(folder, 'complete'))) return null
  const usr = path.join(folder, 'root', 'usr')
  const libraries = findFile(path.join(usr, 'lib'), /-linux-gnu/)
  const daemon = [
    findFile(libraries, /^ld-linux.*\.so/),
    ...['--library-path', libraries, path.join(usr, 'sbin', 'mysqld')],
    '--no-defaults',
    `--basedir=${usr}`,
    `--lc-messages-dir=${path.join(usr, 'share', 'mysql')}`,
    `--character-sets-dir=${path.join(usr, 'share', 'mysql', 'charsets')}`,
    `--plugin-dir=${path.join(usr, 'lib', 'mysql', 'plugin')}`,
    // Debian's default is a folder of the system, without which the server does not start.
    '--secure-file-priv=NULL',
    // As on MariaDB, there is TLS if a test has given a certificate.
    '--auto-generate-certs=OFF'
  ]
  // Half of the time of this step would be waiting for the disk.
  const initialize = (data) => [...daemon, '--initialize-insecure', `--datadir=${data}`, '--innodb-flush-method=nosync']
  return { daemon, initialize }
}

module.exports = mysqlServer({
  name: 'MySQL',
  variable: 'TEST_MYSQL_ORACLE',
  programs: findPrograms(),
  what: 'MySQL of .ci/install-mysql',
  usual: []
})
