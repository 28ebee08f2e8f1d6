'use strict'

const { Store: Base } = require('express-session')
const { DataTypes, Sequelize } = require('sequelize')
const incumbent = require('connect-session-sequelize')
const connect = require('..')
const { instance: byFile } = require('./support/databases/through-sequelize')
const databases = require('./support/databases')
const { onDatabases } = require('./support/suites')
const { attributes } = require('./support/variants')
const { HOUR } = require('./support/time')

// Instances and options as public applications have them, each with both packages: what a visitor sees and what is in the table are the same.

/** The instance of an application on a server, in the ways in which the address is given. */
const CONNECTIONS = {
  'a URL': ({ url }, settings) => new Sequelize(url, settings),
  fields: ({ dialect, ...where }, settings) => new Sequelize({ dialect, ...fieldsOf(where), ...settings }),
  arguments({ dialect, ...where }, settings) {
    const { database, username, password, ...rest } = fieldsOf(where)
    return new Sequelize(database, username, password, { dialect, ...rest, ...settings })
  },
  replication({ dialect, ...where }, settings) {
    const { host, port, ...rest } = fieldsOf(where)
    const replication = { read: [{ host, port }], write: { host, port } }
    return new Sequelize({ dialect, ...rest, replication, ...settings })
  },
  'a hook that sets the credentials'({ dialect, ...where }, settings) {
    const { username, password, ...rest } = fieldsOf(where)
    const hooks = {
      beforeConnect(config) {
        config.username = username
        config.password = password
      }
    }
    return new Sequelize({ dialect, ...rest, hooks, ...settings })
  }
}

/** What else an instance is given. */
const SETTINGS = {
  nothing: {},
  underscored: { define: { underscored: true } },
  'no timestamps': { define: { timestamps: false } },
  'frozen names': { define: { freezeTableName: true } },
  'time stamps of other names': { define: { createdAt: 'created_at', updatedAt: 'updated_at' } },
  'a character set': { dialects: ['mysql'], define: { charset: 'utf8mb4', collate: 'utf8mb4_unicode_ci' } },
  'the dialect mariadb': { dialects: ['mysql'], dialect: 'mariadb' },
  'a pool': { pool: { max: 5, min: 0, acquire: 30_000, idle: 10_000 } },
  'a pool, and no evictions': { pool: { max: 2, evict: 500 }, retry: { max: 3 } },
  'rows that are plain': { query: { raw: true } },
  'a log': { logging: () => {}, benchmark: true, logQueryParameters: true },
  'a time zone': { dialects: ['postgres', 'mysql'], timezone: '+02:00' },
  'a time zone with summer time': { dialects: ['postgres', 'mysql'], timezone: 'America/New_York' },
  'no TLS': { dialects: ['postgres'], dialectOptions: { ssl: false } },
  'limits of the server': {
    dialects: ['postgres'],
    dialectOptions: { statement_timeout: 30_000, idle_in_transaction_session_timeout: 30_000, keepAlive: true }
  },
  'options of mysql2': {
    dialects: ['mysql'],
    dialectOptions: { connectTimeout: 60_000, decimalNumbers: true, supportBigNumbers: true, multipleStatements: true }
  },
  'dates as text': { dialects: ['mysql'], dialectOptions: { dateStrings: true, typeCast: true } },
  'an isolation level': { isolationLevel: 'READ COMMITTED' },
  'aliases for operators': { operatorsAliases: false, omitNull: false, typeValidation: true }
}

/** The options of the store. */
const OPTIONS = {
  none: {},
  'numbers as text': { expiration: '86400000', checkExpirationInterval: '900000' },
  numbers: { expiration: 86_400_000, checkExpirationInterval: 900_000 },
  'numbers of another size': { expiration: 2 * HOUR, checkExpirationInterval: -1 },
  'no interval': { checkExpirationInterval: null },
  'no table': { table: null },
  'a table': { tableName: 'web_sessions' },
  'a key': { modelKey: 'WebSession', tableName: 'WebSessions' },
  'options of other stores': { secret: 's', collection: 'sessions', ttl: 3600, resave: false, dialect: 'sqlite' },
  'a misspelled one': { experation: 1000 },
  'no touches': { disableTouch: true },
  'columns of its own': (sequelize) => {
    sequelize.define('Login', { ...attributes(), user: DataTypes.STRING }, { tableName: 'logins' })
    return { table: 'Login', extendDefaultFields: (defaults, { user }) => ({ ...defaults, user }) }
  },
  'other names of columns': (sequelize) => {
    const fields = { sid: { field: 'session_id' }, expires: { field: 'valid_until' }, data: { field: 'content' } }
    sequelize.define('Login', attributes(fields), { tableName: 'logins' })
    return { table: 'Login' }
  }
}

