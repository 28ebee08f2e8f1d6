'use strict'

const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const { inspect } = require('node:util')
const { RustSequelizeStore } = require('../..')
const { codes, styles } = require('../support/calls')
const { loaded, session } = require('../support/sessions')
const { HOUR, sleep, until } = require('../support/time')
const { createApp, listen } = require('../support/express/app')
const { Client } = require('../support/express/client')
const { freePort } = require('../support/servers/private-server')
const { failure } = require('../support/calls')

const CONNECTION = 'ERR_SESSION_CONNECTION'

/** The `acquireTimeout` of stores whose database cannot be reached. */
const TIMEOUT = 2000

/** In less than this they fail, on the slowest machine, and a store that does not heed the option takes longer. In milliseconds. */
const LIMIT = 9000

/**
 * The ways to a server and what happens on them. `kit` has
 *
 * - `create()`: a server of its own, not started; `run(url, sql)`: the rows of a statement; `quote(name)`;
 * - `createUser(user, password)`, `setPassword(user, password)`, `createDatabase(name)`, `grant(user, database)`: statements;
 * - `killAll(url)`: ends all connections but its own; `connections(url, user)`: those of a user; `pids(server)`: the processes
 *   that serve connections;
 * - `crash`: the signal that is like a crash; `shortIdle`: settings with which the server ends idle connections after a second.
 */
