'use strict'

const { Client } = require('pg')
const { RustSequelizeStore } = require('../..')
const { exercise } = require('../support/exercise')
const { needing, onOwnServers } = require('../support/suites')
const { codes } = require('../support/calls')
const { endCallers, lostWrites, startCallers } = require('../support/callers')
const { loaded, session, stored } = require('../support/sessions')
const { HOUR, sleep, until } = require('../support/time')
const { startPgbouncer } = require('../support/servers/pgbouncer')
const { run } = require('./setup')

needing('pgbouncer', () => {
  onOwnServers('postgres', ({ create }) => {
    let server
    let pooler
    const stores = []

    beforeAll(async () => {
      server = await create()
      await server.start()
      pooler = await startPgbouncer(server)
    })

    afterEach(async () => {
      await endCallers()
      await Promise.all(stores.splice(0).map((store) => store.close()))
      await run(server.url(), 'DROP TABLE IF EXISTS "Sessions"')
    })

    afterAll(() => Promise.all([pooler?.end(), server?.end()]))

    function open(options) {
      const store = new RustSequelizeStore({ db: pooler.url, preparedStatements: false, ...options })
      stores.push(store)
      return store
    }

    const count = async () => Number((await run(server.url(), 'SELECT count(*) FROM "Sessions"'))[0].count)

    test('a store without prepared statements works', async () => {
      await exercise({ count }, open())
    })

    test('many stores and other programs share few connections without mixing up results', async () => {
      const all = Array.from({ length: 6 }, () => open({ checkExpirationInterval: 0 }))
      let running = true
      const others = Array.from({ length: 4 }, async (_, i) => {
        const client = new Client({ connectionString: pooler.url })
        await client.connect()
        for (let n = 0; running; n++) {
          const { rows } = await client.query('SELECT $1::int AS i, $2::text AS n', [i, n])
          expect(rows).toEqual([{ i, n: `${n}` }])
        }
        await client.end()
      })
      const outcome = await Promise.allSettled(
        all.map(async (store, i) => {
          for (let round = 0; round < 30; round++) {
            const sids = Array.from({ length: 20 }, (_, j) => `${i}-${j}`)
            await Promise.all(sids.map((sid) => store.set(sid, session({ sid, round }))))
            const found = await Promise.all(sids.map((sid) => store.get(sid)))
            expect(found.map(({ sid, round }) => [sid, round])).toEqual(sids.map((sid) => [sid, round]))
            await Promise.all([
              store.touch(sids[0], session()),
              store.destroy(sids[1]),
              store.set(sids[2], session({}, -HOUR)),
              store.set(sids[3], loaded(store, sids[3], stored(session({ sid: sids[3], round })))),
              store.length(),
              round % 10 ? undefined : store.clearExpiredSessions(),
              round % 10 ? undefined : store.ids()
            ])
            expect(await store.get(sids[1])).toBeNull()
          }
          return store.stats().errors
        })
      )
      running = false
      await Promise.all(others)
      expect(outcome.map(({ reason, value }) => reason ?? value)).toEqual(all.map(() => 0))
    })

    test('a restart of the pooler between calls fails none of them', async () => {
      const store = open()
      await Promise.all(
        Array.from({ length: 30 }, (_, i) => [store.set(`${i}`, session({ i })), store.length()]).flat()
      )
      await pooler.stop()
      await pooler.start()
      const found = await Promise.all(Array.from({ length: 30 }, (_, i) => store.get(`${i}`)))
      expect(found.map(({ i }) => i)).toEqual(Array.from({ length: 30 }, (_, i) => i))
      expect(await store.length()).toBe(30)
    })

    test('a store survives a restart of the server behind the pooler', async () => {
      const store = open()
      await store.set('ada', session({ user: 'ada' }))
      await server.stop()
      await server.start()
      await until(async () => (await codes([store.get('ada')]))[0] === null)
      expect((await store.get('ada')).user).toBe('ada')
    })

    test('a server that is away behind the pooler is waited for', async () => {
      const store = open({ pool: { acquireTimeout: 30_000 } })
      await store.sync()
      const callers = startCallers(store, 16)
      await callers.more(50)
      await server.stop()
      await sleep(1500)
      await server.start()
      await callers.more(50)
      await callers.end()
      expect(callers.errors).toEqual([])
      expect(await lostWrites(store, callers)).toEqual([])
    })

    test('with prepared statements the errors name the option that helps, and no session is lost', async () => {
      const sids = Array.from({ length: 20 }, (_, i) => `kept-${i}`)
      const owner = open()
      await Promise.all(sids.map((sid) => owner.set(sid, session({ sid }))))
      const reasons = []
      const all = Array.from({ length: 6 }, () => open({ preparedStatements: true, checkExpirationInterval: 0 }))
      for (let round = 0; round < 10; round++) {
        const calls = all.flatMap((store, i) => [
          store.set(`${i}`, session({ i })),
          store.get(sids[round + i]).then((found) => expect(found.sid).toBe(sids[round + i])),
          store.touch(`${i}`, session()),
          store.destroy(`gone-${i}`),
          store.length()
        ])
        reasons.push(...(await Promise.allSettled(calls)).flatMap(({ reason }) => reason ?? []))
      }
      for (const { code, message } of reasons) expect(code ?? message).toBe('ERR_SESSION_DATABASE')
      const helpful = reasons.filter(({ message }) => message.includes('`preparedStatements`'))
      expect(helpful.length).toBeGreaterThan(reasons.length / 2)
      const found = await Promise.all(sids.map((sid) => owner.get(sid)))
      expect(found.map(({ sid }) => sid)).toEqual(sids)
    })
  })
})
