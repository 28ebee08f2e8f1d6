'use strict'

const { setTimeout: sleep } = require('node:timers/promises')
const { onEachPair } = require('./setup')

onEachPair(({ connectTo, countRows, createPause, database, logIn, onClose, place, row, start }) => {
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

    test('that is regenerated has a new id, and the old one is no longer valid', async () => {
      const server = await start()
      const { client, sid } = await logIn(server)
      const thief = client.copy()
      onClose(() => thief.close())

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

    test('that is saved explicitly is stored when the callback is called', async () => {
      const server = await start()
      const { client } = await logIn(server)

      const { body } = await client.get('/save?color=red')

      expect(body.stored).toMatchObject({ user: 'Ada', color: 'red' })
    })

    test('is stored unchanged if it is uninitialized and `saveUninitialized` is set', async () => {
      const server = await start({ saveUninitialized: true })

      const { body } = await connectTo(server).get('/state')

      expect(await row(body.sid)).not.toBeNull()
    })

    test('with any text comes back unchanged', async () => {
      const server = await start()
      const { client } = await logIn(server)
      const text = 'a\'"`\\%_;\u0001\n\u2028é漢\u{1f600}'

      await client.get(`/write?text=${encodeURIComponent(text)}`)

      expect((await client.get('/state')).body.text).toBe(text)
    })
  })

  describe('an expired session', () => {
    const past = new Date('2020-01-02T03:04:05Z')
    const expire = (sid) => database.updateRow(place(), sid, { expires: past })

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
      onClose(() => thief.close())
      await sleep(110)

      const { body } = await thief.get('/state')

      expect(body.user).toBeUndefined()
      expect(body.sid).not.toBe(sid)
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
  ])('a row with %s is neither a session nor an error, and stays', async (_, data) => {
    const server = await start()
    const { client, sid } = await logIn(server)
    await database.updateRow(place(), sid, { data })

    const { status, body } = await client.get('/count')

    expect(status).toBe(200)
    expect(body.user).toBeUndefined()
    expect(body.sid).not.toBe(sid)
    expect((await row(sid)).data).toBe(data)
    expect(server.store.stats().unreadable).toBe(1)
  })
})
