'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { DataTypes, Sequelize } = require('sequelize')
const { RustSequelizeStore } = require('..')
const { describeDatabase } = require('../lib/sequelize.js')
const { session, stored } = require('./support/sessions')
const { HOUR } = require('./support/time')
const databases = require('./support/databases')
const { report } = require('./support/run')
const { instance: instance7 } = require('./support/programs/sequelize-7')
const { application, attributes, settingsOf } = require('./support/variants')
const { startPeers } = require('./support/peers')

// Option `db` as a Sequelize instance. What both packages do with one table is in parity.test.js.

const instances = []
const stores = []
const peers = startPeers()

function sequelize(...args) {
  const made = new Sequelize(...args)
  instances.push(made)
  return made
}

function open(options) {
  const store = new RustSequelizeStore(options)
  stores.push(store)
  return store
}

/** The error with which the constructor refuses the options. */
function refusal(options) {
  try {
    open(options)
  } catch (error) {
    return error
  }
  throw new Error('not refused')
}

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
  await peers.reset()
  await Promise.all(instances.splice(0).map((made) => made.close()))
})
afterAll(() => peers.end())

/** What stands in a file of certificates, and what it is in a URL. */
const pem = (text, name = 'CERTIFICATE') => `-----BEGIN ${name}-----\n${text}\n-----END ${name}-----`
const encoded = (text) => new URLSearchParams({ '': text }).toString().slice(1)

