'use strict'

const { session, stored } = require('../support/sessions')
const { HOUR } = require('../support/time')
const { report } = require('../support/run')
const { dialect7, onEachDatabase, onEachServer, open, sequelize7, settings7 } = require('./setup')

onEachDatabase((database) => {
  test('an instance of Sequelize 7 leads to its table', async () => {
    const place = database.place()
    const settings = settings7(place, database)
    const theirs = session({ user: 'theirs' })
    const theirDialect = dialect7(database)
    await report('sequelize-7.js', [theirDialect, settings, 'create', theirs])
    const db = sequelize7(theirDialect, settings)
    const store = open({ db })
    expect((await store.get('theirs')).user).toBe('theirs')
    expect(store.sessionModel).toBe(db.models.get('Session'))
    const ours = session({ user: 'ours' }, 2 * HOUR)
    ours.cookie.expires.setMilliseconds(0)
    const row = await store.set('ours', ours)
    expect(row.sid).toBe('ours')
    const rows = await report('sequelize-7.js', [theirDialect, settings, 'read'])
    expect(rows.map(({ sid }) => sid)).toEqual(['ours', 'theirs'])
    expect(JSON.parse(rows[0].data)).toEqual(stored(ours))
    expect(new Date(rows[0].expires)).toEqual(ours.cookie.expires)
  })
})

/** What there is on servers only: users, sockets, limits. */
onEachServer((database) => {
  const { dialect } = database

  const elsewhere = {
    postgres: () => ({ schema: database.schemaOf(database.place()) }),
    mysql: () => ({ schema: database.databaseOf(database.place()) })
  }

  test.each([
    ['underscored and paranoid', () => ({ define: { underscored: true, paranoid: true } })],
    ['another schema', () => elsewhere[dialect]()],
    ['another time zone', () => ({ timezone: '+05:30' })],
    ['no quotes', () => ({ quoteIdentifiers: false })]
  ])('Sequelize 7 with %s has the sessions where the store has them', async (_name, settings) => {
    const theirDialect = dialect7(database)
    const db = sequelize7(theirDialect, { ...settings7(database.place(), database), ...settings() })
    const { sessionModel } = open({ db })
    await sessionModel.sync()
    const expires = new Date(Math.ceil(Date.now() / 1000) * 1000 + HOUR)
    await sessionModel.create({ sid: 'theirs', expires, data: '{"cookie":{},"user":"theirs"}' })
    const store = open({ db, createTable: false })
    expect((await store.get('theirs')).user).toBe('theirs')
    await store.set('ours', { cookie: { expires } })
    expect((await sessionModel.findByPk('ours')).expires).toEqual(expires)
    await store.set('dead', session({}, -60_000))
    expect(await store.clearExpiredSessions()).toBe(1)
    expect(await sessionModel.count({ paranoid: false })).toBe(2)
  })
})
