'use strict'

const fs = require('node:fs')
const { findProgram } = require('./private-server')

const FOLDERS = ['/usr/lib/galera', '/usr/lib/galera-4', '/usr/lib64/galera-4']
const PROGRAMS = [findProgram('wsrep_sst_rsync'), findProgram('rsync')]

/** The library with which MariaDB becomes a node of a cluster, or null, also without the programs by which nodes copy their data. */
const LIBRARY = PROGRAMS.includes(null)
  ? null
  : (FOLDERS.map((folder) => `${folder}/libgalera_smm.so`).find((file) => fs.existsSync(file)) ?? null)

module.exports = { LIBRARY }