describe('what a Sequelize instance says', () => {
  const url = (...args) => describeDatabase(sequelize(...args)).url
  const server = (dialect, settings) => url({ dialect, host: 'db', database: 'app', logging: false, ...settings })

  test.each([
    ['a URL', 'postgres', ['postgres://me:secret@db:6000/app'], 'postgres://me:secret@db:6000/app'],
    [
      'arguments',
      'postgres',
      ['app', 'me', 'secret', { host: 'db', dialect: 'postgres' }],
      'postgres://me:secret@db:5432/app'
    ],
    ['no host', 'postgres', ['app', 'me', null, { dialect: 'postgres' }], 'postgres://me@localhost:5432/app'],
    ['IPv6', 'mysql', ['app', 'me', 'secret', { host: '::1', dialect: 'mysql' }], 'mysql://me:secret@[::1]:3306/app'],
    [
      'special characters',
      'mysql',
      ['a/b?c#d%', 'm@:/e', 'p@:/?#[]%&+ ä', { host: 'db', port: 6000, dialect: 'mysql' }],
      'mysql://m%40%3A%2Fe:p%40%3A%2F%3F%23%5B%5D%25%26%2B%20%C3%A4@db:6000/a%2Fb%3Fc%23d%25'
    ]
  ])('by %s', (_how, _dialect, args, expected) => {
    const last = args.at(-1)
    const quiet =
      typeof last === 'object' ? [...args.slice(0, -1), { ...last, logging: false }] : [...args, { logging: false }]
    expect(url(...quiet)).toBe(expected)
  })

  test.each([
    [undefined, ''],
    [null, ''],
    [false, ''],
    [true, 'sslmode=verify-full'],
    ['true', 'sslmode=verify-full'],
    [{ require: true }, 'sslmode=verify-full'],
    [{ require: true, rejectUnauthorized: true }, 'sslmode=verify-full'],
    [{ require: true, rejectUnauthorized: false }, 'sslmode=require'],
    [{ rejectUnauthorized: false, ca: pem('A') }, `sslmode=require&sslrootcert=${encoded(pem('A'))}`],
    [
      { ca: `# Authority\n${pem('A')}\n`, checkServerIdentity: () => undefined },
      `sslmode=verify-ca&sslrootcert=${encoded(pem('A'))}`
    ],
    [
      { ca: [pem('A'), Buffer.from(pem('B'))], cert: pem('C'), key: pem('K', 'PRIVATE KEY') },
      `sslmode=verify-full&sslrootcert=${encoded(`${pem('A')}\n${pem('B')}`)}` +
        `&sslcert=${encoded(pem('C'))}&sslkey=${encoded(pem('K', 'PRIVATE KEY'))}`
    ]
  ])('of TLS on PostgreSQL: %j', (ssl, expected) => {
    expect(server('postgres', { dialectOptions: { ssl } })).toBe(`postgres://db:5432/app${expected && `?${expected}`}`)
  })

  test.each([
    [undefined, ''],
    [{}, 'ssl-mode=VERIFY_CA'],
    [{ verifyIdentity: true }, 'ssl-mode=VERIFY_IDENTITY'],
    [{ rejectUnauthorized: false }, 'ssl-mode=REQUIRED'],
    [{ ca: pem('A'), checkServerIdentity: () => undefined }, `ssl-mode=VERIFY_CA&ssl-ca=${encoded(pem('A'))}`],
    [
      { ca: pem('A'), cert: pem('C'), key: pem('K', 'RSA PRIVATE KEY') },
      `ssl-mode=VERIFY_CA&ssl-ca=${encoded(pem('A'))}&ssl-cert=${encoded(pem('C'))}` +
        `&ssl-key=${encoded(pem('K', 'RSA PRIVATE KEY'))}`
    ]
  ])('of TLS on MySQL: %j', (ssl, expected) => {
    expect(server('mysql', { dialectOptions: { ssl } })).toBe(`mysql://db:3306/app${expected && `?${expected}`}`)
  })

  test.each([
    ['ciphers', 'postgres', { ssl: { ciphers: 'none' } }],
    ['servername', 'postgres', { ssl: { servername: 'other' } }],
    ['pfx', 'mysql', { ssl: { pfx: 'secret' } }],
    ['Amazon RDS', 'mysql', { ssl: 'Amazon RDS' }],
    ['PEM', 'postgres', { ssl: { key: 'the secret key itself' } }]
  ])('of TLS is refused if it cannot be followed: %s', (name, dialect, dialectOptions) => {
    const error = refusal({ db: sequelize({ dialect, host: 'db', logging: false, dialectOptions }) })
    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toContain(name)
    expect(error.message).not.toContain('secret')
  })

  test.each([{}, { dialectOptions: {} }])('of TLS is ignored where Sequelize 6 ignores it: %j', (settings) => {
    expect(server('postgres', { ssl: true, ...settings })).toBe('postgres://db:5432/app')
    expect(server('mysql', { ssl: true, ...settings })).toBe('mysql://db:3306/app')
  })

  test('of the server goes to the server', () => {
    const dialectOptions = { statement_timeout: 1500, lock_timeout: 20, application_name: 'app', keepAlive: true }
    const parameters = new URL(server('postgres', { dialectOptions })).searchParams
    expect(Object.fromEntries(parameters)).toEqual({
      'options[statement_timeout]': '1500',
      'options[lock_timeout]': '20',
      application_name: 'app'
    })
  })

  test('of the pool is taken over, and the options come first', () => {
    const pool = { max: 17, min: 2, acquire: 1234, idle: 4321 }
    const dialectOptions = { query_timeout: 2500 }
    const db = sequelize({ dialect: 'postgres', host: 'db', logging: false, pool, dialectOptions })
    const { pool: taken } = open({ db }).options
    expect(taken).toMatchObject({ max: 17, acquireTimeout: 1234, idleTimeout: 4321, queryTimeout: 2500 })
    expect(open({ db, pool: { max: 3 } }).options.pool).toMatchObject({ max: 3, acquireTimeout: 1234 })
    const odd = { max: 2, acquire: '60000', idle: 1e12 }
    const other = sequelize({ dialect: 'postgres', host: 'db', logging: false, pool: odd })
    expect(open({ db: other }).options.pool).toMatchObject({
      max: 2,
      acquireTimeout: 60_000,
      idleTimeout: 2 ** 32 - 1
    })
  })

  test('of replication: the writer is asked for everything', () => {
    const replication = {
      read: [{ host: 'reader', username: 'reads' }],
      write: { host: 'writer', port: 6000, username: 'writes', password: 'secret', database: 'main' }
    }
    expect(url({ dialect: 'postgres', logging: false, replication })).toBe('postgres://writes:secret@writer:6000/main')
  })

  test.each([
    ['postgres', 'postgres://writer:5432/app?sslmode=require'],
    ['mysql', 'mysql://writer:3306/app?ssl-mode=REQUIRED']
  ])('of replication: the dialectOptions of the writer come first, %s', (dialect, expected) => {
    const write = { host: 'writer', dialectOptions: { ssl: { rejectUnauthorized: false } } }
    const dialectOptions = { ssl: { ca: pem('A') }, statement_timeout: 5 }
    expect(server(dialect, { host: undefined, dialectOptions, replication: { read: [], write } })).toBe(expected)
    expect(server(dialect, { host: undefined, replication: { read: [], write } })).toBe(expected)
  })

  test.each([
    ['no storage', { dialect: 'sqlite' }],
    ['memory', { dialect: 'sqlite', storage: ':memory:' }],
    ['an empty name', { dialect: 'sqlite', storage: '' }],
    ['a URL of memory', 'sqlite::memory:']
  ])('of an SQLite database in memory is refused: %s', (_name, settings) => {
    const db =
      typeof settings === 'string'
        ? sequelize(settings, { logging: false })
        : sequelize({ ...settings, logging: false })
    const error = refusal({ db })
    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toMatch(/in memory/)
    expect(error.message).toMatch(/`storage`/)
  })

  test.each([
    ['changes in the year', 'America/New_York', /changes in the year/],
    ['is unknown', 'Mars/Olympus', /unknown time zone/]
  ])('of a time zone that %s is refused on MySQL, and on PostgreSQL of no concern', (_name, timezone, message) => {
    const settings = { host: 'db', database: 'app', logging: false }
    const mysql = sequelize({ dialect: 'mysql', ...settings })
    mysql.options.timezone = timezone
    const error = refusal({ db: mysql })
    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toMatch(message)
    expect(open({ db: mysql, timezone: '-05:00' }).options.timezone).toBe('-05:00')
    const postgres = sequelize({ dialect: 'postgres', ...settings })
    postgres.options.timezone = timezone
    expect(open({ db: postgres }).options.timezone).toBe('+00:00')
  })

  test('is not there, and what is there is named', () => {
    for (const db of [null, {}, { models: {} }, [], new Date()]) {
      expect(refusal({ db }).code).toBe('ERR_SESSION_OPTIONS')
    }
  })

  test('holds a password that is shown nowhere', async () => {
    const db = sequelize({ dialect: 'postgres', host: '127.0.0.1', port: 1, password: 'only mine', logging: false })
    const store = open({ db, pool: { acquireTimeout: 200 } })
    const error = await store.get('ada').catch((error) => error)
    const shown = require('node:util').inspect(store, { depth: 6 }) + JSON.stringify(store.options) + error.stack
    expect(shown).not.toMatch(/only mine|only%20mine/)
  })
})

