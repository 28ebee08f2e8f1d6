'use strict'

const mysql = require('mysql2/promise')
const { RustSequelizeStore } = require('../..')
const { onDatabases, onOwnServers } = require('../support/suites')

// What the tests of MySQL and MariaDB share.

const quote = (name) => `\`${name.replaceAll('`', '``')}\``

/** Registers tests for each database of the dialect. */
const onEachMysql = (register) => onDatabases(({ dialect }) => dialect === 'mysql', register)

/** The rows of a statement. */
async function run(url, sql) {
  const connection = await mysql.createConnection({ uri: url, multipleStatements: true })
  try {
    return (await connection.query(sql))[0]
  } finally {
    await connection.end()
  }
}

/** The connections of a user, or all but this one. */
const connectionsOf = (url, user) =>
  run(
    url,
    `SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()
      AND ${user === undefined ? "USER = 'tester'" : `USER = ${mysql.escape(user)}`}`
  )

/** Registers tests that may do anything to a server, with helpers for the one that runs. Stores are closed after each test. */
function onRunningServers(register) {
  onOwnServers('mysql', ({ create }) => {
    let server
    const stores = []

    beforeAll(async () => {
      server = await create()
      await server.start()
    })

    afterEach(async () => {
      await Promise.all(stores.splice(0).map((store) => store.close()))
      await run(server.url(), 'DROP TABLE IF EXISTS `Sessions`')
    })

    afterAll(() => server?.end())

    function open(db = server.url(), options = {}) {
      const store = new RustSequelizeStore({ db, ...options })
      stores.push(store)
      return store
    }

    const count = async () => (await run(server.url(), 'SELECT count(*) AS count FROM `Sessions`'))[0].count

    /** Runs with global variables of another value. */
    async function withGlobals(globals, work) {
      const old = await run(server.url(), `SELECT ${Object.keys(globals).map((name) => `@@GLOBAL.${name} AS ${name}`)}`)
      const set = (values) =>
        run(
          server.url(),
          `SET ${Object.entries(values).map(([name, value]) => `GLOBAL ${name} = ${mysql.escape(value)}`)}`
        )
      await set(globals)
      try {
        await work()
      } finally {
        await set(old[0])
      }
    }

    register({ count, open, server: () => server, withGlobals })
  })
}

module.exports = { connectionsOf, onEachMysql, onRunningServers, quote, run }
