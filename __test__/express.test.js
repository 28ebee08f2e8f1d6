'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { RustSequelizeStore } = require('..')
const databases = require('./support/databases')
const { createApp, frameworks, listen } = require('./support/express/app')
const { Client } = require('./support/express/client')

const serverFile = path.join(__dirname, 'support/express/server.js')

/** Every framework on a file, and the newest Express on each server. */
const pairs = databases
  .filter(({ enabled, supports }) => enabled && supports.otherClient)
  .flatMap((database) => {
    const names = database.dialect === 'sqlite' ? Object.keys(frameworks) : ['express5']
    return names.map((framework) => ({ framework, name: database.name, database }))
  })

describe.each(pairs)('with $framework on $name', ({ framework, database }) => {
  const { precision } = database.supports
  /** Time after which a date is another one in the table as well. */
  const tick = () => sleep(20 + (precision > 1 ? precision : 0))
  let place
  let closers

  beforeEach(() => {
    place = database.place()
    closers = []
  })

  afterEach(async () => {
    for (const close of closers.reverse()) await close()
    await database.reset()
  })

  afterAll(() => database.end())

  /** Serves the application in this process. */
  async function start({ options, pause, ...sessionOptions } = {}) {
    const store = new RustSequelizeStore({ ...place, ...options })
    const app = createApp(framework, { store, ...sessionOptions }, pause)
    const { server, origin } = await listen(app)
    let closed
    const close = () => {
      closed ??= new Promise((resolve) => server.close(resolve)).then(() => store.close())
      server.closeAllConnections()
      return closed
    }
    closers.push(close)
    return { origin, store, close }
  }

  /** Serves the application in a process of its own. */
  async function startProcess() {
    const child = fork(serverFile, [framework, place.db])
    const exit = once(child, 'exit')
    closers.push(() => {
      child.kill('SIGKILL')
      return exit
    })
    const [{ origin }] = await Promise.race([
      once(child, 'message'),
      exit.then(([code]) => Promise.reject(new Error(`exited with ${code}`)))
    ])
    const kill = (signal) => {
      child.kill(signal)
      return exit
    }
    return { origin, kill }
  }

  function connectTo({ origin }) {
    const client = new Client(origin)
    closers.push(() => client.close())
    return client
  }

  /** A client that has logged in as Ada, and the id of its session. */
  async function logIn(server) {
    const client = connectTo(server)
    const { status, body } = await client.get('/login?user=Ada')
    expect(status).toBe(200)
    return { client, sid: body.sid }
  }

  /** A pause for the slow routes: `reached` resolves when a request is there, `end()` lets it go on. */
  function createPause() {
    const pauses = []
    const arrivals = []
    return {
      pause: () =>
        new Promise((resolve) => {
          pauses.push(resolve)
          arrivals.shift()?.()
        }),
      reached: () => new Promise((resolve) => arrivals.push(resolve)),
      end: () => pauses.shift()()
    }
  }

  // What another client than the store sees and does.
  const row = (sid) => database.row(place, sid)
  const countRows = () => database.count(place)
  const rename = (from, to) => database.renameTable(place, from, to)

  describe('a session', () => {
    test('begins with a login and is there for every later request', async () => {
      const server = await start()
      const client = connectTo(server)

      const before = await client.get('/state')
      expect(before.setCookies).toEqual([])
      expect(before.body.user).toBeUndefined()

      const login = await client.get('/login?user=Ada')
      expect(login.setCookies).toHaveLength(1)
      expect(JSON.parse((await row(login.body.sid)).data).user).toBe('Ada')

      for (let i = 1; i <= 3; i++) {
        const { status, body, setCookies } = await client.get('/count')
        expect(status).toBe(200)
        expect(body).toMatchObject({
          sid: login.body.sid,
          user: 'Ada',
          views: i
        })
        expect(setCookies).toEqual([])
      }
      expect(await countRows()).toBe(1)
    })

    test('ends with a logout', async () => {
      const server = await start()
      const { client, sid } = await logIn(server)

      expect((await client.get('/logout')).status).toBe(200)

      const { status, body } = await client.get('/state')
      expect(status).toBe(200)
      expect(body.user).toBeUndefined()
      expect(body.sid).not.toBe(sid)
      expect(await countRows()).toBe(0)
    })

    test('that is regenerated has a new id, and the old one is worthless', async () => {
      const server = await start()
      const { client, sid } = await logIn(server)
      const thief = client.copy()
      closers.push(() => thief.close())

      const { body } = await client.get('/login?user=Grace')

      expect(body.sid).not.toBe(sid)
      expect((await client.get('/state')).body.user).toBe('Grace')
      expect((await thief.get('/state')).body.user).toBeUndefined()
      expect(await row(sid)).toBeNull()
    })

    test('that is reloaded is as it was stored', async () => {
      const server = await start()
      const { client, sid } = await logIn(server)

      const { body } = await client.get('/reload?user=Eve')

      expect(body).toMatchObject({ sid, user: 'Ada' })
      expect((await client.get('/state')).body.user).toBe('Ada')
    })

    test('that was destroyed cannot be reloaded', async () => {
      const server = await start()
      const { client, sid } = await logIn(server)

      const { status, body } = await client.get('/reload-destroyed')

      expect(status).toBe(200)
      expect(body.failed).toBe(true)
      expect(await row(sid)).toBeNull()
    })

    test('that is saved by hand is stored when the callback comes', async () => {
      const server = await start()
      const { client } = await logIn(server)

      const { body } = await client.get('/save?colour=red')

      expect(body.stored).toMatchObject({ user: 'Ada', colour: 'red' })
    })

    test('is stored without a change of its contents if it is uninitialized and has to be', async () => {
      const server = await start({ saveUninitialized: true })

      const { body } = await connectTo(server).get('/state')

      expect(await row(body.sid)).not.toBeNull()
    })

    test('with text of every kind comes back as it was', async () => {
      const server = await start()
      const { client } = await logIn(server)
      const text = 'a\'"`\\%_;\u0001\n\u2028é漢\u{1f600}'

      await client.get(`/write?text=${encodeURIComponent(text)}`)

      expect((await client.get('/state')).body.text).toBe(text)
    })
  })

  describe('express-session’s options', () => {
    test('rolling: the cookie and the row live on with every request', async () => {
      const server = await start({ rolling: true, cookie: { maxAge: 60_000 } })
      const { client, sid } = await logIn(server)
      const before = await row(sid)
      await tick()

      const { setCookies } = await client.get('/state')

      expect(setCookies).toHaveLength(1)
      expect(setCookies[0]).toContain('Expires=')
      const after = await row(sid)
      expect(after.expires > before.expires).toBe(true)
      expect(after.data).toBe(before.data)
    })

    test('not rolling: only the row lives on', async () => {
      const server = await start({ cookie: { maxAge: 60_000 } })
      const { client, sid } = await logIn(server)
      const before = await row(sid)
      await tick()

      const { setCookies } = await client.get('/state')

      expect(setCookies).toEqual([])
      expect((await row(sid)).expires > before.expires).toBe(true)
    })

    test.each([
      [true, { sets: 1, touches: 0 }],
      [false, { sets: 0, touches: 1 }]
    ])('resave: %s', async (resave, expected) => {
      const server = await start({ resave })
      const { client } = await logIn(server)
      const before = server.store.stats()

      await client.get('/state')

      const after = server.store.stats()
      expect({
        sets: after.sets - before.sets,
        touches: after.touches - before.touches
      }).toEqual(expected)
    })

    test("unset: 'destroy' destroys an unset session", async () => {
      const server = await start({ unset: 'destroy' })
      const { client, sid } = await logIn(server)

      expect((await client.get('/unset')).status).toBe(200)

      expect(await row(sid)).toBeNull()
      expect((await client.get('/state')).body.user).toBeUndefined()
    })

    test("unset: 'destroy' and a session destroyed by hand", async () => {
      const server = await start({ unset: 'destroy' })
      const { client, sid } = await logIn(server)

      expect((await client.get('/logout')).status).toBe(200)

      expect(await row(sid)).toBeNull()
    })

    test("unset: 'keep' keeps it", async () => {
      const server = await start({ unset: 'keep' })
      const { client } = await logIn(server)

      await client.get('/unset')

      expect((await client.get('/state')).body.user).toBe('Ada')
    })

    test('maxAge: null, a number, and null again', async () => {
      const expiration = 600_000
      const server = await start({
        cookie: { maxAge: null },
        options: { expiration }
      })
      const { client, sid } = await logIn(server)
      const lifetime = async () => (await row(sid)).expires - Date.now()

      expect((await client.get('/state')).setCookies).toEqual([])
      expect(await lifetime()).toBeGreaterThan(expiration - 10_000)
      expect(await lifetime()).toBeLessThanOrEqual(expiration)

      await client.get('/max-age?maxAge=60000')
      expect(await lifetime()).toBeGreaterThan(50_000)
      expect(await lifetime()).toBeLessThanOrEqual(60_000)

      await client.get('/max-age?maxAge=null')
      expect(await lifetime()).toBeGreaterThan(expiration - 10_000)
      expect((await client.get('/state')).body).toMatchObject({
        sid,
        user: 'Ada',
        cookie: { originalMaxAge: null, expires: null }
      })
    })
  })

  describe('of the store’s options', () => {
    test.each([
      ['touchAfter', 60_000],
      ['disableTouch', true]
    ])('%s: %p leaves the row as it is', async (name, value) => {
      const server = await start({ cookie: { maxAge: 600_000 }, options: { [name]: value } })
      const { client, sid } = await logIn(server)
      const before = await row(sid)
      const { touches, touchesSkipped } = server.store.stats()
      await tick()

      expect((await client.get('/state')).body.user).toBe('Ada')

      expect(await row(sid)).toEqual(before)
      expect(server.store.stats()).toMatchObject({ touches: touches + 1, touchesSkipped: touchesSkipped + 1 })
    })

    test('touchAfter moves the expiry once it is worth it', async () => {
      const server = await start({ cookie: { maxAge: 600_000 }, options: { touchAfter: 10 } })
      const { client, sid } = await logIn(server)
      const before = await row(sid)
      await tick()

      await client.get('/state')

      expect((await row(sid)).expires > before.expires).toBe(true)
    })

    test('extendDefaultFields writes columns of the application', async () => {
      await database.createTable(place, { user: 'string' })
      const extendDefaultFields = (defaults, { user }) => ({ ...defaults, user })
      const server = await start({ options: { extendDefaultFields } })
      const { client, sid } = await logIn(server)

      expect((await row(sid)).user).toBe('Ada')
      await client.get('/write?user=Grace')
      expect((await row(sid)).user).toBe('Grace')
    })
  })

  describe('an expired session', () => {
    const past = new Date('2020-01-02T03:04:05Z')
    const expire = (sid) => database.updateRow(place, sid, { expires: past })

    test('is a new session and is not revived', async () => {
      const server = await start()
      const { client, sid } = await logIn(server)
      await expire(sid)

      const { status, body } = await client.get('/count')

      expect(status).toBe(200)
      expect(body.user).toBeUndefined()
      expect(body.views).toBe(1)
      expect(body.sid).not.toBe(sid)
      expect((await row(sid)).expires).toEqual(past)
    })

    test('is not revived by a request that has loaded it before', async () => {
      const { pause, reached, end } = createPause()
      const server = await start({ pause })
      const { client, sid } = await logIn(server)

      const slow = client.get('/slow-read')
      await reached()
      await expire(sid)
      end()

      expect((await slow).status).toBe(200)
      expect((await row(sid)).expires).toEqual(past)
      expect((await client.get('/state')).body.user).toBeUndefined()
    })

    test('expires by the clock', async () => {
      const server = await start({ cookie: { maxAge: 100 } })
      const { client, sid } = await logIn(server)
      const thief = client.copy()
      closers.push(() => thief.close())
      await sleep(110)

      const { body } = await thief.get('/state')

      expect(body.user).toBeUndefined()
      expect(body.sid).not.toBe(sid)
    })
  })

  describe('requests at once', () => {
    test('on one session', async () => {
      const { pause, reached, end } = createPause()
      const server = await start({ pause })
      const { client, sid } = await logIn(server)

      const first = client.get('/slow-write?first=1')
      await reached()
      const second = client.get('/slow-write?second=2')
      await reached()
      end()
      const one = await first
      end()
      const two = await second

      for (const { status, setCookies, body } of [one, two]) {
        expect(status).toBe(200)
        expect(setCookies).toEqual([])
        expect(body).toMatchObject({ sid, user: 'Ada' })
      }
      // Both had loaded the session before either wrote, and a session is written whole.
      const { body } = await client.get('/state')
      expect(body).toMatchObject({ sid, user: 'Ada', second: '2' })
      expect(body.first).toBeUndefined()
      expect(await countRows()).toBe(1)
    })

    test('of 64 clients, each with its own session', async () => {
      const requests = 8
      const server = await start()
      const clients = Array.from({ length: 64 }, () => connectTo(server))

      const last = await Promise.all(
        clients.map(async (client, i) => {
          await client.get(`/login?user=${i}`)
          for (let n = 1; n < requests; n++) await client.get('/count')
          return (await client.get('/count')).body
        })
      )

      expect(last.map(({ user }) => user)).toEqual(clients.map((_, i) => String(i)))
      expect(last.map(({ views }) => views)).toEqual(clients.map(() => requests))
      expect(new Set(last.map(({ sid }) => sid)).size).toBe(clients.length)
      expect(await countRows()).toBe(clients.length)
    })
  })

  describe('a session stays logged out although a slow request', () => {
    test.each([
      ['writes to it', '/slow-write?late=1', {}],
      ['saves it by hand', '/slow-save?late=1', {}],
      ['has read it', '/slow-read', {}],
      ['has read it, with resave', '/slow-read', { resave: true }],
      ['has read it, with rolling', '/slow-read', { rolling: true }]
    ])('%s', async (_, slowPath, sessionOptions) => {
      const { pause, reached, end } = createPause()
      const server = await start({ pause, ...sessionOptions })
      const { client, sid } = await logIn(server)
      const other = client.copy()
      closers.push(() => other.close())

      const slow = other.get(slowPath)
      await reached()
      await client.get('/logout')
      end()

      expect(await slow).toMatchObject({ status: 200, body: { sid } })
      expect(await row(sid)).toBeNull()
      expect((await other.get('/state')).body.user).toBeUndefined()
    })

    test('writes to it after its id was exchanged', async () => {
      const { pause, reached, end } = createPause()
      const server = await start({ pause })
      const { client, sid } = await logIn(server)
      const other = client.copy()
      closers.push(() => other.close())

      const slow = other.get('/slow-write?late=1')
      await reached()
      const { body } = await client.get('/login?user=Grace')
      end()

      expect((await slow).status).toBe(200)
      expect(await row(sid)).toBeNull()
      expect((await client.get('/state')).body).toMatchObject({
        sid: body.sid,
        user: 'Grace'
      })
      expect(server.store.stats().gone).toBe(1)
    })

    test('of another server writes to it', async () => {
      const { pause, reached, end } = createPause()
      const [server, slowServer] = [await start(), await start({ pause })]
      const { client, sid } = await logIn(server)
      const other = client.copy()
      other.origin = slowServer.origin
      closers.push(() => other.close())

      const slow = other.get('/slow-write?late=1')
      await reached()
      await client.get('/logout')
      end()

      expect((await slow).status).toBe(200)
      expect(await row(sid)).toBeNull()
      expect(slowServer.store.stats().gone).toBe(1)
    })
  })

  describe('an outage of the database is an error and not the end of a session:', () => {
    test('a table that is gone', async () => {
      const server = await start()
      const { client, sid } = await logIn(server)
      await rename('Sessions', 'Hidden')

      const { status, body, setCookies } = await client.get('/state')
      expect(status).toBe(500)
      expect(body.code).toMatch(/^ERR_SESSION_/)
      expect(setCookies).toEqual([])
      expect((await client.get('/count')).status).toBe(500)
      expect((await connectTo(server).get('/login?user=Eve')).status).toBe(500)
      // Whoever has no session does not need the table.
      expect((await connectTo(server).get('/state')).status).toBe(200)

      await rename('Hidden', 'Sessions')
      expect((await client.get('/state')).body).toMatchObject({
        sid,
        user: 'Ada'
      })
    })

    test('a table that is gone between loading and saving', async () => {
      const { pause, reached, end } = createPause()
      const server = await start({ pause })
      const { client, sid } = await logIn(server)

      const slow = client.get('/slow-save?late=1')
      await reached()
      await rename('Sessions', 'Hidden')
      end()

      const { status, body } = await slow
      expect(status).toBe(500)
      expect(body.code).toMatch(/^ERR_SESSION_/)
      await rename('Hidden', 'Sessions')
      // The failed touch at the end of the response makes the server drop its connection; do not race with that.
      client.close()
      expect((await client.get('/state')).body).toMatchObject({
        sid,
        user: 'Ada'
      })
    })

    test('a table that is dropped and made again', async () => {
      const server = await start()
      const { client } = await logIn(server)
      await database.dropTable(place)

      expect((await client.get('/state')).status).toBe(500)

      await server.store.sync()
      expect((await client.get('/state')).body.user).toBeUndefined()
      await client.get('/login?user=Grace')
      expect((await client.get('/state')).body.user).toBe('Grace')
    })

    const onFile = database.dialect === 'sqlite' ? test : test.skip

    onFile.each([
      ['a folder', (name) => fs.mkdirSync(name)],
      ['no database', (name) => fs.writeFileSync(name, 'rubbish'.repeat(1000))]
    ])('a file that is %s', async (_, replace) => {
      const first = await start()
      const { client, sid } = await logIn(first)
      await first.close()
      const file = database.file(place)
      const kept = `${file}.kept`
      fs.renameSync(file, kept)
      replace(file)

      const server = await start()
      client.origin = server.origin
      for (let i = 0; i < 2; i++) {
        const { status, body, setCookies } = await client.get('/state')
        expect(status).toBe(500)
        expect(body.code).toMatch(/^ERR_SESSION_/)
        expect(setCookies).toEqual([])
      }

      fs.rmSync(file, { recursive: true })
      fs.renameSync(kept, file)
      expect((await client.get('/state')).body).toMatchObject({
        sid,
        user: 'Ada'
      })
    })

    test('a closed store', async () => {
      const server = await start()
      const { client } = await logIn(server)
      await server.store.close()

      const { status, body } = await client.get('/state')

      expect(status).toBe(500)
      expect(body.code).toBe('ERR_SESSION_CLOSED')
    })
  })

  test.each([
    ['no cookie', '{"user":"Ada"}'],
    ['null for a cookie', '{"cookie":null,"user":"Ada"}'],
    ['a number for a cookie', '{"cookie":5,"user":"Ada"}'],
    ['a string for a cookie', '{"cookie":"a","user":"Ada"}'],
    ['no object', '[1]'],
    ['null', 'null'],
    ['no JSON', '{"cookie":{},"user":"Ad'],
    ['nothing', ''],
    ['NULL', null]
  ])('a row with %s is no session, no error, and is left alone', async (_, data) => {
    const server = await start()
    const { client, sid } = await logIn(server)
    await database.updateRow(place, sid, { data })

    const { status, body } = await client.get('/count')

    expect(status).toBe(200)
    expect(body.user).toBeUndefined()
    expect(body.sid).not.toBe(sid)
    expect((await row(sid)).data).toBe(data)
    expect(server.store.stats().unreadable).toBe(1)
  })

  describe('a session survives', () => {
    test('an orderly end of the process, which ends by itself', async () => {
      const first = await startProcess()
      const { client, sid } = await logIn(first)
      await client.get('/count')

      expect(await first.kill('SIGTERM')).toEqual([0, null])
      const second = await startProcess()
      client.origin = second.origin

      const { body, setCookies } = await client.get('/count')
      expect(body).toMatchObject({ sid, user: 'Ada', views: 2 })
      expect(setCookies).toEqual([])
      await second.kill('SIGTERM')
    })

    test('a kill in the midst of work, with all that was acknowledged', async () => {
      const first = await startProcess()
      const logins = await Promise.all(Array.from({ length: 8 }, () => logIn(first)))
      const acknowledged = logins.map(() => 0)
      let enough
      const reached = new Promise((resolve) => {
        enough = resolve
      })
      let killed = false
      const work = logins.map(async ({ client }, i) => {
        try {
          while (true) {
            acknowledged[i] = (await client.get('/count')).body.views
            if (acknowledged[i] >= 25) enough()
          }
        } catch (error) {
          if (!killed) throw error
        }
      })

      await Promise.race([reached, Promise.all(work)])
      killed = true
      await first.kill('SIGKILL')
      await Promise.all(work)
      const second = await startProcess()

      for (const [i, { client, sid }] of logins.entries()) {
        client.origin = second.origin
        const { body } = await client.get('/state')
        expect(body).toMatchObject({ sid, user: 'Ada' })
        // The answer to one more write may have been cut off.
        const views = body.views ?? 0
        expect(views - acknowledged[i]).toBeGreaterThanOrEqual(0)
        expect(views - acknowledged[i]).toBeLessThanOrEqual(1)
      }
      await second.kill('SIGTERM')
    })
  })
})