describe('the session model', () => {
  const db = (settings) => sequelize({ dialect: 'postgres', host: 'db', logging: false, ...settings })

  test('is defined as connect-session-sequelize does', () => {
    const made = db()
    const { sessionModel } = open({ db: made })
    expect(made.models.Session).toBe(sessionModel)
    expect(sessionModel.getTableName()).toBe('Sessions')
    expect(Object.keys(sessionModel.rawAttributes)).toEqual(['sid', 'expires', 'data', 'createdAt', 'updatedAt'])
    expect(open({ db: made }).sessionModel).toBe(sessionModel)
  })

  test('has the names of the options', () => {
    const made = db()
    const store = open({ db: made, modelKey: 'WebSession', tableName: 'web_sessions' })
    expect(made.models.WebSession).toBe(store.sessionModel)
    expect(store.sessionModel.getTableName()).toBe('web_sessions')
    expect(store.options).toMatchObject({ tableName: 'web_sessions', modelKey: 'WebSession' })
  })

  test('is the one of the application if it has one', () => {
    const made = db()
    const theirs = made.define('Session', attributes({ sid: { field: 'id' } }), { tableName: 'Sessions' })
    const store = open({ db: made })
    expect(store.sessionModel).toBe(theirs)
    expect(store.options.columns.sid).toBe('id')
  })

  test('does not replace another model of the application', () => {
    const made = db()
    const theirs = made.define('Session', { trainer: DataTypes.STRING, room: DataTypes.STRING })
    const store = open({ db: made })
    expect(made.models.Session).toBe(theirs)
    expect(store.sessionModel).not.toBe(theirs)
    expect(Object.keys(store.sessionModel.rawAttributes)).toEqual(expect.arrayContaining(['sid', 'expires', 'data']))
    expect(open({ db: made }).sessionModel).toBe(store.sessionModel)
  })

  test('is the one that option `table` names', () => {
    const { sequelize: made, options } = application('postgres://db/app', 'with a model of its own')
    instances.push(made)
    const store = open(options)
    expect(store.sessionModel).toBe(made.models.Login)
    expect(Object.keys(made.models)).toEqual(['Login'])
    expect(store.options).toMatchObject({
      tableName: 'logins',
      columns: { sid: 'session_id', expires: 'valid_until', data: 'content', createdAt: 'created_at', deletedAt: false }
    })
  })

  test('is one of an object of models', () => {
    const { sequelize: made } = application('postgres://db/app', 'with a model of its own')
    instances.push(made)
    const models = { Login: made.models.Login, sequelize: made, Sequelize }
    expect(open({ db: models, table: 'Login' }).sessionModel).toBe(made.models.Login)
  })

  test.each([
    ['is not there', (made) => ({ db: made, table: 'Logins' }), /`Logins`.*`Login`/],
    ['is not among the models', ({ models }) => ({ db: { Login: models.Login }, table: 'Logins' }), /`db`|`Logins`/],
    ['has no sid', (made) => ({ db: made, table: 'Trainer' }), /`Trainer` has no attribute `sid`/]
  ])('that option `table` names and that %s is an error at once', (_name, options, message) => {
    const { sequelize: made } = application('postgres://db/app', 'with a model of its own')
    instances.push(made)
    made.define('Trainer', { name: DataTypes.STRING })
    const error = refusal(options(made))
    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toMatch(message)
  })

  test('cannot be named for a URL', () => {
    expect(refusal({ db: 'postgres://db/app', table: 'Login' }).message).toMatch(/`tableName`/)
  })
})

