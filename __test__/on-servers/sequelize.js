'use strict'

const { DataTypes, Op, Sequelize } = require('sequelize')
const { loaded, session, stored } = require('../support/sessions')
const { HOUR, MINUTE } = require('../support/time')
const { exercise } = require('../support/exercise')

/** The same table served by this store and by Sequelize 6, with the model of connect-session-sequelize. */
module.exports = (database) => {
  const { open, place } = database
  /** What the dates in a table of Sequelize are precise to, in milliseconds; those in a table of ours are to one. */
  const theirs = database.dialect === 'mysql' ? 1000 : 1
  const opened = []

  afterEach(() => Promise.all(opened.splice(0).map((sequelize) => sequelize.close())))

  /** A place whose table Sequelize has made, and its model. */
  async function made({ define = {}, timezone, where = place(), sync = true } = {}) {
    const sequelize = new Sequelize(where.db, { logging: false, define, ...(timezone && { timezone }) })
    opened.push(sequelize)
    const Session = sequelize.define(
      'Session',
      { sid: { type: DataTypes.STRING(36), primaryKey: true }, expires: DataTypes.DATE, data: DataTypes.TEXT },
      { tableName: 'Sessions' }
    )
    if (sync) await Session.sync()
    return { where, Session, precision: sync ? theirs : 1 }
  }

  const floored = (date, precision = theirs) => new Date(Math.floor(Number(date) / precision) * precision)
  const row = (sid, value) => ({ sid, expires: value.cookie.expires, data: JSON.stringify(value) })

  async function bothWays({ where, Session, precision }, options) {
    const store = open(options, where)
    const created = session({ user: 'adä 😀' })
    await Session.create(row('theirs', created))
    expect(await store.get('theirs')).toEqual(stored(created))

    const ours = session({ user: 'bob' }, 5 * HOUR)
    await store.set('ours', ours)
    let read = await Session.findByPk('ours')
    expect(JSON.parse(read.data)).toEqual(stored(ours))
    expect(read.expires).toEqual(floored(ours.cookie.expires, precision))

    // As the other package saves a session that it finds.
    ours.again = true
    await read.update({ data: JSON.stringify(ours) })
    expect((await store.get('ours')).again).toBe(true)

    const touched = session({}, 7 * HOUR)
    await store.touch('theirs', touched)
    const request = loaded(store, 'ours', await store.get('ours'))
    request.third = true
    await store.set('ours', request)
    read = await Session.findByPk('theirs')
    expect(read.expires).toEqual(floored(touched.cookie.expires, precision))
    expect(JSON.parse((await Session.findByPk('ours')).data).third).toBe(true)

    // Each leaves the live sessions of the other, and takes the expired ones.
    await Session.create(row('theirs, expired', session({}, -HOUR)))
    await store.set('ours, expired', session({}, -HOUR))
    expect(await store.get('theirs, expired')).toBeNull()
    expect(await Session.destroy({ where: { expires: { [Op.lt]: new Date() } } })).toBe(2)
    await Session.create(row('theirs, later', session({}, -HOUR)))
    expect(await store.ids()).toEqual(['ours', 'theirs'])
    return store
  }

  test('the table that the tests create is the one of Sequelize', async () => {
    const { where } = await made()
    const ours = place()
    await database.createTable(ours)
    expect(await database.describe(ours)).toEqual(await database.describe(where))
  })

  test.each([
    ['as it is', {}],
    ['underscored', { underscored: true }],
    ['without timestamps', { timestamps: false }]
  ])('a table of Sequelize, %s, is used by both', async (_name, define) => {
    const both = await made({ define })
    const before = await database.describe(both.where)
    const store = await bothWays(both)
    expect(await store.clearExpiredSessions()).toBe(1)
    await store.destroy('ours')
    expect(await both.Session.findAll({ raw: true, attributes: ['sid'] })).toEqual([{ sid: 'theirs' }])
    await store.clear()
    await exercise(database, database.openAgain(store))
    await store.sync()
    expect(await database.describe(both.where)).toEqual(before)
  })

  test('a paranoid table of Sequelize works with both', async () => {
    const both = await made({ define: { paranoid: true } })
    const store = await bothWays(both)
    await both.Session.destroy({ where: { sid: 'theirs' } })
    expect(await store.get('theirs')).toBeNull()
    expect(await store.ids()).toEqual(['ours'])
    await store.set('theirs', session({ user: 'again' }))
    expect(JSON.parse((await both.Session.findByPk('theirs')).data).user).toBe('again')
  })

  test('Sequelize can use a table that the store has created', async () => {
    const where = place()
    await open({}, where).sync()
    await bothWays(await made({ where, sync: false }))
    await bothWays(await made({ where: place() }))
  })

  test('Sequelize can alter a table that the store has created, while it is used', async () => {
    const store = open()
    await store.set('ada', session({ user: 'ada' }))
    const { Session } = await made({ where: database.placeOf(store), sync: false })
    await Session.sync({ alter: true })
    for (const sid of ['ada', 'bob']) {
      await store.set(sid, session({ user: sid }))
      expect((await store.get(sid)).user).toBe(sid)
      expect(JSON.parse((await Session.findByPk(sid)).data).user).toBe(sid)
    }
    await store.clear()
    // The column has lost its milliseconds, which the store learns when it inspects the table again.
    await store.sync()
    await exercise(database, store)
  })

  test('both can write at the same time', async () => {
    const { where, Session } = await made()
    const store = open({}, where)
    const sids = Array.from({ length: 20 }, (_, i) => `sid-${i}`)
    await Promise.all(
      sids.flatMap((sid, i) => [
        store.set(sid, session({ i })),
        Session.findOrCreate({ where: { sid: `theirs-${i}` }, defaults: row(`theirs-${i}`, session({ i })) }),
        store.get(`theirs-${i}`)
      ])
    )
    expect(await store.length()).toBe(40)
    expect(await Session.count()).toBe(40)
  })

  test('option timezone: dates without a zone are read as Sequelize with that timezone does', async () => {
    const timezone = '+05:30'
    const both = await made({ timezone })
    const store = await bothWays(both, { timezone })
    expect(await store.clearExpiredSessions()).toBe(1)
    const soon = session({}, 60_000)
    await store.set('soon', soon)
    expect((await both.Session.findByPk('soon')).expires).toEqual(floored(soon.cookie.expires))
    const { createdAt, updatedAt } = await both.Session.findByPk('soon')
    expect(Math.abs(createdAt - Date.now())).toBeLessThan(MINUTE)
    expect(Math.abs(updatedAt - Date.now())).toBeLessThan(MINUTE)
    await store.clear()
    await exercise(database, database.openAgain(store, { timezone }))
  })

  test.each(database.dialect === 'postgres' ? ['JSON', 'JSONB'] : ['JSON'])(
    'a column of %s holds what the other package reads: the text of the session as a string',
    async (type) => {
      const where = place()
      const sequelize = new Sequelize(where.db, { logging: false })
      opened.push(sequelize)
      const attributes = {
        sid: { type: DataTypes.STRING, primaryKey: true },
        expires: DataTypes.DATE,
        data: DataTypes[type]
      }
      const table = sequelize.define('Account', attributes)
      await table.sync()
      const store = open({ db: sequelize, table }, where)
      const ours = session({ user: 'ada' })
      await store.set('ours', ours)
      expect((await table.findByPk('ours')).data).toBe(JSON.stringify(ours))
      await table.create(row('theirs', ours))
      expect(await store.get('theirs')).toEqual(stored(ours))
    }
  )
}
