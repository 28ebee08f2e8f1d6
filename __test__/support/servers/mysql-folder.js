'use strict'

const os = require('node:os')
const path = require('node:path')

/** The cache folder of programs. That of root is the machine's: a server must not run as root, and others cannot read root's own. */
function cacheFolder() {
  if (process.getuid?.() === 0) return '/var/cache'
  return process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache')
}

/** Where `.ci/install-mysql` unpacks MySQL, and the tests look for it. */
const folder = process.env.TEST_MYSQL_FOLDER || path.join(cacheFolder(), 'rust-sequelize-store', 'mysql')

module.exports = { folder }
