'use strict'

const { onEachPair } = require('./setup')

onEachPair(({ connectTo, countRows, createPause, logIn, onClose, row, start }) => {
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
      onClose(() => other.close())

      const slow = other.get(slowPath)
      await reached()
      await client.get('/logout')
      end()

      expect(await slow).toMatchObject({ status: 200, body: { sid } })
      expect(await row(sid)).toBeNull()
      expect((await other.get('/state')).body.user).toBeUndefined()
    })

    test('writes to it after its id was regenerated', async () => {
      const { pause, reached, end } = createPause()
      const server = await start({ pause })
      const { client, sid } = await logIn(server)
      const other = client.copy()
      onClose(() => other.close())

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
      onClose(() => other.close())

      const slow = other.get('/slow-write?late=1')
      await reached()
      await client.get('/logout')
      end()

      expect((await slow).status).toBe(200)
      expect(await row(sid)).toBeNull()
      expect(slowServer.store.stats().gone).toBe(1)
    })
  })
})
