'use strict'

const { onEachPair } = require('./setup')
const { HOUR, MINUTE } = require('../support/time')

onEachPair(({ database, logIn, place, row, start, tick }) => {
  describe('express-session’s options', () => {
    test('rolling: every request extends the cookie and the row', async () => {
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

    test('not rolling: only the row is extended', async () => {
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
      expect(await lifetime()).toBeGreaterThan(expiration - MINUTE)
      expect(await lifetime()).toBeLessThanOrEqual(expiration)

      await client.get('/max-age?maxAge=3600000')
      expect(await lifetime()).toBeGreaterThan(HOUR - MINUTE)
      expect(await lifetime()).toBeLessThanOrEqual(HOUR)

      await client.get('/max-age?maxAge=null')
      expect(await lifetime()).toBeGreaterThan(expiration - MINUTE)
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

    test('touchAfter moves the expiry once the gain is large enough', async () => {
      const server = await start({ cookie: { maxAge: 600_000 }, options: { touchAfter: 10 } })
      const { client, sid } = await logIn(server)
      const before = await row(sid)
      await tick()

      await client.get('/state')

      expect((await row(sid)).expires > before.expires).toBe(true)
    })

    test('extendDefaultFields writes columns of the application', async () => {
      await database.createTable(place(), { user: 'string' })
      const extendDefaultFields = (defaults, { user }) => ({ ...defaults, user })
      const server = await start({ options: { extendDefaultFields } })
      const { client, sid } = await logIn(server)

      expect((await row(sid)).user).toBe('Ada')
      await client.get('/write?user=Grace')
      expect((await row(sid)).user).toBe('Grace')
    })
  })
})
