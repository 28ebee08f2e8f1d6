'use strict'

const { onEachPair } = require('./setup')

onEachPair(({ logIn, startProcess }) => {
  describe('a session survives', () => {
    test('an orderly shutdown, after which the process ends by itself', async () => {
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

    test('a kill during work, with all acknowledged writes', async () => {
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
