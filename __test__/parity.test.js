'use strict'

const databases = require('./databases')
const { application, variantsOf } = require('./fixtures/variants')
const { startPeers } = require('./peers')
const { exchange } = require('./peers/exchange')

// One table, served by connect-session-sequelize and by this store at the same time.

const peers = startPeers()
afterAll(() => peers.end())

/** What the table is called and what its columns are called, as the model has it. */
function tableOf({ sessionModel }) {
  const { sid, expires } = sessionModel.rawAttributes
  return { tableName: sessionModel.getTableName(), sid: sid.field, expires: expires.field }
}

for (const database of databases.filter(({ name }) => name !== 'SQLite memory')) {
  const onDatabase = database.enabled ? describe : describe.skip

  onDatabase(database.name, () => {
    const applications = []

    afterEach(async () => {
      await peers.reset()
      await database.reset()
      await Promise.all(applications.splice(0).map((sequelize) => sequelize.close()))
    })
    afterAll(() => database.end())

    /** This store with the options of an application. */
    function open(place, variant) {
      const { sequelize, options } = application(place.db, variant)
      applications.push(sequelize)
      return database.open(options, place)
    }

    test.each(variantsOf(database.dialect))('%s, the table is served by both', async (variant) => {
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
  })
}
