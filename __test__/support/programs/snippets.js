'use strict'

// An application as the READMEs of the replaced packages show it, in a folder of its own: [name of the snippet, folder, place].
// Prints what three requests of one visitor got, or the code of the error with which the snippet was refused.

const { once } = require('node:events')
const http = require('node:http')
const connectFramework = require('connect')
const express = require('express')
const session = require('express-session')
const Koa = require('koa')
const koaSession = require('koa-generic-session')
const { DataTypes, Sequelize } = require('sequelize')
const connectSession = require('../../..')
const KoaStore = require('../../../compat/koa-generic-session-sequelize')
const sequelstore = require('../../../compat/sequelstore-connect')
const { args } = require('../run')

const [name, folder, place] = args()
process.chdir(folder)

const HOUR = 3_600_000
const secret = 'blue bicycle'

/** The settings of an instance for the database under test. */
function settings(file) {
  if (place === null) return { dialect: 'sqlite', storage: file, logging: false }
  const { protocol, hostname: host, port, searchParams } = new URL(place.db)
  const dialect = protocol.slice(0, -1)
  return { dialect, host, port, logging: false, dialectOptions: Object.fromEntries(searchParams) }
}

/** The instance as those READMEs make it: with a name, a user and a password, whatever the database. */
function instance(file = './shop.sqlite') {
  if (place === null) return new Sequelize('shop', 'ada', 'lovelace', settings(file))
  const { pathname, username, password } = new URL(place.db)
  return new Sequelize(pathname.slice(1), username, decodeURIComponent(password), settings(file))
}

/** An application on Express or Connect. */
function app(store, options = {}, make = express) {
  const made = make()
  made.use(session({ secret, store, resave: false, saveUninitialized: true, proxy: true, ...options }))
  made.use((req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1
    res.end(String(req.session.visits))
  })
  return made
}

const model = (sequelize, key, more) =>
  sequelize.define(key, {
    sid: { type: DataTypes.STRING, primaryKey: true },
    expires: DataTypes.DATE,
    data: DataTypes.TEXT,
    ...more
  })

