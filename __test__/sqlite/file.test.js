'use strict'

const fs = require('node:fs')
const { session } = require('../support/sessions')
const { report } = require('../support/run')
const { database, file, open, place, query } = require('./setup')

describe('the file', () => {
  test('keeps its sessions for the next process', async () => {
    const where = place()
    const { written } = await report('sqlite-writes.js', [where, 100])
    expect(written).toBe(100)
    const store = open({}, where)
    expect(await store.length()).toBe(100)
    expect((await store.get('sid-99')).i).toBe(99)
  })

  test('is intact after much use', async () => {
    const store = open()
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        Array.from({ length: 500 }, (_, i) => [
          store.set(`${i}`, session({ text: 'x'.repeat(i * 7) })),
          i % 3 ? store.touch(`${i}`, session()) : store.destroy(`${i}`),
          store.clearExpiredSessions()
        ]).flat()
      )
    }
    await store.close()
    const [result] = await query(store, 'PRAGMA integrity_check')
    expect(Object.values(result)).toEqual(['ok'])
    const [{ count }] = await query(store, 'SELECT count(*) AS count FROM Sessions')
    expect(count).toBe(333)
  })

  test('is unlocked after close', async () => {
    const store = open()
    await store.set('ada', session())
    await store.close()
    await query(store, 'PRAGMA locking_mode = EXCLUSIVE')
    await query(store, 'BEGIN EXCLUSIVE')
    await query(store, 'DELETE FROM Sessions')
    await query(store, 'COMMIT')
    expect(await database.count(store)).toBe(0)
  })

  test('the journal does not grow without limit', async () => {
    const store = open()
    const text = 'x'.repeat(100_000)
    for (let round = 0; round < 50; round++) {
      await Promise.all(Array.from({ length: 25 }, (_, i) => store.set(`${i}`, session({ text }))))
    }
    // 125 MB were written; without checkpoints they would all be there.
    expect(fs.statSync(`${file(store)}-wal`).size).toBeLessThan(64_000_000)
  })
})
