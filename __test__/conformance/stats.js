'use strict'

const { codes, styles } = require('../support/calls')
const { loaded, session } = require('../support/sessions')

module.exports = (database, { withClient }) => {
  const { dialect, supports } = database
  const withBatches = supports.model ? test.skip : test
  // Sequelize has no pool for SQLite.
  const withPool = supports.model && dialect === 'sqlite' ? test.skip : test

  test('of a new store are zero', () => {
    const store = database.open()
    expect(store.stats()).toEqual({
      engine: supports.model ? 'sequelize' : 'rust',
      gets: 0,
      hits: 0,
      misses: 0,
      sets: 0,
      touches: 0,
      touchesSkipped: 0,
      destroys: 0,
      batches: 0,
      operationsPerBatch: expect.any(Number),
      retries: 0,
      errors: 0,
      pending: 0,
      pruned: 0,
      unreadable: 0,
      gone: 0,
      pool: { size: expect.any(Number), idle: expect.any(Number) }
    })
  })

  test('count what was done', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    for (const call of Object.values(styles)) {
      await call(store, 'set', 'ada', session())
      await call(store, 'set', 'bob', session({}, -1000))
      await call(store, 'get', 'ada')
      await call(store, 'get', 'ada')
      await call(store, 'get', 'bob')
      await call(store, 'get', 'nobody')
      await call(store, 'touch', 'ada', session())
      await call(store, 'touch', 'nobody', session())
      await call(store, 'clearExpiredSessions')
      const slow = loaded(store, 'ada', await call(store, 'get', 'ada'))
      await call(store, 'destroy', 'ada')
      await call(store, 'destroy', 'ada')
      await call(store, 'set', 'ada', slow)
    }
    expect(store.stats()).toMatchObject({
      gets: 10,
      hits: 6,
      misses: 4,
      sets: 6,
      touches: 4,
      touchesSkipped: 0,
      destroys: 4,
      errors: 0,
      pending: 0,
      pruned: 2,
      unreadable: 0,
      gone: 2
    })
  })

  test('count operations that are folded into one', async () => {
    const store = database.open()
    await Promise.all(
      Array.from({ length: 100 }, () => [
        store.set('ada', session()),
        store.get('ada'),
        store.touch('ada', session()),
        store.destroy('ada')
      ]).flat()
    )
    expect(store.stats()).toMatchObject({
      gets: 100,
      hits: 100,
      sets: 100,
      touches: 100,
      destroys: 100
    })
  })

  withBatches('count batches and the operations in them', async () => {
    const store = database.open()
    await store.sync()
    const before = store.stats().batches
    await Promise.all(Array.from({ length: 1000 }, (_, i) => store.set(`${i}`, session())))
    const { batches, operationsPerBatch } = store.stats()
    expect(batches).toBeGreaterThan(before)
    expect(batches).toBeLessThan(before + 1000)
    expect(operationsPerBatch).toBeGreaterThan(1)
    expect(operationsPerBatch * batches).toBeGreaterThanOrEqual(1000)
  })

  withBatches('count one batch for the calls of one turn of the event loop', async () => {
    const store = database.open()
    await store.get('ada')
    const before = store.stats().batches
    await Promise.all(Array.from({ length: 200 }, (_, i) => store.get(`${i}`)))
    expect(store.stats().batches).toBe(before + 1)
  })

  withClient('count what is pending', async () => {
    const store = database.open()
    await store.sync()
    const release = await database.lock(store)
    const calls = Array.from({ length: 100 }, (_, i) => store.set(`${i}`, session()))
    expect(store.stats().pending).toBe(100)
    await release()
    await Promise.all(calls)
    expect(store.stats().pending).toBe(0)
  })

  test('count errors', async () => {
    const store = database.open({ createTable: false })
    await codes([store.get('ada'), store.set('ada', session())])
    expect(store.stats().errors).toBe(2)
    expect(store.stats().misses).toBe(0)
  })

  withPool('show the connections', async () => {
    const store = database.open({ pool: { max: 3 } })
    await Promise.all(Array.from({ length: 100 }, (_, i) => store.get(`${i}`)))
    const { size, idle } = store.stats().pool
    expect(size).toBeGreaterThanOrEqual(1)
    expect(size).toBeLessThanOrEqual(3)
    expect(idle).toBeGreaterThanOrEqual(0)
    expect(idle).toBeLessThanOrEqual(size)
  })

  test('are a copy', async () => {
    const store = database.open()
    const stats = store.stats()
    stats.gets = 1000
    stats.pool.size = 1000
    await store.get('ada')
    expect(store.stats().gets).toBe(1)
    expect(stats.gets).toBe(1000)
    expect(store.stats().pool.size).toBeLessThan(1000)
    expect(JSON.parse(JSON.stringify(store.stats()))).toEqual(store.stats())
  })
}
