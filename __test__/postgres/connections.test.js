'use strict'

const fs = require('node:fs')
const path = require('node:path')
const connections = require('../on-servers/connections')
const { onOwnServers } = require('../support/suites')
const { literal, quote, run } = require('./setup')

onOwnServers('postgres', ({ create }) => {
  describe('and connections', () =>
    connections({
      create,
      run,
      quote,
      createUser: (user, password) => `CREATE ROLE ${quote(user)} LOGIN PASSWORD ${literal(password)}`,
      setPassword: (user, password) => `ALTER ROLE ${quote(user)} PASSWORD ${literal(password)}`,
      createDatabase: (name) => `CREATE DATABASE ${quote(name)}`,
      grant: (user, name) => `ALTER DATABASE ${quote(name)} OWNER TO ${quote(user)}`,
      killAll: (url) =>
        run(
          url,
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ),
      connections: (url, user) => run(url, `SELECT pid FROM pg_stat_activity WHERE usename = ${literal(user)}`),
      pids: async (server) => {
        const sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        const [master] = fs.readFileSync(path.join(server.data, 'postmaster.pid'), 'utf8').split('\n')
        return [Number(master), ...(await run(server.url(), sql)).map(({ pid }) => pid)]
      },
      crash: 'SIGQUIT',
      shortIdle: {
        set: ["ALTER SYSTEM SET idle_session_timeout = '1s'", 'SELECT pg_reload_conf()'],
        reset: ['ALTER SYSTEM RESET idle_session_timeout', 'SELECT pg_reload_conf()']
      }
    }))
})
