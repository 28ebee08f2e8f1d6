'use strict'

const { session } = require('../support/sessions')
const { MINUTE, apart } = require('../support/time')

// Dates and columns are those of Sequelize. What each database makes of them is in its own folder.
module.exports = (database, { withClient }) => {
  withClient('writes one row with the columns of Sequelize', async () => {
    const store = database.open()
    const ada = session({ user: 'ada' })
    const before = Date.now()
    await store.set('ada', ada)
    const row = await database.row(store, 'ada')
    expect(row.data).toBe(JSON.stringify(ada))
    expect(apart(row.expires, ada.cookie.expires)).toBeLessThan(1000)
    expect(apart(row.createdAt, before)).toBeLessThan(MINUTE)
    expect(row.updatedAt).toEqual(row.createdAt)
    expect(await database.count(store)).toBe(1)
  })

  withClient('a second call moves updatedAt and leaves createdAt', async () => {
    const store = database.open()
    await store.sync()
    await database.insertRow(store, {
      sid: 'ada',
      data: JSON.stringify(session()),
      expires: session().cookie.expires,
      createdAt: new Date('2020-01-02T03:04:05Z'),
      updatedAt: new Date('2020-01-02T03:04:05Z')
    })
    await store.set('ada', session({ visits: 2 }))
    const row = await database.row(store, 'ada')
    expect(row.createdAt).toEqual(new Date('2020-01-02T03:04:05Z'))
    expect(apart(row.updatedAt, Date.now())).toBeLessThan(MINUTE)
    expect(JSON.parse(row.data).visits).toBe(2)
    expect(await database.count(store)).toBe(1)
  })
}
