'use strict'

const { report } = require('../support/run')
const { codes, styles } = require('../support/calls')
const { loaded, session } = require('../support/sessions')
const { HOUR, sleep, until } = require('../support/time')

module.exports = (database, { withClient, withSecondStore }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('clearExpiredSessions resolves with the number of removed sessions', async () => {
      const store = database.open({ checkExpirationInterval: 0 })
      expect(await call(store, 'clearExpiredSessions')).toBe(0)
      await store.set('ada', session())
      await store.set('bob', session({}, -1000))
      await store.set('carl', session({}, -5 * HOUR))
      expect(await call(store, 'clearExpiredSessions')).toBe(2)
      expect(await call(store, 'clearExpiredSessions')).toBe(0)
      expect(await store.ids()).toEqual(['ada'])
      expect(store.stats().pruned).toBe(2)
    })
  })

  async function filled(store, expired, live) {
    const calls = []
    for (let i = 0; i < expired; i++) {
      calls.push(store.set(`expired-${i}`, session({}, -1000 - i)))
    }
    for (let i = 0; i < live; i++) calls.push(store.set(`${i}`, session()))
    await Promise.all(calls)
  }

  test('never removes a session that was saved before', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    const sids = Array.from({ length: 20 }, (_, i) => `sid-${i}`)
    await Promise.all(sids.map((sid) => store.set(sid, session({}, -1000))))
    for (const sid of sids) {
      // The save waits for the get before it.
      store.get(sid)
      store.set(sid, loaded(store, sid, session({ saved: true })))
    }
    expect(await store.clearExpiredSessions()).toBe(0)
    expect((await store.ids()).sort()).toEqual(sids.sort())
  })

  test('removes many thousands', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    // Statements of Sequelize write one session each.
    const many = database.supports.model ? 2013 : 7013
    await filled(store, many, 507)
    expect(await store.clearExpiredSessions()).toBe(many)
    expect(await store.length()).toBe(507)
    if (database.supports.otherClient) {
      expect(await database.count(store)).toBe(507)
    }
  })

  test('other calls do not wait until all are removed', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    // Statements of Sequelize write one session each.
    const many = database.supports.model ? 2000 : 20_000
    await filled(store, many, 0)
    const order = []
    const pruned = store.clearExpiredSessions().then((removed) => {
      order.push('pruned')
      return removed
    })
    // The removal has begun by the time of the second write.
    await store.set('ada', session({ visits: 1 })).then(() => order.push('set'))
    await store.set('ada', session({ visits: 2 })).then(() => order.push('set'))
    await store.get('ada').then(({ visits }) => order.push(visits))
    await pruned.then((removed) => expect(removed).toBe(many))
    expect(order).toEqual(['set', 'set', 2, 'pruned'])
  })

  test('concurrent calls share the work', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    await filled(store, 3000, 10)
    const removed = await Promise.all(Array.from({ length: 5 }, () => store.clearExpiredSessions()))
    expect(removed.reduce((sum, count) => sum + count)).toBe(3000)
    expect(await store.length()).toBe(10)
  })

  test('a session that is set during a removal stays', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    await filled(store, 5000, 0)
    const pruned = store.clearExpiredSessions()
    const sids = [0, 1, 2500, 4998, 4999].map((i) => `expired-${i}`)
    await Promise.all(sids.map((sid) => store.set(sid, session())))
    await pruned
    expect((await store.ids()).sort()).toEqual([...sids].sort())
  })

  withClient('a row without expires stays', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    await store.sync()
    const data = JSON.stringify(session())
    await database.insertRow(store, { sid: 'ada', data, expires: null })
    await database.insertRow(store, {
      sid: 'bob',
      data,
      expires: new Date(Date.now() - HOUR)
    })
    expect(await store.clearExpiredSessions()).toBe(1)
    expect(await database.row(store, 'ada')).not.toBeNull()
  })

  withSecondStore('several stores can prune at once', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    const others = [1, 2, 3].map(() => database.openAgain(store, { checkExpirationInterval: 0 }))
    await filled(store, 4000, 10)
    const removed = await Promise.all([store, ...others].map((each) => each.clearExpiredSessions()))
    // One that finds another at work may leave it to that one.
    const sum = removed.reduce((total, count) => total + count)
    expect(sum).toBe(4000)
    expect(await database.count(store)).toBe(10)
    expect(others[0].stats().errors).toBe(0)
  })

  describe('timer', () => {
    test('removes expired sessions again and again', async () => {
      const store = database.open({ checkExpirationInterval: 20 })
      await store.set('ada', session())
      for (let i = 1; i <= 3; i++) {
        await store.set('bob', session({}, -1000))
        await until(() => store.stats().pruned >= i)
      }
      expect(await store.ids()).toEqual(['ada'])
    })

    test.each([0, -1])('%i means never', async (checkExpirationInterval) => {
      const store = database.open({ checkExpirationInterval })
      expect(store._expirationInterval ?? null).toBeNull()
      await store.set('bob', session({}, -1000))
      await sleep(100)
      expect(store.stats().pruned).toBe(0)
      store.startExpiringSessions()
      expect(store._expirationInterval ?? null).toBeNull()
      expect(await store.clearExpiredSessions()).toBe(1)
    })

    test('can be stopped and started', async () => {
      const store = database.open({ checkExpirationInterval: 20 })
      expect(store._expirationInterval).not.toBeNull()
      store.stopExpiringSessions()
      expect(store._expirationInterval).toBeNull()
      store.stopExpiringSessions()
      await store.set('bob', session({}, -1000))
      await sleep(100)
      expect(store.stats().pruned).toBe(0)
      store.startExpiringSessions()
      expect(store._expirationInterval).not.toBeNull()
      await until(() => store.stats().pruned === 1)
    })

    test('stops during a removal', async () => {
      const store = database.open({ checkExpirationInterval: 0 })
      await filled(store, 3000, 0)
      store.options.checkExpirationInterval = 1
      store.startExpiringSessions()
      await until(() => store.stats().pruned > 0)
      store.stopExpiringSessions()
      await until(() => store.stats().pending === 0)
      const { pruned } = store.stats()
      await store.set('bob', session({}, -1000))
      await sleep(50)
      expect(store._expirationInterval).toBeNull()
      expect(store.stats().pruned).toBe(pruned)
    })

    test('starting it twice starts one timer', async () => {
      const store = database.open({ checkExpirationInterval: 20 })
      store.startExpiringSessions()
      store.startExpiringSessions()
      store.stopExpiringSessions()
      await store.set('bob', session({}, -1000))
      await sleep(100)
      expect(store.stats().pruned).toBe(0)
    })

    test('is stopped by close', async () => {
      const store = database.open({ checkExpirationInterval: 20 })
      await store.close()
      expect(store._expirationInterval).toBeNull()
      store.startExpiringSessions()
      await sleep(60)
      expect(store.stats().errors).toBe(0)
    })

    test('does not keep the process alive', () => {
      const store = database.open()
      expect(store._expirationInterval.hasRef()).toBe(false)
      store.stopExpiringSessions()
      store.startExpiringSessions()
      expect(store._expirationInterval.hasRef()).toBe(false)
    })

    test('the interval differs between stores', () => {
      const periods = Array.from({ length: 20 }, () => {
        const store = database.open({ checkExpirationInterval: 10_000 })
        return store._expirationInterval._idleTimeout
      })
      expect(new Set(periods).size).toBeGreaterThan(10)
      expect(Math.min(...periods)).toBeGreaterThanOrEqual(5_000)
      expect(Math.max(...periods)).toBeLessThanOrEqual(15_000)
    })

    test.each([2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER])(
      '%i ms are not cut to one',
      async (checkExpirationInterval) => {
        const store = database.open({ checkExpirationInterval })
        const period = store._expirationInterval._idleTimeout
        expect(period).toBeGreaterThan(2 ** 30 - 1)
        expect(period).toBeLessThan(2 ** 31)
        await store.set('bob', session({}, -1000))
        await sleep(50)
        expect(store.stats().pruned).toBe(0)
      }
    )

    test('a failure is only counted, and the timer goes on', async () => {
      const result = await report('timer.js', [{ ...database.place(), createTable: false, checkExpirationInterval: 5 }])
      expect(result.rejections).toEqual([])
      expect(result.thrown).toEqual([])
      expect(result.warnings).toEqual([])
      expect(result.errors).toBeGreaterThanOrEqual(3)
      expect(result.pruned).toBe(1)
    })
  })

  test('clearExpiredSessions reports a failure', async () => {
    const store = database.open({ createTable: false })
    expect(await codes([store.clearExpiredSessions()])).toEqual(['ERR_SESSION_TABLE'])
  })
}
