'use strict'

const { session } = require('../support/sessions')
const { onEachDatabase, open, sequelize } = require('./setup')

onEachDatabase(
  (database) => {
    test('statement_timeout is the limit of the server', async () => {
      const place = database.place()
      const dialectOptions = { statement_timeout: 3000 }
      const { username, password, hostname: host, port, pathname } = new URL(place.db)
      const db = sequelize({
        dialect: 'postgres',
        logging: false,
        host,
        port: Number(port),
        username,
        password: decodeURIComponent(password),
        database: pathname.slice(1),
        schema: database.schemaOf(place),
        dialectOptions
      })
      const store = open({ db })
      await store.sync()
      const unlock = await database.lock(place)
      // By this code the server tells that it was its own limit.
      await expect(store.set('ada', session())).rejects.toMatchObject({ cause: { code: '57014' } })
      await unlock()
      await store.set('ada', session())
    })
  },
  ['postgres']
)