module.exports = ({
  create,
  run,
  quote,
  createUser,
  setPassword,
  createDatabase,
  grant,
  killAll,
  connections,
  pids,
  crash,
  shortIdle
}) => {
  let server
  let stores
  let databases = 0

  beforeAll(async () => {
    server = await create()
    await server.start()
  })

  beforeEach(() => {
    stores = []
  })

  afterEach(() => Promise.all(stores.map((store) => store.close())))

  afterAll(() => server?.end())

  const admin = (sql) => run(server.url(), sql)

  function open(db, options) {
    const store = new RustSequelizeStore({ db, ...options })
    stores.push(store)
    return store
  }

  async function fresh() {
    const name = `db${++databases}`
    await admin(createDatabase(name))
    return name
  }

  const openFresh = async (options) => open(server.url({ database: await fresh() }), options)

  /** That each way of calling fails soon, with the code, and tells no password. */
  async function expectRefused(store, secret, code = CONNECTION) {
    const calls = {
      get: () => store.get('ada'),
      callback: () => styles.callback(store, 'get', 'ada'),
      set: () => store.set('ada', session()),
      length: () => store.length(),
      prune: () => store.clearExpiredSessions()
    }
    const started = Date.now()
    const errors = await Promise.all(Object.values(calls).map((call) => failure(call())))
    expect(Date.now() - started).toBeLessThan(LIMIT)
    for (const error of errors) {
      expect(error.code).toBe(code)
      expect(error.cause).toBeInstanceOf(Error)
      expect(error.message).not.toMatch('[object')
      if (secret) {
        const told = inspect(error, { depth: 5, showHidden: true }) + error.stack + error.cause.message
        expect(told).not.toMatch(secret)
      }
    }
    return errors[0]
  }

  async function expectWorking(store) {
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
    expect(await store.ids()).toContain('ada')
    expect(await store.clearExpiredSessions()).toBe(0)
    await store.destroy('ada')
  }

  const options = { pool: { acquireTimeout: TIMEOUT } }

  describe('what keeps a store from its database is told by code, within the time, without the password, until it is gone:', () => {
    const secret = 'v3ry-s3cret'

    test('a wrong password', async () => {
      const database = await fresh()
      await admin(createUser('wrong', 'another'))
      await admin(grant('wrong', database))
      const store = open(server.url({ user: 'wrong', pass: secret, database }), options)
      const error = await expectRefused(store, secret)
      expect(error.message).toMatch('wrong')
      await admin(setPassword('wrong', secret))
      await expectWorking(store)
    })

    test('an unknown user', async () => {
      const database = await fresh()
      const store = open(server.url({ user: 'nobody', pass: secret, database }), options)
      await expectRefused(store, secret)
      await admin(createUser('nobody', secret))
      await admin(grant('nobody', database))
      await expectWorking(store)
    })

    test('an unknown database', async () => {
      const store = open(server.url({ database: 'unknown' }), options)
      const error = await expectRefused(store, server.password)
      expect(error.message).toMatch('unknown')
      await admin(createDatabase('unknown'))
      await expectWorking(store)
    })

    test('a port where nobody listens', async () => {
      const url = new URL(server.url({ database: await fresh() }))
      url.port = await freePort()
      const error = await expectRefused(open(url.href, options), server.password)
      expect(error.message).toMatch(url.port)
    })

    test('a host that does not exist', async () => {
      const url = new URL(server.url({ database: await fresh() }))
      url.hostname = 'nowhere.invalid'
      await expectRefused(open(url.href, options), server.password)
    })

    test('a server that never answers', async () => {
      const sockets = []
      const silent = net.createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const url = new URL(server.url({ database: await fresh() }))
      url.port = silent.address().port
      const store = open(url.href, options)
      await expectRefused(store, server.password)
      await store.close()
      for (const socket of sockets) socket.destroy()
      silent.close()
    })

    test('a server that speaks something else', async () => {
      const other = net.createServer((socket) => {
        socket.on('error', () => {})
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      })
      other.listen(0, '127.0.0.1')
      await once(other, 'listening')
      const url = new URL(server.url({ database: await fresh() }))
      url.port = other.address().port
      await expectRefused(open(url.href, options), server.password)
      other.close()
    })

    test('a server that is down at the start', async () => {
      const database = await fresh()
      await server.stop()
      try {
        const store = open(server.url({ database }), { ...options, checkExpirationInterval: 20 })
        await expectRefused(store, server.password)
        // The timer tries in vain meanwhile.
        await until(() => store.stats().errors >= 7)
        await server.start()
        await expectWorking(store)
      } finally {
        await server.start()
      }
    })

    test('a server that goes down, and comes back', async () => {
      const store = await openFresh(options)
      await store.set('ada', session({ user: 'ada' }))
      await server.stop()
      try {
        await expectRefused(store, server.password)
      } finally {
        await server.start()
      }
      expect((await store.get('ada')).user).toBe('ada')
    })
  })

  test('a call that is made while the server is starting is served or refused, and never a miss', async () => {
    const store = await openFresh({ pool: { acquireTimeout: 10_000 } })
    await store.set('ada', session({ user: 'ada' }))
    await server.stop()
    const calls = [store.get('ada'), store.set('bob', session())]
    await sleep(200)
    await server.start()
    const [found, written] = await Promise.allSettled(calls)
    if (found.reason) expect(found.reason.code).toBe(CONNECTION)
    else expect(found.value.user).toBe('ada')
    if (written.reason) expect(written.reason.code).toBe(CONNECTION)
    await expectWorking(store)
  })

  test.each([
    ['stopped', undefined],
    ['crashed', crash]
  ])('a server that was %s and started between calls is no error to any of them', async (_name, signal) => {
    const store = await openFresh()
    const sids = Array.from({ length: 50 }, (_, i) => `sid-${i}`)
    for (let round = 0; round < 3; round++) {
      // All lanes have a connection.
      await Promise.all(sids.map((sid) => store.set(sid, session({ round }))))
      await Promise.all([...sids.map((sid) => store.get(sid)), store.length()])
      await server.stop(signal)
      await server.start()
      const slow = loaded(store, 'sid-1', { cookie: {}, round: 'slow' })
      const calls = [
        ...sids.slice(10).map((sid) => store.get(sid)),
        store.set('sid-0', session({ round: 'new' })),
        store.set('sid-1', slow),
        store.touch('sid-2', session()),
        store.destroy('sid-3'),
        store.length(),
        store.ids(),
        store.all(),
        store.clearExpiredSessions()
      ]
      expect(await codes(calls)).toEqual(calls.map(() => null))
      const found = await Promise.all(calls.slice(0, 40))
      expect(found.map((value) => value.round)).toEqual(Array(40).fill(round))
      expect((await store.get('sid-1')).round).toBe('slow')
      expect(await store.get('sid-3')).toBeNull()
    }
    expect(store.stats().errors).toBe(0)
  })

  test('connections that are killed between calls, and during calls, are no error to any of them', async () => {
    const store = await openFresh()
    await store.set('ada', session({ user: 'ada' }))
    let running = true
    const work = Array.from({ length: 8 }, async (_, i) => {
      for (let n = 0; running; n++) {
        await store.set(`sid-${i}`, session({ n }))
        expect((await store.get(`sid-${i}`)).n).toBe(n)
        expect((await store.get('ada')).user).toBe('ada')
        await store.touch('ada', session())
      }
    })
    for (let i = 0; i < 10 || store.stats().retries === 0; i++) {
      await sleep(100)
      await killAll(server.url())
    }
    running = false
    await Promise.all(work)
    await killAll(server.url())
    expect(await store.length()).toBe(9)
    expect(store.stats().errors).toBe(0)
    expect(store.stats().retries).toBeGreaterThan(0)
  })

  test('connections that the server ends for being idle are no error to any call', async () => {
    const store = await openFresh()
    for (const sql of shortIdle.set) await admin(sql)
    try {
      await Promise.all(Array.from({ length: 20 }, (_, i) => [store.set(`${i}`, session()), store.length()]).flat())
      for (let i = 0; i < 3; i++) {
        await killAll(server.url())
        await store.get('0')
        await sleep(1300)
        const calls = [store.get('0'), store.set('1', session()), store.length(), store.touch('2', session())]
        expect(await codes(calls)).toEqual(calls.map(() => null))
      }
      expect(store.stats().errors).toBe(0)
    } finally {
      for (const sql of shortIdle.reset) await admin(sql)
    }
  })

  test('a restart amid the work loses nothing acknowledged, and no session seems to be gone', async () => {
    const store = await openFresh({ pool: { acquireTimeout: 500 } })
    await store.set('ada', session({ user: 'ada' }))
    const acknowledged = new Map()
    const seen = new Set()
    let running = true
    const work = Array.from({ length: 8 }, async (_, i) => {
      for (let n = 1; running; n++) {
        const [written, ada] = await Promise.allSettled([store.set(`sid-${i}`, session({ n })), store.get('ada')])
        if (written.status === 'fulfilled') acknowledged.set(`sid-${i}`, n)
        else seen.add(written.reason.code)
        if (ada.status === 'fulfilled') expect(ada.value?.user).toBe('ada')
        else seen.add(ada.reason.code)
        if (written.reason) await sleep(20)
      }
    })
    await until(() => acknowledged.size === 8)
    await server.stop(crash)
    await sleep(300)
    await server.start()
    await until(async () => (await codes([store.get('ada')]))[0] === null)
    await sleep(200)
    running = false
    await Promise.all(work)
    for (const code of seen) expect(['ERR_SESSION_CONNECTION', 'ERR_SESSION_TIMEOUT']).toContain(code)
    expect(acknowledged.size).toBe(8)
    for (const [sid, n] of acknowledged) expect((await store.get(sid)).n).toBeGreaterThanOrEqual(n)
  })

  // A process that does not run answers as little as a machine that is gone.
  describe('a server that has stopped answering', () => {
    /** Whether all threads of a process have stopped, which takes a moment. Only Linux tells. */
    function stopped(pid) {
      const folder = `/proc/${pid}/task`
      if (!fs.existsSync(folder)) return true
      return fs.readdirSync(folder).every((id) => /\) T /.test(fs.readFileSync(`${folder}/${id}/stat`, 'utf8')))
    }

    async function frozen(work) {
      const ids = await pids(server)
      try {
        for (const id of ids) process.kill(id, 'SIGSTOP')
        await until(() => ids.every(stopped))
        await work()
      } finally {
        for (const id of ids) process.kill(id, 'SIGCONT')
      }
    }

    test('is an error in time, and forgotten when it answers again', async () => {
      const store = await openFresh({ pool: { queryTimeout: TIMEOUT, acquireTimeout: TIMEOUT } })
      await Promise.all([store.set('ada', session({ user: 'ada' })), store.get('bob'), store.length()])
      await frozen(async () => {
        const started = Date.now()
        const outcome = await codes([store.get('ada'), store.set('bob', session()), store.touch('ada', session())])
        // The defaults are half a minute and ten seconds.
        expect(Date.now() - started).toBeLessThan(25_000)
        for (const code of outcome) expect(['ERR_SESSION_TIMEOUT', CONNECTION]).toContain(code)
      })
      expect((await store.get('ada')).user).toBe('ada')
      await expectWorking(store)
    })

    const kinds = {
      nothing: () => {},
      get: (store) => store.get('ada'),
      set: (store) => store.set('ada', session()),
      length: (store) => store.length(),
      clearExpiredSessions: (store) => store.clearExpiredSessions()
    }

    test('does not keep stores from closing, whatever they are at', async () => {
      const db = server.url({ database: await fresh() })
      const all = Object.keys(kinds).map(() => open(db, { pool: { queryTimeout: TIMEOUT, acquireTimeout: TIMEOUT } }))
      // All lanes have a connection.
      for (const store of all) {
        await Promise.all([store.set('ada', session()), store.get('bob'), store.length()])
      }
      const closed = new Set()
      let pending
      await frozen(async () => {
        pending = codes(all.map((store, i) => Object.values(kinds)[i](store)))
        const closing = all.map(async (store, i) => {
          await store.close()
          closed.add(Object.keys(kinds)[i])
        })
        await Promise.race([Promise.all(closing), sleep(25_000)])
      })
      expect([...closed].sort()).toEqual(Object.keys(kinds).sort())
      expect((await pending).slice(1)).not.toContain(null)
    })
  })

  test('an outage is a failed request and not a new session', async () => {
    const store = await openFresh(options)
    const { server: web, origin } = await listen(createApp('express5', { store }))
    const client = new Client(origin)
    const stranger = new Client(origin)
    try {
      const login = await client.get('/login?user=Ada')
      await server.stop()
      for (let i = 0; i < 2; i++) {
        const { status, body, setCookies } = await client.get('/state')
        expect(status).toBe(500)
        expect(body.code).toBe(CONNECTION)
        expect(setCookies).toEqual([])
      }
      // Whoever has no session does not need the server.
      expect((await stranger.get('/state')).status).toBe(200)
      await server.start()
      expect((await client.get('/state')).body).toMatchObject({ sid: login.body.sid, user: 'Ada' })
    } finally {
      await server.start()
      client.close()
      stranger.close()
      web.closeAllConnections()
      web.close()
    }
  })

  describe('a URL', () => {
    const odd = ['p@ss:w/ord?#%25&=+', 'é ñ', '"quoted" \\back`tick\\', "it's; DROP", '%41', '100%', 'a[b]{c}|<d>^~']

    test.each(odd)('with the password %j', async (password) => {
      const database = await fresh()
      const user = `user${databases}`
      await admin(createUser(user, password))
      await admin(grant(user, database))
      const store = open(server.url({ user, pass: password, database }), options)
      await expectWorking(store)
      expect(inspect(store, { depth: 9 })).not.toMatch(encodeURIComponent(password))
      expect(JSON.stringify(store.options)).not.toMatch(encodeURIComponent(password))
    })

    test.each(['my user', 'user@host', 'a:b', 'ü%41', 'postgres.project-ref'])('with the user %j', async (user) => {
      const database = await fresh()
      await admin(createUser(user, 'secret'))
      await admin(grant(user, database))
      await expectWorking(open(server.url({ user, pass: 'secret', database }), options))
    })

    test.each(['my database', 'ü', 'a-b.c', '100%', 'a/b?c'])('with the database %j', async (name) => {
      await admin(createDatabase(name))
      await expectWorking(open(server.url({ database: encodeURIComponent(name) }), options))
    })

    test.each(['p@ss#s3cret', 'pass/s3cret', 'pass?s3cret', 'pass s3cret', 'p%zzs3cret', '[s3cret'])(
      'with the password %j as it is works or is refused, and tells nothing',
      async (password) => {
        const database = await fresh()
        const user = `plain${databases}`
        await admin(createUser(user, password))
        await admin(grant(user, database))
        const [scheme] = server.url().split(':')
        const db = `${scheme}://${user}:${password}@127.0.0.1:${server.port}/${database}`
        let error
        try {
          error = await open(db, options)
            .set('ada', session())
            .catch((reason) => reason)
        } catch (thrown) {
          error = thrown
        }
        if (error === undefined) return
        expect(error.code).toMatch(/^ERR_SESSION_(OPTIONS|CONNECTION)$/)
        expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch('s3cret')
      }
    )

    test('with localhost in place of the address', async () => {
      await expectWorking(open(server.url({ host: 'localhost', database: await fresh() }), options))
    })
  })

  describe('rights', () => {
    async function withUser(name) {
      const database = await fresh()
      await admin(createUser(name, 'secret'))
      return { database, url: server.url({ user: name, pass: 'secret', database }) }
    }

    test('to make tables are not needed where there is one', async () => {
      const { database, url } = await withUser('reader')
      const owner = open(server.url({ database }))
      await owner.set('ada', session({ user: 'ada' }))
      await run(
        server.url({ database }),
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ${quote('Sessions')} TO ${quote('reader')}`
      )
      const store = open(url)
      expect((await store.get('ada')).user).toBe('ada')
      await store.set('bob', session({ user: 'bob' }))
      await store.touch('bob', session())
      await store.set('dead', session({}, -HOUR))
      expect(await store.clearExpiredSessions()).toBe(1)
      expect((await store.ids()).sort()).toEqual(['ada', 'bob'])
      await store.destroy('bob')
      await store.sync()
      await store.clear()
      expect(store.stats().errors).toBe(0)
    })

    test('that lack are an error, until they come', async () => {
      const { database, url } = await withUser('beginner')
      const owner = open(server.url({ database }))
      // On MySQL who has no right in a database cannot even connect to it.
      const other = quote('Other')
      await run(server.url({ database }), `CREATE TABLE ${other} (a INT)`)
      await run(server.url({ database }), `GRANT SELECT ON ${other} TO ${quote('beginner')}`)
      const store = open(url, options)
      for (const call of [() => store.get('ada'), () => store.set('ada', session())]) {
        const error = await failure(call())
        expect(error.code).toMatch(/^ERR_SESSION_(TABLE|DATABASE)$/)
        expect(error.cause).toBeInstanceOf(Error)
      }
      await owner.set('ada', session({ user: 'ada' }))
      await run(
        server.url({ database }),
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ${quote('Sessions')} TO ${quote('beginner')}`
      )
      expect((await store.get('ada')).user).toBe('ada')
      await expectWorking(store)
    })

    test('to write that lack are an error of the writes alone, and no miss', async () => {
      const { database, url } = await withUser('looker')
      const owner = open(server.url({ database }))
      await owner.set('ada', session({ user: 'ada' }))
      await run(server.url({ database }), `GRANT SELECT ON ${quote('Sessions')} TO ${quote('looker')}`)
      const store = open(url)
      expect((await store.get('ada')).user).toBe('ada')
      const calls = [store.set('ada', session()), store.touch('ada', session()), store.destroy('ada')]
      for (const code of await codes(calls)) expect(code).toMatch(/^ERR_SESSION_(TABLE|DATABASE)$/)
      expect((await store.get('ada')).user).toBe('ada')
    })
  })

  test('no more connections are made than the pool may have', async () => {
    const database = await fresh()
    await admin(createUser('few', 'secret'))
    await admin(grant('few', database))
    const url = server.url({ user: 'few', pass: 'secret', database })
    for (const max of [1, 2, 3]) {
      const store = open(url, { pool: { max } })
      await Promise.all(
        Array.from({ length: 200 }, (_, i) => [
          store.set(`${i}`, session()),
          store.get(`${i + 1}`),
          i % 50 ? undefined : store.length(),
          i % 50 ? undefined : store.clearExpiredSessions()
        ]).flat()
      )
      expect((await connections(server.url(), 'few')).length).toBeLessThanOrEqual(max)
      expect(store.stats().pool.size).toBeLessThanOrEqual(max)
      await store.close()
      await until(async () => (await connections(server.url(), 'few')).length === 0)
    }
  })

  test('close leaves no connection on the server', async () => {
    const database = await fresh()
    await admin(createUser('closer', 'secret'))
    await admin(grant('closer', database))
    const store = open(server.url({ user: 'closer', pass: 'secret', database }))
    await Promise.all(Array.from({ length: 100 }, (_, i) => [store.set(`${i}`, session()), store.length()]).flat())
    expect((await connections(server.url(), 'closer')).length).toBeGreaterThan(0)
    await store.close()
    await until(async () => (await connections(server.url(), 'closer')).length === 0)
  })
}
