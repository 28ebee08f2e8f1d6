'use strict'

// What a store does where connect-session-sequelize and this one differ: see docs/compatibility.md. Prints JSON.

const session = require('express-session')
const { DataTypes, Sequelize } = require('sequelize')
const { args } = require('../run')
const { HOUR, sleep } = require('../time')

const STORES = {
  before: () => require('connect-session-sequelize')(session.Store),
  after: () => require('../../..')(session.Store)
}

const [{ url, store: which }] = args()
const Store = STORES[which]()

const cookie = (maxAge = HOUR) => ({ originalMaxAge: maxAge, expires: new Date(Date.now() + maxAge), path: '/' })
const call = (store, verb, ...rest) =>
  new Promise((resolve, reject) => {
    store[verb](...rest, (error, result) => (error ? reject(error) : resolve(result)))
  })
const hoursLeft = ({ expires }) => Math.round((new Date(expires) - Date.now()) / HOUR)
const outcome = (promise) =>
  promise.then(
    () => 'done',
    ({ code, name }) => code ?? name
  )
const attempt = (action) => {
  try {
    action()
    return 'done'
  } catch ({ code, name }) {
    return code ?? name
  }
}

const SCENARIOS = {
  async expiredIsFound({ store }) {
    await call(store, 'set', 'a', { cookie: cookie(-HOUR) })
    return (await call(store, 'get', 'a')) !== null
  },

  async touchRevives({ store, row }) {
    await call(store, 'set', 'a', { cookie: cookie(-HOUR) })
    await call(store, 'touch', 'a', { cookie: cookie() })
    return hoursLeft(await row('a')) > 0
  },

  async saveRevives({ store }) {
    await call(store, 'set', 'a', { cookie: cookie() })
    const loaded = await call(store, 'load', 'a')
    await call(store, 'destroy', 'a')
    await call(store, 'set', 'a', loaded)
    return (await call(store, 'get', 'a')) !== null
  },

  async expiresAsText({ store, row }) {
    await call(store, 'set', 'a', { cookie: { expires: cookie().expires.toISOString() } })
    return hoursLeft(await row('a'))
  },

  async expiresAsNumber({ store, row }) {
    await call(store, 'set', 'a', { cookie: { expires: Number(cookie().expires) } })
    return hoursLeft(await row('a'))
  },

  async maxAgeOnly({ store, row }) {
    await call(store, 'set', 'a', { cookie: { maxAge: HOUR } })
    return hoursLeft(await row('a'))
  },

  async lifetimeOfKoa({ store, row }) {
    await outcome(store.set('a', { user: 'ada' }, HOUR))
    return hoursLeft(await row('a'))
  },

  async changeAfterCall({ store }) {
    await call(store, 'set', 'a', { cookie: cookie() })
    const value = { cookie: cookie(), user: 'ada' }
    const done = call(store, 'set', 'a', value)
    value.user = 'bob'
    await done
    return (await call(store, 'get', 'a')).user
  },

  async brokenRow({ store, insert }) {
    await insert({ sid: 'a', expires: cookie().expires, data: '{"cookie"' })
    return call(store, 'get', 'a').catch(({ name }) => name)
  },

  async rowWithoutCookie({ store, insert }) {
    await insert({ sid: 'a', expires: cookie().expires, data: '{}' })
    return call(store, 'get', 'a')
  },

  async rowWithoutExpiry({ store, insert }) {
    await insert({ sid: 'a', expires: null, data: '{"cookie":{}}' })
    await call(store, 'clearExpiredSessions')
    return (await call(store, 'get', 'a')) !== null
  },

  async length({ store }) {
    await store.set('a', { cookie: cookie() })
    await store.set('b', { cookie: cookie(-HOUR) })
    return store.length()
  },

  async clearExpiredSessions({ store }) {
    await store.set('a', { cookie: cookie(-HOUR) })
    return store.clearExpiredSessions()
  },

  async clearExpiredSessionsFails({ open }) {
    const store = open({
      tableName: 'missing',
      modelKey: 'Missing',
      ...(which === 'after' && { createTable: false })
    })
    return outcome(store.clearExpiredSessions())
  },

  async throwInCallback({ store }) {
    const thrown = new Promise((resolve) => {
      for (const event of ['uncaughtException', 'unhandledRejection']) process.once(event, () => resolve(event))
    })
    let calls = 0
    store.get('nobody', () => {
      calls++
      throw new Error('thrown by a callback')
    })
    const event = await thrown
    return { calls, event }
  },

  async setYields({ store }) {
    const row = await store.set('a', { cookie: cookie() })
    const { sid, data, expires, createdAt, updatedAt } = row.get()
    return {
      sid,
      data: typeof data,
      expires: expires instanceof Date,
      stamps: [createdAt, updatedAt].filter(Boolean).length
    }
  },

  async touchYields({ store }) {
    await store.set('a', { cookie: cookie() })
    return (await store.touch('a', { cookie: cookie(2 * HOUR) })) ?? null
  },

  async touchStamps({ store, row }) {
    await store.set('a', { cookie: cookie() })
    const before = await row('a')
    await sleep(1100)
    await store.touch('a', { cookie: cookie() })
    return Number((await row('a')).updatedAt) > Number(before.updatedAt)
  },

  destroyYieldsForNobody: async ({ store }) => (await store.destroy('nobody')) ?? null,

  async destroyYields({ store }) {
    await store.set('a', { cookie: cookie() })
    return typeof (await store.destroy('a'))
  },

  syncYields: async ({ store }) => typeof (await store.sync()),

  async disabledTouch({ open }) {
    const store = open({ disableTouch: true })
    return attempt(() => store.touch('a', { cookie: cookie() }))
  },

  async disabledTouchIsAsynchronous({ open }) {
    const store = open({ disableTouch: true })
    let returned = false
    const after = new Promise((resolve) => store.touch('a', { cookie: cookie() }, () => resolve(returned)))
    returned = true
    return after
  },

  emptySid: ({ store }) => outcome(store.set('', { cookie: cookie() })),

  longSid: async ({ store }) => outcome(store.set('s'.repeat(100), { cookie: cookie() })),

  async errorCode({ open }) {
    const store = open({
      tableName: 'missing',
      modelKey: 'Missing',
      ...(which === 'after' && { createTable: false })
    })
    return outcome(call(store, 'get', 'a'))
  },

  unknownOption: ({ open }) => attempt(() => open({ expirationn: 1 })),
  noDatabase: () => attempt(() => new Store({ db: undefined })),
  missingModel: ({ open }) => attempt(() => open({ table: 'Missing' })),
  memory: () =>
    attempt(() => new Store({ db: new Sequelize('sqlite::memory:', { logging: false }), checkExpirationInterval: 0 })),

  async replacesModel({ instance }) {
    const db = instance()
    const Session = db.define('Session', { trainer: DataTypes.STRING }, { tableName: 'trainings' })
    new Store({ db, checkExpirationInterval: 0 })
    return db.models.Session !== Session
  },

  // A model of the application has the default name of ours, and `table` names another.
  async tableBesideSession({ instance }) {
    const db = instance()
    const attributes = {
      sid: { type: DataTypes.STRING, primaryKey: true },
      expires: DataTypes.DATE,
      data: DataTypes.TEXT
    }
    db.define('Session', { trainer: DataTypes.STRING }, { tableName: 'trainings' })
    db.define('Login', attributes, { tableName: 'logins' })
    return new Store({ db, table: 'Login', checkExpirationInterval: 0 }).sessionModel.name
  },

  async createsTable({ open }) {
    const store = open({ tableName: 'made', modelKey: 'Made' })
    return outcome(store.set('a', { cookie: cookie() }))
  },

  async extendExpires({ open, row }) {
    const extendDefaultFields = (defaults) => ({ ...defaults, expires: cookie(5 * HOUR).expires })
    const store = open({ extendDefaultFields })
    await store.set('a', { cookie: cookie() })
    const first = hoursLeft(await row('a'))
    await store.set('a', { cookie: cookie(), again: true })
    return [first, hoursLeft(await row('a'))]
  },

  async extendData({ open, row }) {
    const extendDefaultFields = (defaults) => ({ ...defaults, data: '{"cookie":{},"changed":true}' })
    const store = open({ extendDefaultFields })
    await store.set('a', { cookie: cookie() })
    const first = (await row('a')).data.includes('changed')
    await store.set('a', { cookie: cookie(), again: true })
    return [first, (await row('a')).data.includes('changed')]
  },

  async hooksAndSetters({ instance }) {
    const db = instance()
    const ran = []
    const attributes = {
      sid: { type: DataTypes.STRING, primaryKey: true },
      expires: DataTypes.DATE,
      data: {
        type: DataTypes.TEXT,
        set(value) {
          ran.push('setter')
          this.setDataValue('data', value)
        },
        validate: { notHollow: () => ran.push('validator') }
      },
      color: { type: DataTypes.INTEGER, defaultValue: () => ran.push('default') }
    }
    const Login = db.define('Login', attributes, {
      tableName: 'hooked',
      hooks: { beforeSave: () => ran.push('hook') }
    })
    await Login.sync()
    await new Store({ db, table: 'Login', checkExpirationInterval: 0 }).set('a', { cookie: cookie() })
    return [...new Set(ran)].sort()
  },

  async connectionHooks({ instance }) {
    const db = instance()
    let connected = 0
    db.addHook('beforeConnect', () => {
      connected++
    })
    await new Store({ db, checkExpirationInterval: 0 }).get('a')
    return connected > 0
  },

  async paranoid({ instance }) {
    const other = instance({ define: { paranoid: true } })
    const store = new Store({
      db: other,
      tableName: 'soft',
      modelKey: 'Soft',
      checkExpirationInterval: 0
    })
    await store.sync()
    await store.sessionModel.create({
      sid: 'theirs',
      expires: cookie().expires,
      data: '{"cookie":{}}',
      deletedAt: new Date()
    })
    await store.set('a', { cookie: cookie() })
    await store.destroy('a')
    const rows = await store.sessionModel.count({ paranoid: false, where: { sid: 'a' } })
    return { rows, again: await outcome(store.set('theirs', { cookie: cookie() })) }
  },

  async caseOfSids({ store }) {
    await store.set('Abc', { cookie: cookie() })
    return (await store.get('aBC')) !== null
  },

  async largeSession({ store }) {
    return outcome(store.set('a', { cookie: cookie(), text: 'x'.repeat(100_000) }))
  }
}

async function main() {
  const instances = []
  function instance(settings) {
    const made = new Sequelize(url, { logging: false, ...settings })
    instances.push(made)
    return made
  }
  const open = (options) => new Store({ db: instance(), checkExpirationInterval: 0, ...options })
  const store = open()
  await store.sync()
  const model = store.sessionModel
  const row = (sid) => model.findByPk(sid, { raw: true })
  const insert = (values) => model.create(values)

  const report = {}
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    await model.destroy({ where: {} })
    report[name] = await Promise.resolve(scenario({ store, open, row, insert, instance })).catch(
      ({ name, message }) => `${name}: ${message}`
    )
    // All but that of the store itself.
    await Promise.all(instances.splice(1).map((made) => made.close()))
  }
  console.log(JSON.stringify(report))
  process.exit()
}

main()