/** Each gives an application; `close` what has to be closed besides. */
const SNIPPETS = {
  'connect-session-sequelize with Connect'() {
    const web = { session }
    const SequelizeStore = connectSession(web.session.Store)
    const store = new SequelizeStore({ db: instance() })
    return { app: app(store, {}, connectFramework), store }
  },
  'connect-session-sequelize with Express'() {
    const SequelizeStore = connectSession(session.Store)
    const store = new SequelizeStore({ db: instance() })
    return { app: app(store, { saveUninitialized: undefined }), store }
  },
  'connect-session-sequelize with a sync that nobody waits for'() {
    const SequelizeStore = connectSession(session.Store)
    const store = new SequelizeStore({ db: instance() })
    const made = app(store)
    store.sync()
    return { app: made, store }
  },
  async 'connect-session-sequelize with options of sync'() {
    const store = new (connectSession(session.Store))({ db: instance() })
    await store.sync({ force: true })
    return { app: app(store), store }
  },
  async 'connect-session-sequelize with a table that Sequelize made'() {
    const db = instance()
    const store = new (connectSession(session.Store))({ db })
    await db.authenticate()
    await db.sync()
    return { app: app(store), store }
  },
  'connect-session-sequelize with times'() {
    const SequelizeStore = connectSession(session.Store)
    const store = new SequelizeStore({ db: instance(), checkExpirationInterval: 10 * 60 * 1000, expiration: 12 * HOUR })
    return { app: app(store), store }
  },
  'connect-session-sequelize without a timer'() {
    const SequelizeStore = connectSession(session.Store)
    const store = new SequelizeStore({ db: instance() })
    store.stopExpiringSessions()
    return { app: app(store), store }
  },
  async 'connect-session-sequelize with a column more'() {
    const sequelize = instance()
    model(sequelize, 'Session', { userId: DataTypes.STRING })
    const SequelizeStore = connectSession(session.Store)
    const extendDefaultFields = ({ data, expires }, { visits }) => ({ data, expires, userId: `user-${visits}` })
    const store = new SequelizeStore({ db: sequelize, table: 'Session', extendDefaultFields })
    await store.sync()
    const check = async () => {
      const [row] = await store.sessionModel.findAll()
      return row.userId
    }
    return { app: app(store), store, check }
  },
  'sequelstore-connect'() {
    const SequelStore = sequelstore(session)
    const store = new SequelStore({ database: instance() })
    return { app: app(store), store }
  },
  'sequelstore-connect with Connect'() {
    const store = new (sequelstore(session))({ database: instance() })
    return { app: app(store, {}, connectFramework), store }
  },
  async 'sequelstore-connect with a model ConnectSession'() {
    const database = instance()
    model(database, 'ConnectSession')
    await database.sync()
    const store = new (sequelstore(session))({ database })
    return { app: app(store), store, check: async () => database.models.ConnectSession.count() }
  },
  async 'sequelstore-connect with a model ConnectSession without data'() {
    const database = instance()
    const { STRING, DATE } = DataTypes
    database.define('ConnectSession', { sid: { type: STRING, primaryKey: true }, expires: DATE })
    await database.sync()
    const store = new (sequelstore(session))({ database })
    return { store, session: await store.get('sid') }
  },
  async 'sequelstore-connect with sessionModel'() {
    const database = instance()
    model(database, 'Visitor')
    await database.sync()
    const store = new (sequelstore(session))({ database, sessionModel: database.models.Visitor })
    return { app: app(store), store, check: async () => database.models.Visitor.count() }
  },
  'sequelstore-connect with times'() {
    const options = { ttl: 7 * 24 * 60 * 60, autoRemoveInterval: 5 * 60 * 1000 }
    const store = new (sequelstore(session))({ database: instance(), ...options })
    return { app: app(store), store }
  },
  'sequelstore-connect without a timer'() {
    const store = new (sequelstore(session))({ database: instance(), autoRemoveInterval: 0 })
    return { app: app(store), store }
  },
  'sequelstore-connect in memory'() {
    return { app: app(new (sequelstore(session))({ fallbackMemory: true })) }
  },
  'sequelstore-connect with transform'() {
    const store = new (sequelstore(session))({ database: instance(), transform: JSON.stringify })
    return { app: app(store), store }
  },
  'sequelstore-connect without a database'() {
    return { store: new (sequelstore(session))({ url: 'mongodb://localhost/shop', autoRemoveInterval: 0 }) }
  },
  'koa-generic-session-sequelize'() {
    const sequelize = place === null ? new Sequelize(settings(`${folder}/shop.db`)) : instance()
    return koa(new KoaStore(sequelize, {}))
  },
  'koa-generic-session-sequelize with a password'() {
    return koa(new KoaStore(instance()))
  },
  'koa-generic-session-sequelize with options'() {
    const options = { tableName: 'Visits', modelName: 'Visit', sync: true, syncTimeout: 20_000, gcFrequency: 50 }
    return koa(new KoaStore(instance(), { ...options, timestamps: true, browserSessionLifetime: HOUR }))
  }
}

function koa(store) {
  const made = new Koa()
  made.keys = [secret]
  made.use(koaSession({ store }))
  made.use(async (ctx) => {
    ctx.session.visits = (ctx.session.visits ?? 0) + 1
    ctx.body = String(ctx.session.visits)
  })
  return { app: made.callback(), store }
}

/** What a visitor who keeps the cookie gets in three requests. */
async function visit(handler) {
  const server = http.createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bodies = []
  let cookie
  for (let i = 0; i < 3; i++) {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/`, { headers: cookie ? { cookie } : {} })
    const set = response.headers.getSetCookie()
    if (set.length > 0) cookie = set.map((each) => each.split(';')[0]).join('; ')
    bodies.push(response.ok ? await response.text() : response.status)
  }
  server.closeAllConnections()
  server.close()
  return bodies
}

async function main() {
  const { app: handler, store, check } = await SNIPPETS[name]()
  const bodies = await visit(handler)
  const checked = await check?.()
  await store?.close()
  return { bodies, checked }
}

if (name === null) {
  console.log(JSON.stringify(Object.keys(SNIPPETS)))
} else {
  main()
    .catch(({ code, message }) => ({ code, message }))
    .then((result) => {
      console.log(JSON.stringify(result))
      // The instance of Sequelize keeps connections.
      process.exit()
    })
}