/** What the other package makes of a value is not what it says: it adds text to a time, and takes null for never. */
const UNLIKE = { 'numbers as text': 'numbers', 'no interval': 'none' }

const PACKAGES = { before: incumbent(Base), after: connect(Base) }

function fieldsOf({ url, ...rest }) {
  const { hostname: host, port, username, password, pathname } = new URL(url)
  const secret = decodeURIComponent(password)
  return { host, port: Number(port), username, password: secret, database: pathname.slice(1), ...rest }
}

const call = (store, verb, ...args) =>
  new Promise((resolve, reject) => {
    store[verb](...args, (error, result) => (error ? reject(error) : resolve(result)))
  })

/** What a visitor sees, and what is in the table after that. */
async function visit(Store, sequelize, options) {
  const store = new Store({ db: sequelize, ...options })
  const model = store.sessionModel
  await store.sync()
  const cookie = { originalMaxAge: HOUR, expires: new Date(Math.ceil(Date.now() / 1000) * 1000 + HOUR), path: '/' }
  await call(store, 'set', 'ada', { cookie, user: 'adä' })
  await call(store, 'set', 'bob', { cookie, user: 'bob' })
  await call(store, 'set', 'eve', { cookie: { ...cookie, expires: null }, user: 'eve' })
  const { cookie: read, ...first } = await call(store, 'get', 'ada')
  await call(store, 'set', 'ada', { cookie, ...first, visits: 2 })
  await call(store, 'touch', 'ada', { cookie: { ...cookie, expires: new Date(Number(cookie.expires) + HOUR) } })
  await call(store, 'destroy', 'bob')
  const rows = await model.findAll({ raw: true, order: [['sid', 'ASC']] })
  const seen = {
    table: model.getTableName().tableName ?? model.getTableName(),
    columns: Object.keys(rows[0]).sort(),
    rows: rows.map(({ sid, data, expires, user }) => ({ sid, data: JSON.parse(data), hours: hoursOf(expires), user })),
    expires: new Date(read.expires).getTime() - Number(cookie.expires),
    second: (await call(store, 'get', 'ada')).visits,
    gone: await call(store, 'get', 'bob'),
    length: await call(store, 'length'),
    expiration: Math.round((store.expiration({ cookie: {} }) - Date.now()) / HOUR),
    timer: store._expirationInterval !== null && store._expirationInterval !== undefined
  }
  for (const row of seen.rows) delete row.data.cookie
  store.stopExpiringSessions()
  await store.close?.()
  return { seen, engine: store.stats?.().engine }
}

const hoursOf = (date) => Math.round((new Date(date) - Date.now()) / HOUR)

/** One difference at a time from an ordinary application, and each connection with each setting. */
function cases(dialect) {
  const settings = Object.keys(SETTINGS).filter((name) => SETTINGS[name].dialects?.includes(dialect) ?? true)
  const connections = dialect === 'sqlite' ? ['a URL'] : Object.keys(CONNECTIONS)
  return [
    ...connections.flatMap((connection) => settings.map((setting) => [connection, setting, 'none'])),
    ...Object.keys(OPTIONS).map((options) => ['a URL', 'nothing', options])
  ]
}

onDatabases(
  () => true,
  (database) => {
    const { dialect } = database

    beforeEach(() => jest.spyOn(process, 'emitWarning').mockImplementation(() => {}))
    afterEach(() => jest.restoreAllMocks())

    function sequelizeAt(place, connection, setting) {
      const { dialects: _, dialect: other = dialect, ...settings } = SETTINGS[setting]
      if (dialect === 'sqlite') return byFile(place, { logging: false, ...settings })
      const scheme = new URL(place.db).protocol
      const where = { dialect: other, url: place.db.replace(scheme, `${other}:`) }
      if (dialect === 'postgres' && connection !== 'a URL') where.schema = database.schemaOf(place)
      return CONNECTIONS[connection](where, { logging: false, ...settings })
    }

    async function run(name, connection, setting, optionsName) {
      const sequelize = sequelizeAt(database.place(), connection, setting)
      try {
        const options = OPTIONS[optionsName]
        return await visit(PACKAGES[name], sequelize, typeof options === 'function' ? options(sequelize) : options)
      } finally {
        await sequelize.close()
      }
    }

    test.each(cases(dialect))('an instance by %s with %s, and the options: %s', async (...names) => {
      const [connection, setting, options] = names
      const { seen: before } = await run('before', connection, setting, UNLIKE[options] ?? options)
      const { seen: after, engine } = await run('after', ...names)
      expect(after).toEqual(before)
      expect(['rust', 'sequelize']).toContain(engine)
    })
  },
  undefined,
  databases
)
