'use strict'

const fs = require('node:fs')
const { onEachPair } = require('./setup')

onEachPair(({ connectTo, createPause, database, logIn, place, rename, start }) => {
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
      await database.dropTable(place())

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
      const file = database.file(place())
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
})
