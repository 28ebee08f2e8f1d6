'use strict'

const http = require('node:http')
const { once } = require('node:events')
const session = require('express-session')
const databases = require('../support/databases')
const { withClock } = require('../support/clock')
const { Client } = require('../support/express/client')
const { HOUR, MINUTE, apart } = require('../support/time')

// What express-session expects of a store, seen by a visitor: each rule with a handler of its own.

describe.each(databases.filter(({ enabled }) => enabled))('on $name', (database) => {
  const setClock = withClock()
  const closers = []

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close()
    await database.reset()
  })
  afterAll(() => database.end())

  /**
   * Serves with express-session. `handle(req, url)` gives what is answered, or a promise of it. An error of the session after the answer
   * ends up in `errors`.
   */
  async function serve(handle, options = {}, store = database.open({ checkExpirationInterval: 0 })) {
    const errors = []
    const middleware = session({
      store,
      secret: 'a secret of the tests',
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: HOUR },
      ...options
    })
    const server = http.createServer((req, res) => {
      middleware(req, res, async (failure) => {
        if (res.headersSent) return errors.push(failure)
        let body = { failed: failure?.message }
        try {
          if (!failure) body = (await handle(req, new URL(req.url, 'http://localhost'))) ?? null
        } catch (error) {
          body = { failed: error.message }
        }
        res.end(JSON.stringify(body))
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closers.push(() => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    })
    const visitor = () => {
      const client = new Client(`http://127.0.0.1:${server.address().port}`)
      closers.push(() => client.close())
      return client
    }
    return { store, visitor, errors }
  }

  /** A method of the session that takes a callback. */
  const done = (object, method) =>
    new Promise((resolve, reject) => object[method]((error) => (error ? reject(error) : resolve())))

  const count = (req) => {
    req.session.n = (req.session.n ?? 0) + 1
    return { n: req.session.n, sid: req.sessionID }
  }

  const near = (date, ms) => expect(apart(new Date(date), Date.now() + ms)).toBeLessThan(MINUTE)

  describe('ids', () => {
    test.each(['%', '/a?b=c', 'ä 日 😀', `o'b"r\`\\`, 'x'.repeat(36)])('genid may give %j', async (sid) => {
      const { visitor } = await serve(count, { genid: () => sid })
      const client = visitor()
      expect((await client.get('/')).body).toEqual({ n: 1, sid })
      expect((await client.get('/')).body).toEqual({ n: 2, sid })
    })

    test('genid may give an id again after a logout', async () => {
      const { store, visitor } = await serve(
        (req, { pathname }) => (pathname === '/out' ? done(req.session, 'destroy') : count(req)),
        { genid: () => 'apple' }
      )
      for (let round = 0; round < 3; round++) {
        const client = visitor()
        expect((await client.get('/')).body.n).toBe(1)
        expect((await client.get('/')).body.n).toBe(2)
        expect((await client.get('/out')).body).toBeNull()
        expect(await store.get('apple')).toBeNull()
      }
      expect(store.stats().gone).toBe(0)
    })

    test('a session that nobody has stored gets another id', async () => {
      const { visitor } = await serve(count)
      const [one, other] = [visitor(), visitor()]
      const { sid } = (await one.get('/')).body
      expect((await other.get('/')).body.sid).not.toBe(sid)
    })

    test('two applications with cookies of their own share one store', async () => {
      const first = await serve(count, { name: 'first' })
      const second = await serve(count, { name: 'second' }, first.store)
      const clients = [first.visitor(), second.visitor()]
      for (let n = 1; n <= 3; n++) for (const client of clients) expect((await client.get('/')).body.n).toBe(n)
      expect(await first.store.length()).toBe(2)
    })
  })

  describe('what is saved, and when', () => {
    /** The numbers of `set` and `touch` that a request makes. */
    async function calls(store, request) {
      const before = store.stats()
      const response = await request()
      const after = store.stats()
      return { ...response, sets: after.sets - before.sets, touches: after.touches - before.touches }
    }

    test.each([
      [false, false, 0, 0],
      [false, true, 0, 0],
      [true, false, 1, 1],
      [true, true, 1, 1]
    ])(
      'an untouched new session, saveUninitialized %p, rolling %p',
      async (saveUninitialized, rolling, sets, cookies) => {
        const { store, visitor } = await serve(() => null, { saveUninitialized, rolling })
        const first = await calls(store, () => visitor().get('/'))
        expect({ sets: first.sets, touches: first.touches, cookies: first.setCookies.length }).toEqual({
          sets,
          touches: 0,
          cookies
        })
        expect(await store.length()).toBe(sets)
      }
    )

    test.each([
      [false, false, { sets: 0, touches: 1, cookies: 0 }],
      [false, true, { sets: 0, touches: 1, cookies: 1 }],
      [true, false, { sets: 1, touches: 0, cookies: 0 }],
      [true, true, { sets: 1, touches: 0, cookies: 1 }]
    ])('an unchanged session, resave %p, rolling %p', async (resave, rolling, expected) => {
      const { store, visitor } = await serve(
        (req) => {
          const { user } = req.session
          req.session.user = 'ada'
          return user
        },
        { resave, rolling }
      )
      const client = visitor()
      await client.get('/')
      const { body, sets, touches, setCookies } = await calls(store, () => client.get('/'))
      expect(body).toBe('ada')
      expect({ sets, touches, cookies: setCookies.length }).toEqual(expected)
    })

    test('a change deep inside is a change, whatever its name', async () => {
      const { store, visitor } = await serve((req) => {
        req.session.user ??= { cookie: 0 }
        req.session.user.cookie++
        return req.session.user
      })
      const client = visitor()
      for (let n = 1; n <= 3; n++) {
        const { body, sets } = await calls(store, () => client.get('/'))
        expect({ body, sets }).toEqual({ body: { cookie: n }, sets: 1 })
      }
    })

    test.each([false, true])('what a handler saves is not saved again at the end, reloaded %p', async (reloads) => {
      const { store, visitor } = await serve(async (req) => {
        req.session.hit = (req.session.hit ?? 0) + 1
        if (reloads && req.session.hit > 1) await done(req.session, 'reload')
        req.session.saved = true
        await done(req.session, 'save')
        return (await store.get(req.sessionID)).saved
      })
      const client = visitor()
      for (let round = 0; round < 3; round++) {
        const { body, sets } = await calls(store, () => client.get('/'))
        expect({ body, sets }).toEqual({ body: true, sets: 1 })
      }
    })

    test('what was destroyed is not saved at the end, and gets no cookie', async () => {
      const { store, visitor } = await serve(async (req, { pathname }) => {
        count(req)
        if (pathname === '/out') await done(req.session, 'destroy')
        return typeof req.session
      })
      const client = visitor()
      await client.get('/')
      const { body, sets, setCookies } = await calls(store, () => client.get('/out'))
      expect({ body, sets, setCookies }).toEqual({ body: 'undefined', sets: 0, setCookies: [] })
      expect(await store.length()).toBe(0)
    })

    test.each([
      ['keep', 1],
      ['destroy', 0]
    ])('unset: %p', async (unset, left) => {
      const { store, visitor, errors } = await serve(
        (req) => {
          const { n } = count(req)
          if (n === 2) req.session = null
          return n
        },
        { unset }
      )
      const client = visitor()
      await client.get('/')
      await client.get('/')
      expect(await store.length()).toBe(left)
      expect((await client.get('/')).body).toBe(left === 1 ? 2 : 1)
      expect(errors).toEqual([])
    })

    test('a first request that drops its session leaves nothing', async () => {
      const { store, visitor, errors } = await serve(
        (req) => {
          req.session = null
        },
        { unset: 'destroy', saveUninitialized: true }
      )
      expect((await visitor().get('/')).setCookies).toEqual([])
      expect(await store.length()).toBe(0)
      expect(errors).toEqual([])
    })

    test('requests at once on one session all find it, and what is saved last stays', async () => {
      const { store, visitor } = await serve(async (req, { searchParams }) => {
        const { user } = req.session
        req.session.user ??= 'ada'
        req.session.last = searchParams.get('last')
        await done(req.session, 'save')
        return user
      })
      const client = visitor()
      await client.get('/?last=first')
      const numbers = Array.from({ length: 40 }, (_, i) => i)
      const answers = await Promise.all(numbers.map((i) => client.get(`/?last=${i}`)))
      expect(answers.map(({ body }) => body)).toEqual(numbers.map(() => 'ada'))
      await client.get('/?last=end')
      expect(Object.values(await store.all()).map(({ last }) => last)).toEqual(['end'])
    })
  })

  describe('regenerate and reload', () => {
    test('regenerate ends the old session, and what is set afterwards is in the new one', async () => {
      const { store, visitor } = await serve(async (req, { pathname }) => {
        if (pathname === '/new') {
          await done(req.session, 'regenerate')
          req.session.fresh = true
        }
        return { ...count(req), fresh: req.session.fresh }
      })
      const client = visitor()
      const { sid } = (await client.get('/')).body
      const thief = client.copy()
      closers.push(() => thief.close())
      const { body, setCookies } = await client.get('/new')
      expect(body).toMatchObject({ n: 1, fresh: true })
      expect(body.sid).not.toBe(sid)
      expect(setCookies).toHaveLength(1)
      expect((await client.get('/')).body).toEqual({ n: 2, sid: body.sid, fresh: true })
      expect(await store.ids()).toEqual([body.sid])
      expect((await thief.get('/')).body.sid).not.toBe(sid)
    })

    test('reload sees what another request has saved, and forgets what this one has changed', async () => {
      let other
      const { visitor } = await serve(async (req, { pathname }) => {
        req.session.url = pathname
        req.session.seen ??= []
        req.session.seen.push(pathname)
        if (pathname === '/outer') {
          await other.get('/inner')
          await done(req.session, 'reload')
        }
        return { url: req.session.url, seen: req.session.seen }
      })
      const client = visitor()
      await client.get('/first')
      other = client.copy()
      closers.push(() => other.close())
      expect((await client.get('/outer')).body).toEqual({ url: '/inner', seen: ['/first', '/inner'] })
    })

    test('reload of a session that is gone fails, however often', async () => {
      const { store, visitor } = await serve(async (req, { pathname }) => {
        if (pathname === '/') return count(req)
        await store.clear()
        const failures = []
        for (let i = 0; i < 20; i++) await done(req.session, 'reload').catch(({ message }) => failures.push(message))
        return failures
      })
      const client = visitor()
      await client.get('/')
      expect((await client.get('/reload')).body).toEqual(Array(20).fill('failed to load session'))
      expect(await store.length()).toBe(0)
    })
  })

  describe('lifetimes', () => {
    const user = (req) => ({ user: req.session.user, ...req.session.cookie.toJSON() })
    const login = (handle) => async (req, url) => {
      if (url.pathname === '/login') req.session.user = 'ada'
      else await handle?.(req, url)
      return user(req)
    }

    test.each([
      [false, false],
      [false, true],
      [true, false],
      [true, true]
    ])('a visitor stays as long as each pause is short: resave %p, rolling %p', async (resave, rolling) => {
      const { store, visitor } = await serve(login(), { resave, rolling })
      const client = visitor()
      await client.get('/login')
      for (let half = 1; half <= 5; half++) {
        setClock((half * HOUR) / 2)
        expect((await client.get('/')).body).toMatchObject({ user: 'ada', originalMaxAge: HOUR })
      }
      setClock(2.5 * HOUR + HOUR + MINUTE)
      expect(await store.length()).toBe(0)
      expect((await client.get('/')).body.user).toBeUndefined()
    })

    test.each([
      ['saves it by hand', (req) => Object.assign(req.session, { flash: 'saved' }) && done(req.session, 'save')],
      ['changes it', (req) => Object.assign(req.session, { flash: 'saved' })],
      [
        'reloads, changes and saves it',
        async (req) => {
          await done(req.session, 'reload')
          req.session.flash = 'saved'
          await done(req.session, 'save')
        }
      ]
    ])('a session that lives by touches is not lost when a handler %s', async (_how, change) => {
      const { store, visitor } = await serve(login((req, { pathname }) => pathname === '/change' && change(req)))
      const client = visitor()
      await client.get('/login')
      for (let half = 1; half <= 3; half++) {
        setClock((half * HOUR) / 2)
        await client.get('/')
      }
      setClock(2 * HOUR)
      expect((await client.get('/change')).body.user).toBe('ada')
      expect((await client.get('/')).body.user).toBe('ada')
      const [found] = Object.values(await store.all())
      expect(found).toMatchObject({ user: 'ada', flash: 'saved', cookie: { originalMaxAge: HOUR } })
      near(found.cookie.expires, HOUR)
    })

    test('touch and resetMaxAge move the expiry that is stored', async () => {
      const { store, visitor } = await serve(
        login((req, { pathname }) => {
          if (pathname === '/touch') req.session.touch()
          if (pathname === '/reset') req.session.resetMaxAge()
        })
      )
      const client = visitor()
      await client.get('/login')
      for (const [i, path] of ['/touch', '/reset'].entries()) {
        setClock((i + 1) * 10 * MINUTE)
        await client.get(path)
        const [{ cookie }] = Object.values(await store.all())
        expect(apart(new Date(cookie.expires), Date.now() + HOUR)).toBeLessThan(1000)
      }
    })

    test.each([
      ['longer', 5 * HOUR],
      ['longer than a timer can run', 3_000_000_000],
      ['shorter', 10 * MINUTE]
    ])('cookie.maxAge may become %s', async (_what, maxAge) => {
      const { store, visitor } = await serve(
        login((req, { pathname }) => {
          if (pathname !== '/change') return
          req.session.cookie.maxAge = maxAge
          // express-session takes a change of the cookie alone for none, and only touches.
          req.session.changed = true
        })
      )
      const client = visitor()
      await client.get('/login')
      expect((await client.get('/change')).body.originalMaxAge).toBe(maxAge)
      near(Object.values(await store.all())[0].cookie.expires, maxAge)
      setClock(maxAge - MINUTE)
      expect((await client.get('/')).body.user).toBe('ada')
      setClock(2 * maxAge)
      expect((await client.get('/')).body.user).toBeUndefined()
    })

    test('cookie.expires may become a date, the past, and null', async () => {
      const values = { '/date': new Date(Date.now() + 5 * HOUR), '/null': null, '/past': new Date(0) }
      const { store, visitor } = await serve(
        login((req, { pathname }) => {
          if (!(pathname in values)) return
          req.session.cookie.expires = values[pathname]
          req.session.changed = pathname
        })
      )
      const client = visitor()
      await client.get('/login')
      await client.get('/date')
      near(Object.values(await store.all())[0].cookie.expires, 5 * HOUR)
      await client.get('/null')
      const [found] = Object.values(await store.all())
      expect(found).toMatchObject({ user: 'ada', cookie: { expires: null } })
      expect((await client.get('/')).setCookies).toEqual([])
      await client.get('/past')
      expect(await store.all()).toEqual({})
      expect((await client.get('/')).body.user).toBeUndefined()
    })

    test('a cookie that ends with the browser is sent once, and its session lives by `expiration`', async () => {
      const { store, visitor } = await serve(
        login(),
        { cookie: {} },
        database.open({ checkExpirationInterval: 0, expiration: HOUR })
      )
      const client = visitor()
      const { setCookies } = await client.get('/login')
      expect(setCookies).toHaveLength(1)
      expect(setCookies[0]).not.toMatch(/expires/i)
      for (let half = 1; half <= 3; half++) {
        setClock((half * HOUR) / 2)
        expect((await client.get('/')).setCookies).toEqual([])
      }
      expect(await store.length()).toBe(1)
      setClock(1.5 * HOUR + HOUR + MINUTE)
      expect((await client.get('/')).body.user).toBeUndefined()
    })
  })

  describe('events', () => {
    test('while the store is said to be away there are no sessions, and afterwards there are', async () => {
      const { store, visitor } = await serve((req) => (req.session ? count(req) : typeof req.session))
      const client = visitor()
      expect((await client.get('/')).body.n).toBe(1)
      store.emit('disconnect')
      expect((await client.get('/')).body).toBe('undefined')
      store.emit('connect')
      expect((await client.get('/')).body.n).toBe(2)
    })
  })
})
