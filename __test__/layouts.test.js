'use strict'

const databases = require('./databases')
const { startPeers } = require('./peers')
const { exchange } = require('./peers/exchange')

// The tables of other stores, served by the real packages and by this store at the same time.

const LAYOUTS = {
  'connect-pg-simple': {
    dialects: ['postgres'],
    columns: { tableName: 'session', sid: 'sid', expires: 'expire' }
  },
  'express-mysql-session': {
    dialects: ['mysql'],
    columns: { tableName: 'sessions', sid: 'session_id', expires: 'expires' }
  },
  'connect-session-knex': {
    dialects: ['sqlite', 'postgres', 'mysql'],
    columns: { tableName: 'sessions', sid: 'sid', expires: 'expired' },
    quirks: { drifts: true }
  },
  'better-sqlite3-session-store': {
    dialects: ['sqlite'],
    columns: { tableName: 'sessions', sid: 'sid', expires: 'expire' },
    quirks: { drifts: true }
  },
  'koa-generic-session-sequelize': {
    dialects: ['sqlite', 'postgres', 'mysql'],
    columns: { tableName: 'Sessions', sid: 'id', expires: 'expires' },
    quirks: { drifts: true, noTouch: true }
  }
}

const peers = startPeers()
afterAll(() => peers.end())

for (const database of databases.filter(({ name }) => name !== 'SQLite memory')) {
  const onDatabase = database.enabled ? describe : describe.skip
  const { dialect } = database

  onDatabase(database.name, () => {
    afterEach(async () => {
      await peers.reset()
      await database.reset()
    })
    afterAll(() => database.end())

    const layouts = Object.entries(LAYOUTS).filter(([, { dialects }]) => dialects.includes(dialect))

    describe.each(layouts)('a table of %s', (layout, { columns, quirks }) => {
      const openPeer = (place) => peers.open(layout, { url: place.db, dialect })

      test.each([
        ['is found by looking', { tableName: columns.tableName }],
        ['is used by its layout', { layout }]
      ])('%s, and served by both', async (_how, options) => {
        const place = database.place()
        const peer = await openPeer(place)
        await peer.sync()
        const store = database.open({ ...options, createTable: false }, place)
        await exchange({ database, place, store, peer, columns, ...quirks })
      })

      test('that this store has made is served by both', async () => {
        const place = database.place()
        const store = database.open({ layout }, place)
        await store.sync()
        const peer = await openPeer(place)
        await peer.sync()
        await exchange({ database, place, store, peer, columns, ...quirks })
      })
    })
  })
}
