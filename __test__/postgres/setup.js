'use strict'

const { Client } = require('pg')
const { RustSequelizeStore } = require('../..')
const { exercise } = require('../support/exercise')
const { onDatabases, onOwnServers } = require('../support/suites')

// What the tests of PostgreSQL share.

const quote = (name) => `"${name.replaceAll('"', '""')}"`
const literal = (text) => `'${text.replaceAll("'", "''")}'`

const onPostgres = (register) => onDatabases(({ dialect }) => dialect === 'postgres', register)

/** The rows of a statement. */
async function run(url, sql) {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Registers tests that may do anything to a server, with helpers for the one that runs. Stores are closed after each test. */
function onRunningServer(register) {
  onOwnServers('postgres', ({ create }) => {
    let server
    const stores = []

    beforeAll(async () => {
      server = await create()
      await server.start()
    })

    afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())))

    afterAll(() => server?.end())

    function open(db, options) {
      const store = new RustSequelizeStore({ db, ...options })
      stores.push(store)
      return store
    }

    const admin = (sql, given) => run(server.url(given), sql)

    async function exercised(db, options) {
      const store = open(db, options)
      const count = async () => Number((await run(db, 'SELECT count(*) FROM "Sessions"'))[0].count)
      await exercise({ count }, store)
      return store
    }

    register({ admin, exercised, open, server: () => server })
  })
}

module.exports = { literal, onPostgres, onRunningServer, quote, run }
