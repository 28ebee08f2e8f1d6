'use strict'

const { EventEmitter } = require('node:events')
const { format, inspect } = require('node:util')
const session = require('express-session')
const { Sequelize } = require('sequelize')
const { RustSequelizeStore } = require('../..')
const KoaStore = require('../../compat/koa-generic-session-sequelize')
const SequelStore = require('../../compat/sequelstore-connect')(session)
const { attributes } = require('../support/variants')
const { create } = require('./setup')

const SECRET = 's3cr3t'

/** All the ways to look at an object. */
const LOOKS = {
  inspect: (value) => inspect(value, { depth: 30 }),
  'inspect with showHidden': (value) => inspect(value, { depth: 30, showHidden: true }),
  'inspect with showHidden, of any depth': (value) =>
    inspect(value, { depth: null, showHidden: true, showProxy: true }),
  'inspect with getters': (value) => inspect(value, { depth: 30, showHidden: true, getters: true }),
  'inspect without customInspect': (value) => inspect(value, { depth: 10, showHidden: true, customInspect: false }),
  '%o': (value) => format('%o', value),
  '%O': (value) => format('%O', value),
  '%j': (value) => format('%j', value),
  spread: (value) => inspect({ ...value }, { depth: 30, showHidden: true }),
  'own properties': (value) =>
    Object.values(Object.getOwnPropertyDescriptors(value))
      .map((own) => inspect(own, { depth: 9 }))
      .join(),
  'a log of an object with it': (value) => format('%o', { holding: [value] })
}

/** Nothing is opened before the first call, so there need not be a server. */
const instance = () =>
  new Sequelize('shop', 'ada', SECRET, { dialect: 'postgres', host: '127.0.0.1', port: 1, logging: false })

const url = `postgres://ada:${SECRET}@127.0.0.1:1/shop`

const STORES = {
  'a store by URL': () => create({ db: url }),
  'a store by Sequelize instance': () => create({ db: instance() }),
  'a store with a model': () => {
    const db = instance()
    return create({ db, table: db.define('Login', attributes()) })
  },
  'a store with the name of a model': () => {
    const db = instance()
    db.define('Login', attributes())
    return create({ db, table: 'Login' })
  },
  'a store with models': () => {
    const sequelize = instance()
    return create({ db: { Login: sequelize.define('Login', attributes()) }, table: 'Login' })
  },
  'a closed store': () => {
    const store = create({ db: url })
    store.close()
    return store
  },
  'a store of a subclass': () => {
    class Mine extends RustSequelizeStore {}
    return new Mine({ db: instance(), checkExpirationInterval: 0 })
  },
  'a store of another Store': () =>
    new (require('../..')(EventEmitter))({ db: instance(), checkExpirationInterval: 0 }),
  'a store in place of sequelstore-connect': () => {
    const database = instance()
    database.define('ConnectSession', attributes())
    return new SequelStore({ database, autoRemoveInterval: 0 })
  },
  'a store in place of koa-generic-session-sequelize': () => new KoaStore(instance(), { sync: false })
}

describe.each(Object.entries(STORES))('%s', (_name, open) => {
  test.each(Object.entries(LOOKS))('shows no password by %s', (_name, look) => {
    const store = open()
    expect(look(store)).not.toContain(SECRET)
    expect(look(store.options)).not.toContain(SECRET)
  })
})

test('what is hidden is readable all the same', () => {
  const db = instance()
  const model = db.define('Login', attributes())
  const store = create({ db, table: model })
  expect(store.options.db).toBe(db)
  expect(store.options.table).toBe(model)
  expect(store.sessionModel).toBe(model)
  expect(create({ db: url }).options.db).toBe(url)
  expect(create({ db, table: 'Login' }).options.table).toBe('Login')
  const koa = new KoaStore(db, { sync: false })
  expect([koa.sequelize, koa.Model]).toEqual([db, db.models.Session])
})

test('the options are shown, and the store by its name', () => {
  const store = create({ db: url, tableName: 'Logins' })
  for (const shown of [inspect(store), inspect(store, { showHidden: true, depth: 9 })]) {
    expect(shown).toMatch(/^RustSequelizeStore \{/)
    expect(shown).toContain("tableName: 'Logins'")
  }
  expect(inspect({ a: { b: { c: store } } })).toContain('[RustSequelizeStore]')
  expect(inspect(RustSequelizeStore, { showHidden: true, depth: 9 })).toContain('RustSequelizeStore')
  expect(inspect(Object.create(store))).toContain('RustSequelizeStore')
  expect(Object.keys(JSON.parse(JSON.stringify(store.options)))).toContain('tableName')
})
