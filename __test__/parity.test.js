'use strict'

const { onDatabases } = require('./support/suites')
const { application, variantsOf } = require('./support/variants')
const { startPeers } = require('./support/peers')
const { User, start, use } = require('./support/peers/deployment')
const { exchange } = require('./support/peers/exchange')

// One table, served by connect-session-sequelize and by this store at the same time.

/** Requests of a rolling deployment, on each database. 10,000 take some minutes. */
const REQUESTS = Number(process.env.TEST_ROLLING_REQUESTS ?? 360)
const USERS = 18

const peers = startPeers()
afterAll(() => peers.end())

/** What the table is called and what its columns are called, as the model has it. */
function tableOf({ sessionModel }) {
  const { sid, expires } = sessionModel.rawAttributes
  return { tableName: sessionModel.getTableName(), sid: sid.field, expires: expires.field }
}

const applications = []
const processes = []

async function closeAll() {
  await Promise.all(processes.splice(0).map((process) => process.stop()))
  await peers.reset()
  await Promise.all(applications.splice(0).map((sequelize) => sequelize.close()))
}

onDatabases(
  ({ name }) => name !== 'SQLite memory',
  (database) => {
    /** This store with the options of an application. */
    function open(place, variant) {
      const { sequelize, options } = application(place.db, variant)
      applications.push(sequelize)
      return database.open(options, place)
    }

    test.each(variantsOf(database))('%s, the table is served by both', async (variant) => {
      const place = database.place()
      const peer = await peers.open('connect-session-sequelize', { url: place.db, variant })
      await peer.sync()
      const store = open(place, variant)
      await exchange({ database, place, store, peer, columns: tableOf(store), keepsExpired: true })
    })

    test('a table that this store has made is served by both', async () => {
      const place = database.place()
      const store = open(place)
      await store.sync()
      const peer = await peers.open('connect-session-sequelize', { url: place.db })
      await exchange({ database, place, store, peer, columns: tableOf(store), keepsExpired: true })
    })

    test('a rolling deployment, and its end, lose no session and mix up none', async () => {
      const { db: url } = database.place()
      const incumbent = await peers.open('connect-session-sequelize', { url })
      await incumbent.sync()
      processes.push(...(await Promise.all(['before', 'before', 'after', 'after'].map((store) => start(url, store)))))
      const [before1, before2, after1, after2] = processes
      const users = Array.from({ length: USERS }, (_, i) => new User(`user-${i}`))
      const [first, second] = [0.15, 0.8].map((share) => Math.ceil((REQUESTS / USERS) * share))
      const all = Math.ceil(REQUESTS / USERS)

      await use(users, [before1, before2], 0, first)
      await use(users, [before1, after1, before2, after2], first, second - first)
      await Promise.all([after1.stop(), after2.stop()])
      await use(users, [before1, before2], second, all - second)

      const answers = users.flatMap((user) => user.answers)
      expect(answers.filter(({ problem }) => problem)).toEqual([])
      expect(answers.length).toBeGreaterThanOrEqual(REQUESTS)
      for (const store of ['before', 'after']) {
        expect(answers.filter((answer) => answer.store === store).length).toBeGreaterThan(REQUESTS * 0.2)
      }
    }, 1_800_000)
  },
  closeAll
)
