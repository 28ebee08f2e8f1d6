'use strict'

const { DataTypes, DatabaseError } = require('sequelize')
const { instance: instance7 } = require('../support/programs/sequelize-7')
const { databases, instance } = require('../support/databases/through-sequelize')
const { failure } = require('../support/calls')
const { session, stored } = require('../support/sessions')
const { onEach } = require('../support/suites')
const { attributes } = require('../support/variants')
const { HOUR } = require('../support/time')
const { closeAll, keep, memory, open } = require('./setup')

/** An instance in memory, its log, and a store. */
function logged(settings, options) {
  const log = []
  const db = memory({ logging: (sql) => log.push(sql.replace(/^Executing \(.*?\): /, '')), ...settings })
  return { db, log, store: open({ db, ...options }) }
}

describe('statements', () => {
  test('are one for each call', async () => {
    const { log, store } = logged()
    await store.set('ada', session())
    log.length = 0
    await store.set('bob', session())
    const found = await store.get('ada')
    await store.set('ada', found)
    await store.touch('ada', session({}, 2 * HOUR))
    await store.destroy('ada')
    expect(log.map((sql) => sql.split(' ')[0])).toEqual(['INSERT', 'SELECT', 'UPDATE', 'UPDATE', 'DELETE'])
  })

  test('are those of the writer', async () => {
    const { db, store } = logged()
    await store.set('ada', session())
    const asked = []
    const { query } = db
    db.query = function (sql, options) {
      asked.push(options.type === 'SELECT' ? options.useMaster : true)
      return query.call(this, sql, options)
    }
    await store.get('ada')
    await store.length()
    await store.all()
    await store.ids()
    await store.clearExpiredSessions()
    expect(asked).toEqual(asked.map(() => true))
    expect(asked.length).toBeGreaterThanOrEqual(5)
  })

  test('do not depend on what is set for all queries', async () => {
    const { store } = logged({ query: { raw: true, nest: true } })
    const value = session({ user: 'ada' })
    await store.set('ada', value)
    await store.set('ada', await store.get('ada'))
    expect(await store.get('ada')).toEqual(stored(value))
    expect(await store.ids()).toEqual(['ada'])
  })
})

