'use strict'

const fs = require('node:fs')
const path = require('node:path')
const mysql = require('mysql2/promise')
const connections = require('../on-servers/connections')
const { onOwnServers } = require('../support/suites')
const { connectionsOf, quote, run } = require('./setup')

onOwnServers('mysql', ({ create }) => {
  describe('and connections', () =>
    connections({
      create,
      run,
      quote,
      createUser: (user, password) => `CREATE USER ${quote(user)}@'%' IDENTIFIED BY ${mysql.escape(password)}`,
      setPassword: (user, password) => `ALTER USER ${quote(user)}@'%' IDENTIFIED BY ${mysql.escape(password)}`,
      createDatabase: (name) => `CREATE DATABASE ${quote(name)}`,
      grant: (user, name) => `GRANT ALL ON ${quote(name)}.* TO ${quote(user)}@'%'`,
      async killAll(url) {
        for (const { id } of await connectionsOf(url)) await run(url, `KILL ${id}`).catch(() => {})
      },
      connections: connectionsOf,
      pids: (server) => [Number(fs.readFileSync(path.join(server.folder, 'pid'), 'utf8'))],
      crash: 'SIGKILL',
      shortIdle: {
        set: ['SET GLOBAL wait_timeout = 1'],
        reset: ['SET GLOBAL wait_timeout = DEFAULT']
      }
    }))
})
