'use strict'

const { codes, collect, failure, styles } = require('../support/calls')
const { session } = require('../support/sessions')

// An error of the database is an error, and never reported as a session that does not exist.
module.exports = (database, { withClient }) => {
  withClient.each(Object.keys(styles))('an error of the database is never a miss, in %s style', async (style) => {
    const store = database.open()
    await store.set('ada', session())
    await database.renameColumn(store, 'data', 'elsewhere')
    const error = await failure(styles[style](store, 'get', 'ada'))
    expect(error.code).toMatch(/^ERR_SESSION_(TABLE|DATABASE)$/)
    await database.renameColumn(store, 'elsewhere', 'data')
    expect(await store.get('ada')).not.toBeNull()
  })

  withClient('a table that is gone is an error of every call that reads, and no empty one', async () => {
    const store = database.open({ createTable: false })
    await database.createTable(store)
    await store.set('ada', session())
    await database.dropTable(store)
    const calls = [store.get('ada'), store.ids(), store.all(), store.length(), collect(store.iterate())]
    expect(await codes(calls)).toEqual(calls.map(() => 'ERR_SESSION_TABLE'))
  })
}
