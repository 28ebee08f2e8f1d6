'use strict'

const { codes, failure } = require('../support/calls')
const { endCallers, lostWrites, startCallers } = require('../support/callers')
const { createProxy } = require('../support/servers/proxy')
const { session } = require('../support/sessions')
const { sleep, until } = require('../support/time')
const { TIMEOUT, expectWorking, serverOf } = require('./setup')

const CONNECTION = 'ERR_SESSION_CONNECTION'

/** Servers that are away for a while, and several servers. `kit` is as setup.js has it. */
module.exports = (kit) => {
  const { createUser, grant } = kit
  const { admin, fresh, open, openFresh, server } = serverOf(kit)
  const proxies = []

  afterEach(async () => {
    await endCallers()
    await Promise.all(proxies.splice(0).map((proxy) => proxy.end()))
  })

  async function proxied(options = {}) {
    const proxy = await createProxy(server().port)
    proxies.push(proxy)
    const url = new URL(server().url({ database: await fresh() }))
    url.port = proxy.port
    return { proxy, store: open(url.href, options) }
  }

  test('a restart under 64 callers fails none of them, and loses nothing', async () => {
    const store = await openFresh()
    const callers = startCallers(store, 64)
    await callers.more(200)
    await server().stop()
    await server().start()
    await callers.more(500)
    await callers.end()
    expect(callers.errors).toEqual([])
    expect(callers.wrong).toEqual([])
    expect(await lostWrites(store, callers)).toEqual([])
    expect(callers.pause).toBeLessThan(10_000)
  })

  test('a restart under callers without prepared statements fails none of them', async () => {
    const store = await openFresh({ preparedStatements: false })
    const callers = startCallers(store, 16)
    await callers.more(50)
    await server().stop()
    await server().start()
    await callers.more(50)
    await callers.end()
    expect(callers.errors).toEqual([])
    expect(await lostWrites(store, callers)).toEqual([])
  })

  describe.each(['close', 'reset', 'silent'])('a proxy that accepts connections only to %s them', (mode) => {
    test('is waited for', async () => {
      const { proxy, store } = await proxied({ pool: { acquireTimeout: 8000 } })
      proxy.mode = mode
      const calls = [store.set('ada', session({ user: 'ada' })), store.get('ada'), store.length()]
      await until(() => proxy.accepted > 3)
      await sleep(300)
      proxy.mode = 'pass'
      expect(await codes(calls)).toEqual([null, null, null])
      await expectWorking(store)
      expect(store.stats().errors).toBe(0)
    })

    test('during work fails no call', async () => {
      const { proxy, store } = await proxied()
      const callers = startCallers(store, 16)
      await callers.more(50)
      proxy.mode = mode
      proxy.cut()
      await sleep(700)
      proxy.mode = 'pass'
      await callers.more(50)
      await callers.end()
      expect(callers.errors).toEqual([])
      expect(callers.wrong).toEqual([])
      expect(await lostWrites(store, callers)).toEqual([])
    })
  })

  test('attempts that fail are not made in a hurry', async () => {
    const { proxy, store } = await proxied({ pool: { acquireTimeout: TIMEOUT } })
    proxy.mode = 'close'
    expect(await codes([store.get('ada'), store.set('bob', session()), store.length()])).toEqual(
      Array(3).fill(CONNECTION)
    )
    // Three lanes for three seconds.
    expect(proxy.accepted).toBeLessThan(60)
  })

  test('connections that break again and again fail no call', async () => {
    const { proxy, store } = await proxied()
    await store.set('ada', session())
    proxy.breakAt = 40
    proxy.cut()
    const callers = startCallers(store, 16)
    await callers.more(300)
    await callers.end()
    expect(callers.errors).toEqual([])
    expect(callers.wrong).toEqual([])
  })

  test('a wrong password fails at once, and an unknown database too', async () => {
    for (const part of [{ pass: 'wrong' }, { user: 'nobody' }, { database: 'missing' }]) {
      const began = Date.now()
      const error = await failure(open(server().url(part)).get('ada'))
      expect(error.code).toBe(CONNECTION)
      expect(Date.now() - began).toBeLessThan(5000)
    }
  })

  test('a host that is unknown is waited for, and named', async () => {
    const began = Date.now()
    const db = server().url({ host: 'nowhere.invalid' })
    const error = await failure(open(db, { pool: { acquireTimeout: TIMEOUT } }).get('ada'))
    expect(error.code).toBe(CONNECTION)
    expect(error.message).toMatch(/no connection within `pool.acquireTimeout`.*the host is unknown/)
    expect(Date.now() - began).toBeGreaterThan(TIMEOUT * 0.8)
  })

  describe('several hosts', () => {
    test.each(['127.0.0.1:1', 'nowhere.invalid', '[::1]:1'])('of which the first is dead: %s', async (dead) => {
      const store = open(server().url({ host: `${dead},127.0.0.1`, database: await fresh() }))
      await expectWorking(store)
      expect(store.stats().errors).toBe(0)
    })

    test('of which the first does not answer', async () => {
      const { proxy } = await proxied()
      proxy.mode = 'silent'
      const host = `127.0.0.1:${proxy.port},127.0.0.1`
      const store = open(server().url({ host, database: await fresh() }), { pool: { acquireTimeout: 4000 } })
      await expectWorking(store)
      expect(store.stats().errors).toBe(0)
      // The good one is remembered.
      const { accepted } = proxy
      await kit.killAll(server().url())
      await expectWorking(store)
      expect(proxy.accepted).toBe(accepted)
    })

    test('that are all dead are named with the reason of each', async () => {
      const url = server().url({ host: '127.0.0.1:1,nowhere.invalid:7,127.0.0.1' })
      const error = await failure(
        open(url.replace(`:${server().port}/`, ':2/'), { pool: { acquireTimeout: TIMEOUT } }).get('ada')
      )
      expect(error.code).toBe(CONNECTION)
      expect(error.message).toMatch(
        /127\.0\.0\.1:1: [^;]*refused.*nowhere\.invalid:7: the host is unknown.*127\.0\.0\.1:2: /
      )
      expect(error.message).not.toMatch(server().password)
    })

    test('serve all lanes from one of them', async () => {
      const { proxy: one } = await proxied()
      const { proxy: other } = await proxied()
      const host = `127.0.0.1:${one.port},127.0.0.1:${other.port},127.0.0.1`
      const store = open(server().url({ host, database: await fresh() }))
      const callers = startCallers(store, 32)
      await callers.more(50)
      expect(other.accepted).toBe(0)
      one.mode = 'close'
      one.cut()
      await callers.more(50)
      expect(other.accepted).toBeGreaterThan(0)
      one.mode = 'pass'
      // It stays with the other one.
      const { accepted } = one
      await kit.killAll(server().url())
      await sleep(300)
      expect(one.accepted).toBe(accepted)
      await callers.end()
      expect(callers.errors).toEqual([])
    })
  })

  describe('a server that accepts only reads', () => {
    const { setReadOnly } = kit

    afterEach(() => setReadOnly(server(), false))

    /** A store whose user may not write then. */
    async function plain(options) {
      const database = await fresh()
      const user = `plain_${database}`
      await admin(createUser(user, 'secret'))
      await admin(grant(user, database))
      return open(server().url({ user, pass: 'secret', database }), options)
    }

    test('for a moment is waited for', async () => {
      const store = await plain()
      await store.sync()
      const callers = startCallers(store, 32)
      await callers.more(100)
      await setReadOnly(server(), true)
      await sleep(1500)
      await setReadOnly(server(), false)
      await callers.more(200)
      await callers.end()
      expect(callers.errors).toEqual([])
      expect(callers.wrong).toEqual([])
      expect(await lostWrites(store, callers)).toEqual([])
    })

    test('for good serves reads, and fails writes with the reason', async () => {
      const store = await plain({ pool: { acquireTimeout: TIMEOUT, queryTimeout: 5000 } })
      await store.set('ada', session({ user: 'ada' }))
      await setReadOnly(server(), true)
      const [error, found] = await Promise.all([failure(store.set('bob', session())), store.get('ada')])
      expect(error.code).toBe(CONNECTION)
      expect(error.message).toMatch(/accepts only reads/)
      expect(found.user).toBe('ada')
      const again = failure(store.set('bob', session()))
      for (let i = 0; i < 20; i++) {
        const began = Date.now()
        expect((await store.get('ada')).user).toBe('ada')
        expect(await store.length()).toBe(1)
        expect(Date.now() - began).toBeLessThan(1000)
        await sleep(20)
      }
      expect((await again).message).toMatch(/accepts only reads/)
      await setReadOnly(server(), false)
      await expectWorking(store)
    })

    test('with one connection, too', async () => {
      const store = await plain({ pool: { max: 1, acquireTimeout: 1000, queryTimeout: 3000 } })
      await store.set('ada', session({ user: 'ada' }))
      await setReadOnly(server(), true)
      expect((await failure(store.set('bob', session()))).message).toMatch(/accepts only reads/)
      expect((await store.get('ada')).user).toBe('ada')
      await setReadOnly(server(), false)
      await expectWorking(store)
    })
  })
}
