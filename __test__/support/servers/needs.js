'use strict'

const { LIBRARY } = require('./galera-library')
const { findProgram } = require('./private-server')

/** What some tests need beyond a server that answers: `{ name, enabled, skipped }`, as the databases have it. */
function need(name, found, what) {
  const enabled = found !== null
  return { name, enabled, skipped: enabled ? null : `no ${what}` }
}

module.exports = {
  need,
  openssl: need('TLS', findProgram('openssl'), 'program openssl'),
  // A filter of Linux on a socket, which Node.js cannot set.
  vanishing: need(
    'Machines that vanish',
    process.platform === 'linux' ? findProgram('python3') : null,
    'program python3 on Linux'
  ),
  strace: need('System calls', findProgram('strace'), 'program strace'),
  haproxy: need('HAProxy', findProgram('haproxy', ['/usr/sbin']), 'program haproxy'),
  galera: need('Galera', LIBRARY, 'library libgalera_smm.so, or no program rsync for it'),
  pgbouncer: need('PgBouncer', findProgram('pgbouncer', ['/usr/sbin']), 'program pgbouncer')
}
