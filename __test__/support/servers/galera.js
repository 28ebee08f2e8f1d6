'use strict'

const fs = require('node:fs')

/** The library with which MariaDB becomes a node of a cluster; null if it is not installed. */
const LIBRARY =
  ['/usr/lib/galera/libgalera_smm.so', '/usr/lib64/galera-4/libgalera_smm.so'].find((file) => fs.existsSync(file)) ??
  null

module.exports = { LIBRARY }
