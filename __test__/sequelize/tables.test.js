'use strict'

const { session } = require('../support/sessions')
const { HOUR } = require('../support/time')
const { report } = require('../support/run')
const { settingsOf } = require('../support/variants')
const { application, onEachDatabase, open, peers } = require('./setup')

onEachDatabase((database) => {
  const { dialect } = database

  // Only PostgreSQL has schemas in Sequelize 6.
  const otherSchema = () => (dialect === 'postgres' ? database.schemaOf(database.place()) : 'elsewhere')

  test.each(settingsOf(dialect))('%s: the sessions are where connect-session-sequelize has them', async (setting) => {
    const place = database.place()
    const elsewhere = otherSchema()
    const peer = await peers.open('connect-session-sequelize', { url: place.db, variant: setting, elsewhere })
    await peer.sync()
    const theirs = session({ user: 'theirs' })
    await peer.set('theirs', theirs)
    const made = application(place.db, setting, elsewhere)
    const store = open({ ...made.options, createTable: false })
    expect((await store.get('theirs')).user).toBe('theirs')
    await store.set('ours', session({ user: 'ours' }))
    expect((await peer.get('ours')).user).toBe('ours')
    await store.set('dead', session({}, -HOUR))
    await peer.prune()
    // With `paranoid` it is there still.
    await store.destroy('dead')
    await store.set('soon', session({}, 60_000))
    await peer.set('soon dead', session({}, -60_000))
    expect(await store.clearExpiredSessions()).toBe(1)
    expect((await store.ids()).sort()).toEqual(['ours', 'soon', 'theirs'])
  })

  test('a JSON column holds sessions as text, and objects in it are read', async () => {
    const place = database.place()
    const variant = 'with a column of JSON'
    const peer = await peers.open('connect-session-sequelize', { url: place.db, variant })
    await peer.sync()
    const made = application(place.db, variant)
    const store = open(made.options)
    const value = session({ user: 'ada' })
    await peer.set('theirs', value)
    await store.set('ours', value)
    await store.set('object', value)
    const sql = `UPDATE logins SET data = '${JSON.stringify(value)}' WHERE sid = 'object'`
    await database.query({ ...place, tableName: 'logins' }, sql)
    for (const sid of ['theirs', 'ours', 'object']) expect((await store.get(sid)).user).toBe('ada')
    expect(Object.keys(await store.all()).sort()).toEqual(['object', 'ours', 'theirs'])
    expect((await peer.get('ours')).user).toBe('ada')
  })

  test('only sync creates the table of the application’s model', async () => {
    const place = database.place()
    const { missing, columns, user, length } = await report('sequelize-sync.js', [place.db])
    expect(missing).toBe('ERR_SESSION_TABLE')
    expect(columns).toEqual(expect.arrayContaining(['sid', 'expires', 'data', 'userId', 'visits', 'admin', 'seen']))
    expect(user).toBe('ada')
    expect(length).toBe(0)
  })
})
