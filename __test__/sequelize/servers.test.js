'use strict'

const { session } = require('../support/sessions')
const { onEachServer, open, sequelize } = require('./setup')

/** What there is on servers only: users, sockets, limits. */
onEachServer((database) => {
  const { dialect } = database

  async function work(settings, options = {}) {
    const db = sequelize({ dialect, logging: false, ...settings })
    const store = open({ db, ...options })
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
    expect(await store.sessionModel.count()).toBe(1)
    return store
  }

  const where = {
    postgres: (place) => ({ schema: database.schemaOf(place) }),
    mysql: (place) => ({ database: database.databaseOf(place) })
  }[dialect]
  const { hostname: host, port, username, password, pathname } = new URL(database.url)
  const server = {
    host,
    port: Number(port),
    username,
    password: decodeURIComponent(password),
    database: pathname.slice(1)
  }

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

  test('replication: only the primary is used', async () => {
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
})
