'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { session } = require('./support/sessions')
const { HOUR } = require('./support/time')
const databases = require('./support/databases')
const { startPeers } = require('./support/peers')
const { exchange } = require('./support/peers/exchange')

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

/** Settings of the other packages that name things, and the options of this store that say the same. */
const NAMED = {
  'connect-pg-simple': { settings: { tableName: 'logins' }, options: { tableName: 'logins' } },
  'express-mysql-session': {
    settings: {
      schema: { tableName: 'logins', columnNames: { session_id: 'id', expires: 'until', data: 'content' } }
    },
    options: { tableName: 'logins', columns: { sid: 'id', expires: 'until', data: 'content' } }
  },
  'connect-session-knex': {
    settings: { tableName: 'logins', sidFieldName: 'id' },
    options: { tableName: 'logins', columns: { sid: 'id' } }
  },
  'koa-generic-session-sequelize': {
    settings: { tableName: 'logins', timestamps: true },
    options: { tableName: 'logins' }
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
      const openPeer = (place, settings) => peers.open(layout, { url: place.db, dialect, settings })

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

      if (!(layout in NAMED)) return
      test('with names of its own is served by both', async () => {
        const { settings, options } = NAMED[layout]
        const place = database.place()
        const peer = await openPeer(place, settings)
        await peer.sync()
        const store = database.open({ layout, ...options, createTable: false }, place)
        const named = { ...columns, tableName: options.tableName, ...options.columns }
        await exchange({ database, place, store, peer, columns: named, ...quirks })
      })
    })

    if (dialect === 'postgres') connectPgSimpleElsewhere(database)
  })
}

/** connect-pg-simple on a server whose TimeZone is not UTC: its column has no zone, and holds the time of day there. */
function connectPgSimpleElsewhere(database) {
  const { columns } = LAYOUTS['connect-pg-simple']

  async function openBoth(options, before = async () => {}) {
    const { db } = database.place()
    const place = { db: db.replace('options=', `options=${encodeURIComponent('-c TimeZone=Asia/Kolkata ')}`) }
    const peer = await peers.open('connect-pg-simple', { url: place.db })
    await peer.sync()
    await before(place)
    return { database, place, store: database.open({ layout: 'connect-pg-simple', ...options }, place), peer, columns }
  }

  describe('a table of connect-pg-simple in another time zone', () => {
    test('is served by both with the option `timezone`', async () => {
      await exchange(await openBoth({ timezone: '+05:30' }))
    })

    test('has its dates off by the zone without the option', async () => {
      const { store, peer } = await openBoth({})
      await peer.set('dead for an hour', session({}, -HOUR))
      await store.set('ours', session({}, HOUR))
      expect(await store.get('dead for an hour')).not.toBeNull()
      expect(await peer.get('ours')).toBeFalsy()
    })

    test('is served by both when its column knows zones', async () => {
      const guide = fs.readFileSync(path.join(__dirname, '../docs/migration.md'), 'utf8')
      const [, sql] = /^```sql\n([\s\S]*?)^```$/m.exec(guide)
      await exchange(await openBoth({}, (place) => database.query(place, sql)))
    })
  })
}
