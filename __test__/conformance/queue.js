'use strict'

const { codes, styles } = require('../support/calls')
const { session } = require('../support/sessions')
const verbs = require('../support/verbs')

const FULL = 'ERR_SESSION_QUEUE_FULL'

module.exports = (database, { withClient }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    withClient('a call over maxOperations fails, those before it do not', async () => {
      const store = database.open({ queue: { maxOperations: 50 } })
      await store.sync()
      const release = await database.lock(store)
      const sids = Array.from({ length: 200 }, (_, i) => `sid-${i}`)
      const calls = sids.map((sid) => call(store, 'set', sid, session()))
      await release()
      const outcome = await codes(calls)
      expect(outcome.slice(0, 50)).toEqual(Array(50).fill(null))
      expect(outcome.slice(50)).toEqual(Array(150).fill(FULL))
      expect((await store.ids()).sort()).toEqual(sids.slice(0, 50).sort())
    })

    withClient('a call over maxBytes fails, those before it do not', async () => {
      const store = database.open({ queue: { maxBytes: 100_000 } })
      await store.sync()
      const release = await database.lock(store)
      const value = session({ text: 'x'.repeat(20_000) })
      const calls = Array.from({ length: 20 }, (_, i) => call(store, 'set', `sid-${i}`, value))
      await release()
      const outcome = await codes(calls)
      const good = outcome.indexOf(FULL)
      expect([3, 4]).toContain(good)
      expect(outcome).toEqual([...Array(good).fill(null), ...Array(20 - good).fill(FULL)])
      expect(await store.length()).toBe(good)
    })

    test('accepted operations are done, refused ones are not', async () => {
      const store = database.open({ queue: { maxOperations: 2 } })
      const sids = Array.from({ length: 3000 }, (_, i) => `sid-${i}`)
      const outcome = await codes(sids.map((sid) => call(store, 'set', sid, session())))
      expect(new Set(outcome)).toEqual(new Set([null, FULL]))
      const accepted = sids.filter((_, i) => outcome[i] === null)
      expect((await store.ids()).sort()).toEqual(accepted.sort())
    })
  })

  withClient('the store works again when the queue has emptied', async () => {
    const store = database.open({ queue: { maxOperations: 10 } })
    await store.sync()
    for (let round = 0; round < 5; round++) {
      const release = await database.lock(store)
      const calls = Array.from({ length: 15 }, (_, i) => store.set(`sid-${i}`, session({ round })))
      await release()
      expect(await codes(calls)).toEqual([...Array(10).fill(null), ...Array(5).fill(FULL)])
      expect((await store.get('sid-9')).round).toBe(round)
      expect(store.stats().pending).toBe(0)
    }
    expect(await store.length()).toBe(10)
  })

  withClient.each(Object.keys(verbs).filter((name) => name !== 'close'))(
    '%s fails when the queue is full, and can be called again',
    async (name) => {
      const store = database.open({ queue: { maxOperations: 4 } })
      await store.sync()
      const release = await database.lock(store)
      const calls = [1, 2, 3, 4].map((i) => store.set(`${i}`, session()))
      const refused = await codes([
        verbs[name](store),
        new Promise((resolve, reject) => {
          verbs[name](store, (error) => (error ? reject(error) : resolve()))
        })
      ])
      await release()
      await Promise.all(calls)
      expect(refused).toEqual([FULL, FULL])
      await verbs[name](store)
    }
  )

  withClient('iterate fails when the queue is full', async () => {
    const store = database.open({ queue: { maxOperations: 1 } })
    await store.sync()
    const release = await database.lock(store)
    const written = store.set('ada', session())
    const refused = await codes([store.iterate().next()])
    await release()
    await written
    expect(refused).toEqual([FULL])
  })

  withClient('close works although the queue is full', async () => {
    const store = database.open({ queue: { maxOperations: 10 } })
    await store.sync()
    const release = await database.lock(store)
    const calls = Array.from({ length: 12 }, (_, i) => store.set(`sid-${i}`, session()))
    const closed = store.close()
    await release()
    await closed
    expect(await codes(calls)).toEqual([...Array(10).fill(null), FULL, FULL])
    expect(await database.count(store)).toBe(10)
  })

  test('one operation at a time always fits', async () => {
    const store = database.open({ queue: { maxOperations: 1 } })
    for (let i = 0; i < 20; i++) {
      await store.set('ada', session({ i }))
      expect((await store.get('ada')).i).toBe(i)
    }
    expect(Object.keys(await store.all())).toEqual(['ada'])
    expect(await store.clearExpiredSessions()).toBe(0)
  })

  test('after a session larger than maxBytes the store goes on', async () => {
    const store = database.open({ queue: { maxBytes: 10_000 } })
    const value = session({ text: 'x'.repeat(20_000) })
    // Alone it may be let through.
    const [code] = await codes([store.set('large', value)])
    expect([null, FULL]).toContain(code)
    await store.set('ada', session())
    expect(await store.ids()).toEqual(code === null ? ['ada', 'large'] : ['ada'])
  })

  test('thousands of calls are far below the default limits', async () => {
    const store = database.open()
    // Statements of Sequelize write one session each.
    const many = database.supports.model ? 2000 : 20_000
    const calls = Array.from({ length: many }, (_, i) => store.set(`sid-${i % 100}`, session({ i })))
    await Promise.all(calls)
    expect(await store.length()).toBe(100)
    expect((await store.get('sid-99')).i).toBe(many - 1)
  })
}
