'use strict'

const { findPrograms, mysqlServer } = require('./mysql')

module.exports = mysqlServer({
  name: 'MySQL or MariaDB',
  variable: 'TEST_MYSQL',
  programs: findPrograms(),
  what: 'programs mariadbd or mysqld',
  // A server that was set up for tests, as the usual images have it.
  usual: ['root:root', 'root:mysql', 'root:password', 'root'].map((user) => `mysql://${user}@127.0.0.1:3306/mysql`)
})
