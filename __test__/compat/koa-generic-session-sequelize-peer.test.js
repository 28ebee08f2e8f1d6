'use strict'

const { once } = require('node:events')
const path = require('node:path')
const databases = require('../support/databases')
const { asker, start } = require('../support/children')
const { Client } = require('../support/express/client')
const { HOUR, PATIENCE } = require('../support/time')

const fixture = path.join(__dirname, '../support/programs/koa-store.js')
const tested = databases.filter(({ enabled, supports }) => enabled && supports.otherClient)
const named = (list) => list.map((database) => ({ name: database.name, database }))

/** The options of a Sequelize instance for a place. */
function sequelizeOptions(database, place) {
  const where = database.dialect === 'sqlite' ? { dialect: 'sqlite', storage: database.file(place) } : { url: place.db }
  return { ...where, logging: false }
}

/** What the databases say about the columns and the indexes of a table. */
const COLUMNS = {
  sqlite: "SELECT type, sql FROM sqlite_master WHERE tbl_name = '%' ORDER BY name",
  postgres: `SELECT column_name AS name, data_type AS type, character_maximum_length AS width, is_nullable AS nullable
    FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = '%'
    UNION ALL SELECT indexname, split_part(indexdef, 'USING', 2), NULL, NULL FROM pg_indexes
    WHERE schemaname = current_schema() AND tablename = '%' ORDER BY 1`,
  mysql: `SELECT column_name AS name, column_type AS type, is_nullable AS nullable FROM information_schema.columns
    WHERE table_schema = database() AND table_name = '%'
    UNION ALL SELECT index_name, column_name, non_unique FROM information_schema.statistics
    WHERE table_schema = database() AND table_name = '%' ORDER BY 1`
}
let tables = 0

const seconds = () => Math.floor(Date.now() / 1000)

