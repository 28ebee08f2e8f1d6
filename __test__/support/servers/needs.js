'use strict'

const { findPrograms: findMysql } = require('./mysql')
const { findPrograms: findPostgres } = require('./postgres')
const { findProgram } = require('./private-server')

/** What some tests need beyond a server that answers: `{ name, enabled, skipped }`, as the databases have it. */
function need(name, found, what) {
  const enabled = found !== null
  return { name, enabled, skipped: enabled ? null : `no ${what}` }
}

module.exports = {
  postgres: need('PostgreSQL, started and stopped', findPostgres(), 'programs initdb and postgres'),
  mysql: need('MySQL or MariaDB, started and stopped', findMysql(), 'programs mariadbd or mysqld'),
  openssl: need('TLS', findProgram('openssl'), 'program openssl'),
  pgbouncer: need('PgBouncer', findProgram('pgbouncer', ['/usr/sbin']), 'program pgbouncer')
}
