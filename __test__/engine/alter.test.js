'use strict'

const { onDatabases } = require('../support/suites')
const { application } = require('../support/variants')
const { session, stored } = require('../support/sessions')
const { open, keep, closeAll } = require('./setup')

// The model of the store is its table.

const large = () => session({ text: 'ä😀'.repeat(30_000), user: '😀' })

onDatabases(
  ({ supports }) => supports.otherClient,
  (database) => {
    /** The Sequelize instance of an application, and the options of its store. */
    function applicationAt(place) {
      const made = application(place.db)
      keep(made.sequelize)
      return made
    }

    async function columnsOf(place) {
      if (database.describe) return database.describe(place)
      return database.query(place, 'PRAGMA table_info(`Sessions`)')
    }

    test.each(['rust', 'sequelize'])('`sync` of the instance makes the same table as the engine %s', async (engine) => {
      const [first, second] = [database.place(), database.place()]
      const theirs = applicationAt(first)
      const store = open({ ...theirs.options, engine })
      await theirs.sequelize.sync()
      await store.set('ada', large())
      expect((await store.get('ada')).user).toBe('😀')
      const alone = database.open({}, second)
      await alone.sync()
      const plain = (columns) => columns.map(({ name, type, collation }) => ({ name, type: String(type), collation }))
      expect(plain(await columnsOf(first))).toEqual(plain(await columnsOf(second)))
    })

    test.each(['rust', 'sequelize'])(
      '`sync({ alter: true })` takes nothing from the table, engine %s',
      async (engine) => {
        const place = database.place()
        if (database.dialect === 'mysql') {
          await database.query(place, `ALTER DATABASE \`${database.databaseOf(place)}\` CHARACTER SET latin1`)
        }
        const value = large()
        const alone = database.open({}, place)
        await alone.set('ada', value)
        await alone.close()
        const before = await columnsOf(place)
        for (let start = 0; start < 2; start++) {
          const { sequelize, options } = applicationAt(place)
          const store = open({ ...options, engine })
          await sequelize.sync({ alter: true })
          expect(await store.get('ada')).toEqual(stored(value))
          await store.set(`bob${start}`, value)
          expect(await store.get(`bob${start}`)).toEqual(stored(value))
        }
        const types = (columns) => columns.map(({ name, type, collation }) => ({ name, type, collation }))
        expect(types(await columnsOf(place))).toEqual(types(before))
      }
    )
  },
  closeAll
)