describe.each(named(tested))('beside koa-generic-session-sequelize, on $name', ({ database }) => {
  const servers = []
  const clients = []

  afterEach(() => {
    for (const client of clients.splice(0)) client.close()
  })

  afterAll(async () => {
    for (const { kill } of servers) await kill('SIGKILL')
    await database.reset()
    await database.end()
  })

  /** A process with the store of one of the packages. Sequelize on SQLite stays out of this process, where the addon is. */
  async function open(name, place, options = {}) {
    const config = JSON.stringify(sequelizeOptions(database, place))
    const server = start(fixture, [name, config, JSON.stringify({ syncTimeout: PATIENCE, ...options })])
    const { child, failed } = server
    servers.push(server)
    const [{ origin }] = await Promise.race([once(child, 'message'), failed])
    const send = asker(child)
    const ask = (task, ...args) => Promise.race([send({ task, args }), failed])
    const call =
      (method) =>
      (...args) =>
        ask('store', method, ...args)
    return {
      origin,
      get: call('get'),
      set: call('set'),
      destroy: call('destroy'),
      gc: call('gc'),
      rows: () => ask('rows'),
      insert: (row) => ask('insert', row)
    }
  }

  describe('on one table', () => {
    let theirs
    let ours

    beforeAll(async () => {
      const place = database.place()
      // Neither removes expired sessions by chance.
      theirs = await open('theirs', place, { gcFrequency: 0 })
      // The table is there: that of the other package, as it is.
      ours = await open('ours', place, { gcFrequency: 0 })
    })

    test('each reads, overwrites and destroys the sessions of the other', async () => {
      const first = { user: 'adä 😀', cookie: { maxAge: HOUR } }
      for (const [one, other] of [
        [theirs, ours],
        [ours, theirs]
      ]) {
        await one.set('koa:sess:a', first, HOUR)
        expect(await other.get('koa:sess:a')).toEqual(first)
        await other.set('koa:sess:a', { ...first, views: 1 }, HOUR)
        expect(await one.get('koa:sess:a')).toEqual({ ...first, views: 1 })
        await other.destroy('koa:sess:a')
        expect(await one.get('koa:sess:a')).toBeNull()
        await one.destroy('koa:sess:a')
        expect(await one.rows()).toEqual([])
      }
    })

    test.each([
      ['the ttl', { cookie: { maxAge: HOUR } }, 2 * HOUR, 7200],
      ['the maxAge of the cookie', { cookie: { maxAge: HOUR } }, undefined, 3600],
      ['the lifetime of the browser', { cookie: {} }, undefined, 86_400],
      ['the lifetime of the browser, without a cookie', {}, 0, 86_400],
      ['a ttl below zero', {}, -5000, 0]
    ])('each writes the same row with %s', async (_what, session, ttl, lifetime) => {
      for (const store of [theirs, ours]) {
        const before = seconds()
        const yielded = await store.set('sid', session, ttl)
        const after = seconds()

        const [row] = await store.rows()
        const expires = Number(row.expires)
        expect(row).toEqual({ id: 'sid', data: JSON.stringify(session), expires: row.expires })
        expect(expires).toBeGreaterThanOrEqual(before + lifetime)
        expect(expires).toBeLessThanOrEqual(after + lifetime)
        // On PostgreSQL a new row of Sequelize has its 64-bit integer as text.
        expect({ ...yielded, expires: Number(yielded.expires) }).toEqual({ id: 'sid', data: row.data, expires })
        await store.destroy('sid')
      }
    })

    test('each leaves the live sessions of the other, and removes the expired ones', async () => {
      for (const [one, other] of [
        [theirs, ours],
        [ours, theirs]
      ]) {
        await one.set('live', { a: 1 }, HOUR)
        await one.set('expired', { a: 1 }, -HOUR)
        await one.insert({ id: 'at this second', data: '{}', expires: seconds() })
        for (const store of [one, other]) {
          expect(await store.get('expired')).toBeNull()
          expect(await store.get('at this second')).toBeNull()
        }
        expect(await other.gc()).toBe(2)
        expect((await other.rows()).map(({ id }) => id)).toEqual(['live'])
        await other.destroy('live')
      }
    })

    test('a session goes from one server to the other', async () => {
      const client = new Client(theirs.origin)
      clients.push(client)
      expect((await client.get('/login?user=Ada')).body).toMatchObject({ user: 'Ada' })
      for (const [at, { origin }] of [ours, theirs, ours].entries()) {
        client.origin = origin
        const { status, body } = await client.get('/count')
        expect({ status, body }).toMatchObject({ status: 200, body: { user: 'Ada', views: at + 1 } })
      }
      const thief = client.copy()
      clients.push(thief)
      await client.get('/logout')
      expect(await theirs.rows()).toEqual([])
      thief.origin = theirs.origin
      expect((await thief.get('/state')).body.user).toBeUndefined()
    })
  })

  test.each([
    ['as it is', {}],
    ['with timestamps and a model of another name', { timestamps: true, modelName: 'KoaSession' }]
  ])('the table that is made is the same, %s', async (_what, options) => {
    const [theirs, ours] = await Promise.all(
      ['theirs', 'ours'].map(async (name) => {
        // Sequelize on PostgreSQL looks for an index in all schemas.
        const tableName = `table_of_${process.pid}_${++tables}`
        const place = database.place()
        const store = await open(name, place, { ...options, tableName })
        const columns = await database.query(place, COLUMNS[database.dialect].replaceAll('%', tableName))
        return { store, table: JSON.stringify(columns).replaceAll(tableName, 'sessions') }
      })
    )
    expect(ours.table).toBe(theirs.table)
    expect(ours.table).toContain('sessions_expires')
    await ours.store.set('sid', { user: 'Ada' }, HOUR)
    expect(await ours.store.get('sid')).toEqual({ user: 'Ada' })
    const [row] = await ours.store.rows()
    expect(Object.keys(row)).toEqual([
      'id',
      'data',
      'expires',
      ...(options.timestamps ? ['createdAt', 'updatedAt'] : [])
    ])
    expect(Object.values(row)).not.toContain(null)
  })
})
