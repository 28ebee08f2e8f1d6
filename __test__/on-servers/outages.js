'use strict'

const fs = require('node:fs')
const { codes } = require('../support/calls')
const { createApp, listen } = require('../support/express/app')
const { Client } = require('../support/express/client')
const { loaded, session } = require('../support/sessions')
const { sleep, until } = require('../support/time')
const { TIMEOUT, expectWorking, serverOf } = require('./setup')

const CONNECTION = 'ERR_SESSION_CONNECTION'

/** Servers that stop, crash, end connections or answer no more. `kit` is as setup.js has it. */
module.exports = (kit) => {
  const { killAll, pids, crash, shortIdle } = kit
  const { admin, fresh, open, openFresh, server } = serverOf(kit)

  test('a call while the server is starting succeeds or fails, and is never a miss', async () => {
    const store = await openFresh({ pool: { acquireTimeout: 10_000 } })
    await store.set('ada', session({ user: 'ada' }))
    await server().stop()
    const calls = [store.get('ada'), store.set('bob', session())]
    await sleep(200)
    await server().start()
    const [found, written] = await Promise.allSettled(calls)
    if (found.reason) expect(found.reason.code).toBe(CONNECTION)
    else expect(found.value.user).toBe('ada')
    if (written.reason) expect(written.reason.code).toBe(CONNECTION)
    await expectWorking(store)
  })

  test.each([
    ['stopped', undefined],
    ['crashed', crash]
  ])('a server that was %s and started again between calls fails none of them', async (_name, signal) => {
    const store = await openFresh()
    const sids = Array.from({ length: 50 }, (_, i) => `sid-${i}`)
    for (let round = 0; round < 3; round++) {
      // All lanes have a connection.
      await Promise.all(sids.map((sid) => store.set(sid, session({ round }))))
      await Promise.all([...sids.map((sid) => store.get(sid)), store.length()])
      await server().stop(signal)
      await server().start()
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

  test('killed connections fail no call, neither between calls nor during them', async () => {
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
      await killAll(server().url())
    }
    running = false
    await Promise.all(work)
    await killAll(server().url())
    expect(await store.length()).toBe(9)
    expect(store.stats().errors).toBe(0)
    expect(store.stats().retries).toBeGreaterThan(0)
  })

  test('connections that the server closes for being idle fail no call', async () => {
    const store = await openFresh()
    for (const sql of shortIdle.set) await admin(sql)
    try {
      await Promise.all(Array.from({ length: 20 }, (_, i) => [store.set(`${i}`, session()), store.length()]).flat())
      for (let i = 0; i < 3; i++) {
        await killAll(server().url())
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

  test('a restart during work loses no acknowledged write, and no session seems to be missing', async () => {
    const store = await openFresh({ pool: { acquireTimeout: 5000 } })
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
    await server().stop(crash)
    await sleep(300)
    await server().start()
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
      const ids = await pids(server())
      try {
        for (const id of ids) process.kill(id, 'SIGSTOP')
        await until(() => ids.every(stopped))
        await work()
      } finally {
        for (const id of ids) process.kill(id, 'SIGCONT')
      }
    }

    test('is an error within the timeouts, and the store works when it answers again', async () => {
      const store = await openFresh({ pool: { queryTimeout: 5000, acquireTimeout: 5000 } })
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

    test('never keeps a store from closing, whatever it is doing', async () => {
      const db = server().url({ database: await fresh() })
      const all = Object.keys(kinds).map(() => open(db, { pool: { queryTimeout: 5000, acquireTimeout: 5000 } }))
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

  test('an outage fails requests and never starts a new session', async () => {
    const store = await openFresh({ pool: { acquireTimeout: TIMEOUT } })
    const { server: web, origin } = await listen(createApp('express5', { store }))
    const client = new Client(origin)
    const stranger = new Client(origin)
    try {
      const login = await client.get('/login?user=Ada')
      await server().stop()
      for (let i = 0; i < 2; i++) {
        const { status, body, setCookies } = await client.get('/state')
        expect(status).toBe(500)
        expect(body.code).toBe(CONNECTION)
        expect(setCookies).toEqual([])
      }
      // Whoever has no session does not need the server.
      expect((await stranger.get('/state')).status).toBe(200)
      await server().start()
      expect((await client.get('/state')).body).toMatchObject({ sid: login.body.sid, user: 'Ada' })
    } finally {
      await server().start()
      client.close()
      stranger.close()
      web.closeAllConnections()
      web.close()
    }
  })
}
