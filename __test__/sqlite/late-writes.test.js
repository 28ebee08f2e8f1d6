'use strict'

const { codes } = require('../support/calls')
const { session } = require('../support/sessions')
const { sleep } = require('../support/time')
const { open, place, query } = require('./setup')

const TIMED_OUT = 'ERR_SESSION_TIMEOUT'

describe('with a queryTimeout below busy_timeout, writes to a locked file', () => {
  const options = { pool: { queryTimeout: 1000, acquireTimeout: 1000 } }

  test('end in time, and take no effect afterwards', async () => {
    const store = open(options)
    await store.set('ada', session({ user: 'ada' }))
    await query(store, 'BEGIN IMMEDIATE')
    const started = Date.now()
    expect(await codes([store.set('ada', session({ user: 'eve' })), store.touch('bob', session())])).toEqual([
      TIMED_OUT,
      TIMED_OUT
    ])
    expect(Date.now() - started).toBeLessThan(4000)
    expect((await store.get('ada')).user).toBe('ada')
    await query(store, 'COMMIT')
    await store.destroy('ada')
    await sleep(1500)
    expect(await store.get('ada')).toBeNull()
    expect(store.stats().pending).toBe(0)
  })

  test('keep calls behind a clear() that hangs for no longer than their limit', async () => {
    const store = open(options)
    await store.set('ada', session({ user: 'ada' }))
    await query(store, 'BEGIN IMMEDIATE')
    const cleared = codes([store.clear()])
    const started = Date.now()
    const calls = Array.from({ length: 50 }, () => store.get('ada'))
    expect(await codes(calls)).toEqual(calls.map(() => TIMED_OUT))
    expect(Date.now() - started).toBeLessThan(10_000)
    await query(store, 'COMMIT')
    await cleared
    await store.set('ada', session())
    expect(await store.ids()).toEqual(['ada'])
  })
})

test('sync does not wait for the end of a pruning run', async () => {
  const where = place()
  const store = open({}, where)
  await store.sync()
  await query(
    where,
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
    INSERT INTO Sessions (sid, expires, data, createdAt, updatedAt)
    SELECT 'expired-' || i, '2001-01-01 00:00:00.000 +00:00', '{}', '2001-01-01', '2001-01-01' FROM n`
  )
  const ended = []
  const pruned = store.clearExpiredSessions().then((count) => {
    ended.push('pruned')
    return count
  })
  await store.set('ada', session())
  await store.sync()
  await store.get('ada')
  ended.push('synchronized')
  expect(await pruned).toBe(40_000)
  expect(ended).toEqual(['synchronized', 'pruned'])
})