describe('the model', () => {
  test('runs its setters, getters, validators, defaults and hooks', async () => {
    const { db } = logged()
    const ran = []
    const flip = (text) => [...text].reverse().join('')
    const model = db.define('Login', {
      ...attributes(),
      data: {
        type: DataTypes.TEXT,
        set(value) {
          this.setDataValue('data', flip(value))
        },
        get() {
          return flip(this.getDataValue('data'))
        }
      },
      site: { type: DataTypes.STRING, defaultValue: () => 'shop', allowNull: false, validate: { len: [1, 20] } }
    })
    for (const hook of ['beforeUpsert', 'beforeBulkUpdate', 'beforeBulkDestroy'])
      model.addHook(hook, () => ran.push(hook))
    const store = open({ db, table: 'Login' })
    await store.sync()
    const value = session({ user: 'ada' })
    await store.set('ada', value)
    const found = await store.get('ada')
    expect(found).toEqual(stored(value))
    found.user = 'bob'
    await store.set('ada', found)
    expect((await store.get('ada')).user).toBe('bob')
    const row = await model.findByPk('ada', { raw: true })
    expect(row.site).toBe('shop')
    expect(JSON.parse(flip(row.data)).user).toBe('bob')
    await store.destroy('ada')
    expect(ran).toEqual(['beforeUpsert', 'beforeBulkUpdate', 'beforeBulkDestroy'])
  })

  test('an error of its own is the cause', async () => {
    const { db } = logged()
    const model = db.define('Login', attributes())
    const thrown = new Error('not today')
    model.addHook('beforeUpsert', () => {
      throw thrown
    })
    const store = open({ db, table: 'Login' })
    await store.sync()
    const error = await failure(store.set('ada', session()))
    expect(error).toMatchObject({ code: 'ERR_SESSION_DATABASE', cause: thrown, message: 'not today' })
  })

  test('an error of the database has no statement and no values', async () => {
    const { db } = logged()
    const store = open({ db, extendDefaultFields: (defaults) => ({ ...defaults, data: 's3cret' }) })
    await store.sync()
    await db.query('DROP TABLE Sessions')
    const error = await failure(store.set('s3cret', session()))
    expect(error.code).toBe('ERR_SESSION_TABLE')
    expect(error.cause).toBeInstanceOf(DatabaseError)
    expect(require('node:util').inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cret')
  })

  test('a closed instance is an error of the connection', async () => {
    const path = require('node:path').join(require('node:os').tmpdir(), `${process.pid}.sqlite`)
    const db = memory({ storage: path })
    const store = open({ db, engine: 'sequelize' })
    await db.close()
    expect((await failure(store.get('ada'))).code).toMatch(/^ERR_SESSION_(CONNECTION|DATABASE)$/)
  })
})

onEach(
  databases.filter(({ supports, dialect }) => supports.otherClient && dialect !== 'mysql'),
  (database) => {
    function sequelize7() {
      const place = database.place()
      if (database.dialect === 'sqlite') return keep(instance7('sqlite', { storage: database.file(place) }))
      const { hostname: host, port, username: user, password, pathname } = new URL(place.db)
      const where = {
        host,
        port: Number(port),
        user,
        password: decodeURIComponent(password),
        database: pathname.slice(1)
      }
      return keep(instance7('postgres', { ...where, schema: database.schemaOf(place) }))
    }

    test('calls in a transaction of the application are part of it, in whatever order', async () => {
      const db = sequelize7()
      const store = open({ db, engine: 'sequelize' })
      await store.set('ada', session({ user: 'ada' }))
      const rolledBack = db.transaction(async () => {
        const calls = [1, 2, 3].map((visits) => store.set('ada', session({ visits })))
        await Promise.all([...calls, store.set('bob', session())])
        expect((await store.get('ada')).visits).toBe(3)
        throw new Error('no')
      })
      await expect(rolledBack).rejects.toThrow('no')
      expect((await store.get('ada')).user).toBe('ada')
      expect(await store.ids()).toEqual(['ada'])
    })

    test('Sequelize 7 serves a store', async () => {
      const store = open({ db: sequelize7(), engine: 'sequelize' })
      const value = session({ user: 'ada' })
      await store.set('ada', value)
      await store.set('ada', await store.get('ada'))
      await store.set('dead', session({}, -HOUR))
      await store.touch('ada', session({}, 2 * HOUR))
      expect((await store.get('ada')).user).toBe('ada')
      expect(await store.clearExpiredSessions()).toBe(1)
      expect(await store.ids()).toEqual(['ada'])
      await store.destroy('ada')
      expect(await store.length()).toBe(0)
    })
  },
  closeAll
)

onEach(
  databases.filter(({ supports }) => supports.otherClient),
  (database) => {
    test.each(['JSON', ...(database.dialect === 'postgres' ? ['JSONB'] : [])])(
      'a column of %s holds the text of the session, and objects in it are read',
      async (type) => {
        const db = keep(instance(database.place(), { logging: false }))
        const model = db.define('Login', attributes({ data: { type: DataTypes[type] } }), { tableName: 'logins' })
        const store = open({ db, engine: 'sequelize', table: 'Login' })
        await store.sync()
        const value = session({ user: 'ada' })
        await store.set('ours', value)
        expect(await store.get('ours')).toEqual(stored(value))
        await model.create({ sid: 'object', expires: value.cookie.expires, data: value })
        expect((await store.get('object')).user).toBe('ada')
      }
    )

    test('processes that start together create one table', async () => {
      const place = database.place()
      const stores = [1, 2, 3, 4].map(() =>
        open({ db: keep(instance(place, { logging: false })), engine: 'sequelize' })
      )
      await Promise.all(stores.map((store, i) => store.set(`${i}`, session())))
      expect(await stores[0].length()).toBe(4)
    })
  },
  closeAll
)
