'use strict'

const { RustSequelizeStore } = require('../..')
const { session } = require('../support/sessions')

/** The `acquireTimeout` of stores whose database cannot be reached. */
const TIMEOUT = 3000

/**
 * A server of its own for the tests of a file, and helpers for it: stores on databases of their own, which are closed after each test. `kit` has
 *
 * - `create()`: a server, not started; `run(url, sql)`: the rows of a statement; `quote(name)`;
 * - `createUser(user, password)`, `setPassword(user, password)`, `createDatabase(name)`, `grant(user, database)`: statements;
 * - `killAll(url)`: ends all connections but its own; `connections(url, user)`: those of a user; `pids(server)`: the processes
 *   that serve connections;
 * - `crash`: the signal that is like a crash; `shortIdle`: settings with which the server ends idle connections after a second.
 */
function serverOf({ create, run, createDatabase }) {
  let server
  const stores = []
  let databases = 0

  beforeAll(async () => {
    server = await create()
    await server.start()
  })

  afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())))

  afterAll(() => server?.end())

  const admin = (sql) => run(server.url(), sql)

  function open(db, options) {
    const store = new RustSequelizeStore({ db, ...options })
    stores.push(store)
    return store
  }

  /** The name of a database that is made for the test. */
  async function fresh() {
    const name = `db${++databases}`
    await admin(createDatabase(name))
    return name
  }

  const openFresh = async (options) => open(server.url({ database: await fresh() }), options)

  return { admin, fresh, open, openFresh, server: () => server }
}

/** That a store serves every kind of call. */
async function expectWorking(store) {
  await store.set('ada', session({ user: 'ada' }))
  expect((await store.get('ada')).user).toBe('ada')
  expect(await store.ids()).toContain('ada')
  expect(await store.clearExpiredSessions()).toBe(0)
  await store.destroy('ada')
}

module.exports = { TIMEOUT, expectWorking, serverOf }
