'use strict'

const { report } = require('../support/run')
const { session } = require('../support/sessions')
const { HOUR, PATIENCE, sleep, until } = require('../support/time')

/** How long processes hammer the same sessions; more shows what is rarer. */
const STRESS = Number(process.env.SESSION_STRESS_SECONDS ?? 5) * 1000

/** Several processes, or stores, on one table. With `skipsLocked`, pruning leaves rows that somebody holds to the next time. */
module.exports = (database, { quote: q, skipsLocked = false }) => {
  const { open, openAgain, place, query, transaction } = database

  test('8 processes that start at once on an empty database all find their table', async () => {
    const where = place()
    const tables = Array.from({ length: 10 }, (_, i) => `Sessions ${i}`)
    const start = Date.now() + 3000
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, id) => report('server-work.js', ['create', where, id, start, tables]))
    )
    expect(results.flatMap(({ failed }) => failed)).toEqual([])
    for (const tableName of tables) expect(await database.count({ ...where, tableName })).toBe(8)
  })

  test('several tables can be created in one schema', async () => {
    const where = place()
    // PostgreSQL cuts the names of indexes off.
    const names = ['Sessions', 'sessions 2', `${'x'.repeat(60)}1`, `${'x'.repeat(60)}2`]
    const stores = names.map((tableName) => open({ tableName }, where))
    await Promise.all(stores.map((store, i) => store.set('ada', session({ i }))))
    const found = await Promise.all(stores.map((store) => store.get('ada')))
    expect(found.map(({ i }) => i)).toEqual([0, 1, 2, 3])
    for (const tableName of names) expect(await database.count({ ...where, tableName })).toBe(1)
  })

  test(
    'two processes can hammer the same 50 sessions without an error',
    async () => {
      const where = place()
      await open({}, where).sync()
      const sids = Array.from({ length: 50 }, (_, i) => `sid-${i}`)
      const least = 200 * (STRESS / 1000)
      const results = await Promise.all(
        [1, 2].map((seed) =>
          report('server-work.js', ['hammer', where, seed, STRESS, least, sids], { patience: STRESS + PATIENCE })
        )
      )
      expect(results.flatMap(({ failed }) => failed)).toEqual([])
      for (const { operations } of results) expect(operations).toBeGreaterThanOrEqual(least)
    },
    STRESS + 3 * PATIENCE
  )

  test('a deadlock with another program is retried', async () => {
    // With one connection all writes are one statement.
    const store = open({ pool: { max: 1 } })
    const sids = Array.from({ length: 10 }, (_, i) => `sid-${i}`)
    const others = Array.from({ length: 100 }, (_, i) => `sid-other-${i}`)
    await Promise.all([...sids, ...others].map((sid) => store.set(sid, session())))
    const update = (sid) => `UPDATE ${q('Sessions')} SET ${q('data')} = '{}' WHERE ${q('sid')} = '${sid}'`
    const before = store.stats().retries
    let rounds = 0
    while (store.stats().retries === before && rounds < 5) {
      const other = await transaction(store)
      // The server sacrifices who has done less.
      for (const sid of others) await other.query(update(sid))
      await other.query(update('sid-9'))
      const calls = sids.map((sid) => store.set(sid, session({ rounds })))
      await until(async () => (await database.waiting(store)) > 0)
      // The store holds this row and waits for the other.
      await other.query(update('sid-8')).catch(() => {})
      await other.end()
      await Promise.all(calls)
      rounds++
    }
    expect(store.stats().retries).toBeGreaterThan(before)
    expect(store.stats().errors).toBe(0)
    expect((await store.get('sid-9')).rounds).toBe(rounds - 1)
  })

  test('a write waits for rows that another program has locked', async () => {
    const store = open()
    await store.set('ada', session({ visits: 1 }))
    const other = await transaction(store)
    await other.query(`UPDATE ${q('Sessions')} SET ${q('data')} = '{}' WHERE ${q('sid')} = 'ada'`)
    let done = false
    const written = store.set('ada', session({ visits: 2 })).then(() => {
      done = true
    })
    await until(async () => (await database.waiting(store)) > 0)
    expect(done).toBe(false)
    // Reading does not wait, and sees what was committed.
    expect((await openAgain(store).get('ada')).visits).toBe(1)
    await other.end()
    await written
    expect((await store.get('ada')).visits).toBe(2)
  })

  describe('pruning', () => {
    const dead = (store) =>
      Promise.all(Array.from({ length: 20 }, (_, i) => store.set(`dead-${i}`, session({}, -HOUR))))

    /** A store that waits in its pruning, for another program to let go of the table. */
    async function waiting(where = place()) {
      const store = open({ checkExpirationInterval: 0 }, where)
      await dead(store)
      const release = await database.lock(where)
      const pruned = store.clearExpiredSessions()
      await until(async () => (await database.waiting(store)) > 0)
      return { store, release, pruned }
    }

    /** A store on a table with an expired row that another program holds. Whoever prunes may wait for it, or leave it. */
    async function held(where = place()) {
      const store = open({ checkExpirationInterval: 0 }, where)
      await dead(store)
      const other = await transaction(where)
      await other.query(`UPDATE ${q('Sessions')} SET ${q('data')} = '{}' WHERE ${q('sid')} = 'dead-7'`)
      return { store, other }
    }

    test('is done by one store at a time, and the others skip it', async () => {
      const { store, release, pruned } = await waiting()
      const others = [1, 2, 3].map(() => openAgain(store, { checkExpirationInterval: 0 }))
      expect(await Promise.all(others.map((each) => each.clearExpiredSessions()))).toEqual([0, 0, 0])
      await release()
      expect(await pruned).toBe(20)
    })

    test('never blocks the pruning of another table, nor of one with the same name elsewhere', async () => {
      const where = place()
      const { release, pruned } = await waiting(where)
      const elsewhere = [
        open({ checkExpirationInterval: 0 }),
        open({ tableName: 'Other', checkExpirationInterval: 0 }, where)
      ]
      for (const each of elsewhere) {
        await each.set('dead', session({}, -HOUR))
        expect(await each.clearExpiredSessions()).toBe(1)
      }
      await release()
      expect(await pruned).toBe(20)
    })

    test('removes a row locked by another program once the lock is released', async () => {
      const { store, other } = await held()
      const first = store.clearExpiredSessions()
      await sleep(100)
      await other.end()
      expect((await first) + (await store.clearExpiredSessions())).toBe(20)
      expect(await database.count(store)).toBe(0)
    })

    test('never blocks calls for single sessions while it waits', async () => {
      const { store, other } = await held()
      const first = store.clearExpiredSessions()
      await sleep(100)
      await Promise.all([
        store.set('ada', session({ user: 'ada' })),
        store.touch('ada', session()),
        store.destroy('nobody')
      ])
      expect((await store.get('ada')).user).toBe('ada')
      await other.end()
      await first
    })

    const whereSkipped = skipsLocked ? test : test.skip
    whereSkipped('never blocks other calls on the whole table', async () => {
      const { store, other } = await held()
      await store.set('ada', session())
      const first = store.clearExpiredSessions()
      await sleep(100)
      let answers
      const calls = Promise.all([store.length(), store.ids(), store.all()]).then((all) => {
        answers = all
      })
      await Promise.race([calls, sleep(20_000)])
      const meanwhile = answers
      await other.end()
      await Promise.all([first, calls])
      expect(meanwhile).toEqual([1, ['ada'], { ada: expect.anything() }])
    })

    test('ignores advisory locks of the application', async () => {
      const where = place()
      const store = open({ checkExpirationInterval: 0 }, where)
      await store.set('dead', session({}, -HOUR))
      const other = await transaction(where)
      await other.lock('rust-sequelize-store')
      await other.lock('something else')
      expect(await store.clearExpiredSessions()).toBe(1)
      await other.end()
    })

    test('is taken over when the pruning process has died', async () => {
      const { store, release, pruned } = await waiting()
      const first = pruned.catch(() => 0)
      const second = openAgain(store, { checkExpirationInterval: 0 })
      expect(await second.clearExpiredSessions()).toBe(0)
      await database.killConnections(store)
      await release()
      let removed = 0
      await until(async () => {
        removed += await second.clearExpiredSessions()
        return (await database.count(store)) === 0
      })
      expect(removed + (await first)).toBe(20)
    })

    test('finds the expired among many live sessions', async () => {
      const where = place()
      const store = open({ checkExpirationInterval: 0 }, where)
      const text = 'x'.repeat(500)
      const calls = Array.from({ length: 12_000 }, (_, i) =>
        store.set(`sid-${i}`, session({ text }, i % 3 ? HOUR : -HOUR))
      )
      await Promise.all(calls)
      expect(await store.clearExpiredSessions()).toBe(4000)
      expect(await database.count(where)).toBe(8000)
      const { retries, errors } = store.stats()
      expect({ retries, errors }).toEqual({ retries: 0, errors: 0 })
      await query(where, `DELETE FROM ${q('Sessions')}`)
    })
  })
}
