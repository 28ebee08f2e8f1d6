'use strict'

const { codes, failure } = require('../support/calls')
const { session } = require('../support/sessions')
const { sleep } = require('../support/time')
const { database, open, place, query, withParameters } = require('./setup')

describe('a database that another process has locked', () => {
  const LOCKED = ['ERR_SESSION_TIMEOUT', 'ERR_SESSION_DATABASE']

  test('makes a write wait', async () => {
    const store = open()
    await store.set('ada', session({ visits: 1 }))
    await query(store, 'BEGIN IMMEDIATE')
    let done = false
    const written = store.set('ada', session({ visits: 2 })).then(() => {
      done = true
    })
    await sleep(60)
    expect(done).toBe(false)
    // Readers of a WAL do not wait.
    expect((await database.openAgain(store).get('ada')).visits).toBe(1)
    await query(store, 'COMMIT')
    await written
    expect((await store.get('ada')).visits).toBe(2)
  })

  test('fails the write after busy_timeout, and no later one', async () => {
    const where = place()
    const store = open({}, withParameters('busy_timeout=30', where))
    await store.set('ada', session({ visits: 1 }))
    await query(where, 'BEGIN IMMEDIATE')
    const outcome = await codes([
      store.set('ada', session({ visits: 2 })),
      store.touch('ada', session()),
      store.destroy('bob')
    ])
    for (const code of outcome) expect(LOCKED).toContain(code)
    expect((await store.get('ada')).visits).toBe(1)
    await query(where, 'COMMIT')
    await store.set('ada', session({ visits: 3 }))
    expect((await store.get('ada')).visits).toBe(3)
    expect(store.stats().errors).toBe(3)
    expect(store.stats().pending).toBe(0)
  })

  test('is named by the cause of the error', async () => {
    const where = place()
    const store = open({}, withParameters('busy_timeout=30', where))
    await store.sync()
    await query(where, 'BEGIN IMMEDIATE')
    const error = await failure(store.set('ada', session()))
    expect(Number(error.cause.code) & 0xff).toBe(5)
    await query(where, 'COMMIT')
  })

  test('at the first call fails that call and no later one', async () => {
    const where = place()
    await query(where, 'CREATE TABLE other (x)')
    await query(where, 'BEGIN EXCLUSIVE')
    const store = open({}, withParameters('busy_timeout=30', where))
    const outcome = await codes([store.get('ada'), store.set('ada', session())])
    for (const code of outcome) {
      expect([...LOCKED, 'ERR_SESSION_CONNECTION']).toContain(code)
    }
    await query(where, 'COMMIT')
    await store.set('ada', session())
    expect(await store.ids()).toEqual(['ada'])
  })

  test('at the first call makes that call wait', async () => {
    const where = place()
    await query(where, 'CREATE TABLE other (x)')
    await query(where, 'BEGIN EXCLUSIVE')
    const store = open({}, where)
    const written = store.set('ada', session())
    await sleep(60)
    await query(where, 'COMMIT')
    await written
    expect(await store.ids()).toEqual(['ada'])
  })

  test('with a rollback journal makes readers wait too', async () => {
    const where = place()
    const store = open({}, withParameters('journal_mode=DELETE', where))
    await store.set('ada', session({ visits: 1 }))
    await query(where, 'BEGIN EXCLUSIVE')
    const found = store.get('ada')
    const written = store.set('bob', session())
    await sleep(60)
    await query(where, 'COMMIT')
    expect((await found).visits).toBe(1)
    await written
    expect(await store.length()).toBe(2)
  })

  test('by many short transactions of another process fails no call', async () => {
    const store = open()
    await store.sync()
    await query(store, 'CREATE TABLE other (x)')
    let going = true
    const others = (async () => {
      let i = 0
      for (; going; i++) {
        await query(store, 'BEGIN IMMEDIATE')
        await query(store, `INSERT INTO other VALUES (${i})`)
        await query(store, 'COMMIT')
      }
      return i
    })()
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => [
          store.set(`${i}`, session({ round })),
          store.get(`${i}`),
          store.touch(`${i}`, session())
        ]).flat()
      )
    }
    going = false
    expect(await others).toBeGreaterThan(0)
    expect(await store.length()).toBe(50)
    expect(store.stats().errors).toBe(0)
  })
})