describe('an SQLite file', () => {
  let folder

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  test.each(['plain.sqlite', 'a b#c?d%20é&=.sqlite', 'new/folder/file.sqlite'])(
    'is the one of the instance: %s',
    async (name) => {
      const storage = path.join(folder, name)
      const store = open({ db: sequelize({ dialect: 'sqlite', storage, logging: false }) })
      await store.set('ada', session({ user: 'ada' }))
      expect((await store.get('ada')).user).toBe('ada')
      expect(fs.existsSync(storage)).toBe(true)
    }
  )

  test('that is opened for reading only is not written to', async () => {
    const storage = path.join(folder, 'file.sqlite')
    const mine = open({ db: `sqlite://${storage}` })
    await mine.set('ada', session({ user: 'ada' }))
    const db = sequelize({ dialect: 'sqlite', storage, logging: false, dialectOptions: { mode: 1 } })
    const store = open({ db })
    expect((await store.get('ada')).user).toBe('ada')
    await expect(store.set('bob', session())).rejects.toThrow(/read-?only/i)
  })

  test('that must exist is not made', async () => {
    const storage = path.join(folder, 'none/file.sqlite')
    const store = open({ db: sequelize({ dialect: 'sqlite', storage, logging: false, dialectOptions: { mode: 2 } }) })
    await expect(store.get('ada')).rejects.toMatchObject({ code: 'ERR_SESSION_CONNECTION' })
    expect(fs.readdirSync(folder)).toEqual([])
  })

  test('by a relative name is where Sequelize finds it', () => {
    const { url } = describeDatabase(sequelize({ dialect: 'sqlite', storage: './data/app.sqlite', logging: false }))
    expect(url.split('?')[0]).toBe(`sqlite:${path.resolve('data/app.sqlite')}`)
    fs.rmdirSync('data')
  })
})

for (const database of databases.filter(({ name }) => name !== 'SQLite memory')) {
  const onDatabase = database.enabled ? describe : describe.skip

  onDatabase(database.name, () => {
    const { dialect } = database

    afterEach(async () => {
      await Promise.all(stores.splice(0).map((store) => store.close()))
      await peers.reset()
      await database.reset()
    })
    afterAll(() => database.end())

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
      instances.push(made.sequelize)
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

    describe('set', () => {
      async function openWith(variant) {
        const place = database.place()
        const peer = await peers.open('connect-session-sequelize', { url: place.db, variant })
        await peer.sync()
        const made = application(place.db, variant)
        instances.push(made.sequelize)
        return { store: open(made.options), place }
      }

      const byCallback = (store, value) =>
        new Promise((resolve) => store.set('ada', value, (error, row) => resolve({ error, row })))

      test('yields the row to who looks at it', async () => {
        const { store } = await openWith('with columns of its own')
        const value = session({ user: 'ada' })
        const rows = [await store.set('ada', value), (await byCallback(store, value)).row]
        for (const row of rows) {
          expect(row).toBeInstanceOf(store.sessionModel)
          expect(row.sid).toBe('ada')
          expect(JSON.parse(row.data)).toEqual(stored(value))
          expect(row.expires).toEqual(value.cookie.expires)
          expect(row).toMatchObject({ userId: 'ada', visits: 3, admin: true, score: 1.25 })
          expect(row.isNewRecord).toBe(false)
          expect(row.changed()).toBe(false)
        }
      })

      test('makes none for a callback that takes an error only', async () => {
        const { store } = await openWith('as it is')
        const build = jest.spyOn(store.sessionModel, 'build')
        const given = await new Promise((resolve) => {
          store.set('ada', session(), function (_error) {
            // biome-ignore lint/complexity/noArguments: with rest parameters it would not be a callback of one
            resolve([...arguments])
          })
        })
        expect(given).toEqual([null, undefined])
        expect(build).not.toHaveBeenCalled()
      })

      test('leaves out what the model does not know, and says so once', async () => {
        const { store, place } = await openWith('with columns of its own')
        const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
        const name = `unknown${database.name}`
        store.options.extendDefaultFields = (defaults) => ({ ...defaults, userId: 'ada', [name]: 1 })
        const row = await store.set('ada', session())
        await store.set('bob', session())
        const warnings = warn.mock.calls.filter(([message]) => message.includes(name))
        warn.mockRestore()
        expect(row.userId).toBe('ada')
        expect(row[name]).toBeUndefined()
        expect(warnings).toEqual([[expect.any(String), { code: 'SESSION_UNKNOWN_FIELD' }]])
        expect(await database.query({ ...place, tableName: 'logins' }, 'SELECT user_id FROM logins')).toHaveLength(2)
      })
    })

    test('a column of JSON holds sessions as text, and is read where it holds objects', async () => {
      const place = database.place()
      const variant = 'with a column of JSON'
      const peer = await peers.open('connect-session-sequelize', { url: place.db, variant })
      await peer.sync()
      const made = application(place.db, variant)
      instances.push(made.sequelize)
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

    test('sync has the model of the application make its table, and only sync', async () => {
      const place = database.place()
      const { missing, columns, user, length } = await report('sequelize-sync.js', [place.db])
      expect(missing).toBe('ERR_SESSION_TABLE')
      expect(columns).toEqual(expect.arrayContaining(['sid', 'expires', 'data', 'userId', 'visits', 'admin', 'seen']))
      expect(user).toBe('ada')
      expect(length).toBe(0)
    })

    test('an instance of Sequelize 7 says where its table is', async () => {
      const place = database.place()
      const settings = SETTINGS_7[dialect](place, database)
      const theirs = session({ user: 'theirs' })
      const theirDialect = dialect === 'mysql' ? 'mariadb' : dialect
      await report('sequelize-7.js', [theirDialect, settings, 'create', theirs])
      const db = instance7(theirDialect, settings)
      const store = open({ db })
      expect((await store.get('theirs')).user).toBe('theirs')
      expect(store.sessionModel).toBe(db.models.get('Session'))
      const ours = session({ user: 'ours' }, 2 * HOUR)
      ours.cookie.expires.setMilliseconds(0)
      const row = await store.set('ours', ours)
      expect(row.sid).toBe('ours')
      const rows = await report('sequelize-7.js', [theirDialect, settings, 'read'])
      expect(rows.map(({ sid }) => sid)).toEqual(['ours', 'theirs'])
      expect(JSON.parse(rows[0].data)).toEqual(stored(ours))
      expect(new Date(rows[0].expires)).toEqual(ours.cookie.expires)
      await db.close()
    })

    if (dialect === 'sqlite') {
      test.each(['delete', 'wal'])('the journal mode of a shared file stays: %s', async (mode) => {
        const place = database.place()
        await database.query(place, `PRAGMA journal_mode = ${mode}`)
        await database.createTable(place)
        const made = application(place.db)
        instances.push(made.sequelize)
        const store = open(made.options)
        await store.set('ada', session())
        expect(await store.length()).toBe(1)
        const [{ journal_mode: now }] = await database.query(place, 'PRAGMA journal_mode')
        expect(now).toBe(mode)
        await store.close()
        expect(fs.readFileSync(database.file(place))[18]).toBe(mode === 'wal' ? 2 : 1)
      })
    } else {
      serverTests(database)
    }
  })
}

/** The same place for Sequelize 7, which takes no parameters of PostgreSQL's in a URL. */
const SETTINGS_7 = {
  sqlite: (place, database) => ({ storage: database.file(place) }),
  postgres(place, database) {
    const { hostname, port, username, password, pathname } = new URL(place.db)
    const schema = database.schemaOf(place)
    const credentials = { user: username, password: decodeURIComponent(password) }
    return { host: hostname, port: Number(port), ...credentials, database: pathname.slice(1), schema }
  },
  mysql(place) {
    const { hostname, port, username, password, pathname } = new URL(place.db)
    const credentials = { user: username, password: decodeURIComponent(password) }
    return { host: hostname, port: Number(port), ...credentials, database: pathname.slice(1), timezone: '+02:00' }
  }
}

/** What there is on servers only: users, sockets, limits. */
function serverTests(database) {
  const { dialect } = database

  async function work(settings, options = {}) {
    const db = sequelize({ dialect, logging: false, ...settings })
    const store = open({ db, ...options })
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
    expect(await store.sessionModel.count()).toBe(1)
    return store
  }

  const { url, where } = {
    postgres: {
      url: process.env.TEST_POSTGRES_URL,
      where: (place) => ({ schema: database.schemaOf(place) })
    },
    mysql: {
      url: process.env.TEST_MYSQL_URL,
      where: (place) => ({ database: database.databaseOf(place) })
    }
  }[dialect]
  const { hostname: host, port, username, password, pathname } = new URL(url)
  const server = {
    host,
    port: Number(port),
    username,
    password: decodeURIComponent(password),
    database: pathname.slice(1)
  }

  const elsewhere = {
    postgres: () => ({ schema: database.schemaOf(database.place()) }),
    mysql: () => ({ schema: database.databaseOf(database.place()) })
  }

  test.each([
    ['underscored and paranoid', () => ({ define: { underscored: true, paranoid: true } })],
    ['another schema', () => elsewhere[dialect]()],
    ['another time zone', () => ({ timezone: '+05:30' })],
    ['no quotes', () => ({ quoteIdentifiers: false })]
  ])('Sequelize 7 with %s has the sessions where the store has them', async (_name, settings) => {
    const theirDialect = dialect === 'mysql' ? 'mariadb' : dialect
    const db = instance7(theirDialect, { ...SETTINGS_7[dialect](database.place(), database), ...settings() })
    instances.push(db)
    const { sessionModel } = open({ db })
    await sessionModel.sync()
    const expires = new Date(Math.ceil(Date.now() / 1000) * 1000 + HOUR)
    await sessionModel.create({ sid: 'theirs', expires, data: '{"cookie":{},"user":"theirs"}' })
    const store = open({ db, createTable: false })
    expect((await store.get('theirs')).user).toBe('theirs')
    await store.set('ours', { cookie: { expires } })
    expect((await sessionModel.findByPk('ours')).expires).toEqual(expires)
    await store.set('dead', session({}, -60_000))
    expect(await store.clearExpiredSessions()).toBe(1)
    expect(await sessionModel.count({ paranoid: false })).toBe(2)
  })

  test('a user and a password of special characters', async () => {
    const place = database.place()
    const [user, secret] = ["o'd @:/u", 'p@:/?#[]%&+ "\'ä']
    const quoted = (text) => `'${text.replaceAll("'", "''")}'`
    const make = {
      postgres: [`DROP ROLE IF EXISTS "${user}"`, `CREATE ROLE "${user}" LOGIN SUPERUSER PASSWORD ${quoted(secret)}`],
      mysql: [
        `DROP USER IF EXISTS ${quoted(user)}@'%'`,
        `CREATE USER ${quoted(user)}@'%' IDENTIFIED BY ${quoted(secret)}`,
        `GRANT ALL ON *.* TO ${quoted(user)}@'%'`
      ]
    }[dialect]
    for (const sql of make) await database.query(place, sql)
    try {
      await work({ ...server, username: user, password: secret, ...where(place) })
    } finally {
      if (dialect === 'postgres') await database.query(place, `DROP OWNED BY "${user}"`)
      await database.query(place, make[0])
    }
  })

  test('the socket of the server', async () => {
    const place = database.place()
    if (dialect === 'postgres') {
      const [{ unix_socket_directories: folders }] = await database.query(place, 'SHOW unix_socket_directories')
      await work({ ...server, host: folders.split(',')[0], ...where(place) })
    } else {
      const [{ socketPath }] = await database.query(place, 'SELECT @@socket AS socketPath')
      const store = await work({ ...server, host: 'nowhere.invalid', dialectOptions: { socketPath }, ...where(place) })
      expect(store.options.db.options.dialectOptions.socketPath).toBe(socketPath)
    }
  })

  test('replication: the writer is asked, and nobody else', async () => {
    const place = database.place()
    const write = { ...server, ...where(place) }
    const db = sequelize({
      dialect,
      logging: false,
      ...where(place),
      replication: { read: [{ ...write, host: '127.0.0.1', port: 1 }], write }
    })
    const store = open({ db })
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
    expect(await store.length()).toBe(1)
  })

  test('the size of the pool', async () => {
    const place = database.place()
    const store = await work({ ...server, ...where(place), pool: { max: 2 } })
    await Promise.all(Array.from({ length: 200 }, (_, i) => [store.set(`${i}`, session()), store.get(`${i}`)]).flat())
    await store.clearExpiredSessions()
    expect(store.stats().pool.size).toBeLessThanOrEqual(2)
  })

  if (dialect === 'postgres') {
    test('statement_timeout is the limit of the server', async () => {
      const place = database.place()
      const store = await work({ ...server, ...where(place), dialectOptions: { statement_timeout: 300 } })
      const unlock = await database.lock(place)
      const started = Date.now()
      await expect(store.set('ada', session())).rejects.toMatchObject({ cause: { code: '57014' } })
      expect(Date.now() - started).toBeLessThan(10_000)
      await unlock()
      await store.set('ada', session())
    })
  }
}
