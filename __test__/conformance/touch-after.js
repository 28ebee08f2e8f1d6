'use strict'

const { session } = require('../support/sessions')
const { HOUR, apart } = require('../support/time')

const MINUTE = 60_000

/**
 * A request of express-session: it makes a session of the very object that `get` found, moves its end and touches it. Resolves with
 * a function that gives that session with its end moved to so many milliseconds from now.
 */
async function request(store, sid) {
  const found = await store.get(sid)
  const made = store.createSession({ sessionID: sid }, found)
  return (maxAge) => {
    made.cookie.expires = new Date(Date.now() + maxAge)
    return made
  }
}

module.exports = (database, { withClient, withSecondStore }) => {
  test('a touch that would move the end by less is skipped and counted', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    await store.set('ada', session({}, HOUR))
    const ada = await request(store, 'ada')
    await store.touch('ada', ada(HOUR + 5 * MINUTE))
    expect(store.stats()).toMatchObject({ touches: 1, touchesSkipped: 1 })
    await store.touch('ada', ada(HOUR + 15 * MINUTE))
    expect(store.stats()).toMatchObject({ touches: 2, touchesSkipped: 1 })
    expect(await store.ids()).toEqual(['ada'])
  })

  test('a touch of a missing or an expired session is as without it', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    await store.set('ada', session({}, -1000))
    await store.touch('ada', session())
    await store.touch('nobody', session())
    expect(await store.ids()).toEqual([])
  })

  test('nothing is skipped by default', async () => {
    const store = database.open()
    const ada = session()
    await store.set('ada', ada)
    await store.touch('ada', ada)
    await store.touch('ada', session())
    const again = await request(store, 'ada')
    await store.touch('ada', again(HOUR))
    expect(store.stats()).toMatchObject({ touches: 3, touchesSkipped: 0 })
  })

  withClient('the row is as before, or moved', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    await store.set('ada', session({}, HOUR))
    const ada = await request(store, 'ada')
    const before = await database.row(store, 'ada')
    await store.touch('ada', ada(HOUR + 5 * MINUTE))
    expect(await database.row(store, 'ada')).toEqual(before)
    const { expires: later } = ada(HOUR + 15 * MINUTE).cookie
    await store.touch('ada', ada(HOUR + 15 * MINUTE))
    const row = await database.row(store, 'ada')
    expect(apart(row.expires, later)).toBeLessThan(1000)
    // What was moved is the new measure.
    await store.touch('ada', ada(HOUR + 20 * MINUTE))
    expect((await database.row(store, 'ada')).expires).toEqual(row.expires)
    const next = await request(store, 'ada')
    await store.touch('ada', next(HOUR + 20 * MINUTE))
    expect((await database.row(store, 'ada')).expires).toEqual(row.expires)
  })

  withClient('requests within `touchAfter` of each other write once', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    await store.set('ada', session({}, HOUR))
    const before = await database.row(store, 'ada')
    for (let i = 1; i <= 20; i++) {
      const ada = await request(store, 'ada')
      await store.touch('ada', ada(HOUR + i * 29_000))
    }
    expect(await database.row(store, 'ada')).toEqual(before)
    const ada = await request(store, 'ada')
    await store.touch('ada', ada(HOUR + 11 * MINUTE))
    const row = await database.row(store, 'ada')
    expect(row.expires.getTime()).toBeGreaterThan(before.expires.getTime())
    expect(store.stats().touchesSkipped).toBe(20)
  })

  withClient('a session in use never expires because its touches are skipped', async () => {
    const store = database.open({ touchAfter: HOUR })
    await store.set('ada', session({}, 10 * MINUTE))
    const before = await database.row(store, 'ada')
    const ada = await request(store, 'ada')
    await store.touch('ada', ada(14 * MINUTE))
    expect(await database.row(store, 'ada')).toEqual(before)
    const later = ada(16 * MINUTE)
    await store.touch('ada', later)
    const { expires } = await database.row(store, 'ada')
    expect(apart(expires, later.cookie.expires)).toBeLessThan(1000)
  })

  withClient('a set starts `touchAfter` anew', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    await store.set('ada', session({}, HOUR))
    const ada = await request(store, 'ada')
    const { expires } = ada(2 * HOUR).cookie
    await store.set('ada', ada(2 * HOUR))
    await store.touch('ada', ada(2 * HOUR + 5 * MINUTE))
    const row = await database.row(store, 'ada')
    expect(apart(row.expires, expires)).toBeLessThan(1000)
  })

  withClient('a touch gives a row that never expires an expiry', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    await store.sync()
    const data = JSON.stringify(session())
    await database.insertRow(store, { sid: 'ada', data, expires: null })
    const ada = await request(store, 'ada')
    const touched = ada(HOUR)
    await store.touch('ada', touched)
    const { expires } = await database.row(store, 'ada')
    expect(expires).not.toBeNull()
    expect(apart(expires, touched.cookie.expires)).toBeLessThan(1000)
  })

  withClient('the option is read at each call', async () => {
    const store = database.open()
    await store.set('ada', session({}, HOUR))
    store.options.touchAfter = 10 * MINUTE
    const before = await database.row(store, 'ada')
    const ada = await request(store, 'ada')
    await store.touch('ada', ada(HOUR + 5 * MINUTE))
    expect(await database.row(store, 'ada')).toEqual(before)
    store.options.touchAfter = 0
    const later = ada(HOUR + 5 * MINUTE)
    await store.touch('ada', later)
    const { expires } = await database.row(store, 'ada')
    expect(apart(expires, later.cookie.expires)).toBeLessThan(1000)
  })

  withClient('a touch can shorten the lifetime without the option', async () => {
    const store = database.open()
    await store.set('ada', session({}, 2 * HOUR))
    const sooner = session({}, HOUR)
    await store.touch('ada', sooner)
    const { expires } = await database.row(store, 'ada')
    expect(apart(expires, sooner.cookie.expires)).toBeLessThan(1000)
  })

  test('a touch that shortens the lifetime by more is not skipped', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    await store.set('ada', session({}, 2 * HOUR))
    const ada = await request(store, 'ada')
    await store.touch('ada', ada(-1000))
    expect(await store.get('ada')).toBeNull()
    expect(store.stats().touchesSkipped).toBe(0)
  })

  withClient('a touch that failed does not count as the last one', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    await store.set('ada', session({}, HOUR))
    const ada = await request(store, 'ada')
    const row = await database.row(store, 'ada')
    await database.dropTable(store)
    const failed = store.touch('ada', ada(HOUR + 15 * MINUTE))
    await expect(failed).rejects.toHaveProperty('code', 'ERR_SESSION_TABLE')
    await database.createTable(store)
    await database.insertRow(store, row)
    const touched = ada(HOUR + 16 * MINUTE)
    await store.touch('ada', touched)
    const { expires } = await database.row(store, 'ada')
    expect(apart(expires, touched.cookie.expires)).toBeLessThan(1000)
  })

  withSecondStore('the gain is measured from the expiry that the request has read', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    const other = database.openAgain(store)
    await store.set('ada', session({}, 2 * HOUR))
    await store.get('ada')
    await other.set('ada', session({}, HOUR))
    const ada = await request(store, 'ada')
    const touched = ada(2 * HOUR + MINUTE)
    await store.touch('ada', touched)
    const { expires } = await database.row(store, 'ada')
    expect(apart(expires, touched.cookie.expires)).toBeLessThan(1000)
  })

  withSecondStore('a touch is skipped for a session that another store has written, too', async () => {
    const store = database.open()
    await store.set('ada', session({}, HOUR))
    const before = await database.row(store, 'ada')
    const other = database.openAgain(store, { touchAfter: 10 * MINUTE })
    const ada = await request(other, 'ada')
    await other.touch('ada', ada(HOUR + 5 * MINUTE))
    expect(await database.row(store, 'ada')).toEqual(before)
    expect(other.stats().touchesSkipped).toBe(1)
  })

  // A session that `get` did not yield, as those of Fastify and of other processes.
  withClient('it holds for sessions that this store has not read', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    await store.set('ada', session({}, HOUR))
    const before = await database.row(store, 'ada')
    await store.touch('ada', session({}, HOUR + 5 * MINUTE))
    expect(await database.row(store, 'ada')).toEqual(before)
    await store.touch('ada', session({}, HOUR + 9 * MINUTE))
    expect(await database.row(store, 'ada')).toEqual(before)
    const later = session({}, HOUR + 11 * MINUTE)
    await store.touch('ada', later)
    const moved = await database.row(store, 'ada')
    expect(apart(moved.expires, later.cookie.expires)).toBeLessThan(1000)
    // What was moved is the new measure, and a shortening is always written.
    await store.touch('ada', session({}, HOUR + 15 * MINUTE))
    expect(await database.row(store, 'ada')).toEqual(moved)
    const sooner = session({}, HOUR + 10 * MINUTE)
    await store.touch('ada', sooner)
    expect(apart((await database.row(store, 'ada')).expires, sooner.cookie.expires)).toBeLessThan(1000)
  })

  withClient('a session in use never expires because the statement leaves it alone', async () => {
    const store = database.open({ touchAfter: HOUR })
    await store.set('ada', session({}, 10 * MINUTE))
    const before = await database.row(store, 'ada')
    await store.touch('ada', session({}, 14 * MINUTE))
    expect(await database.row(store, 'ada')).toEqual(before)
    const later = session({}, 16 * MINUTE)
    await store.touch('ada', later)
    expect(apart((await database.row(store, 'ada')).expires, later.cookie.expires)).toBeLessThan(1000)
  })

  withClient('the statement gives a row that never expires an expiry', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    await store.sync()
    await database.insertRow(store, { sid: 'ada', data: JSON.stringify(session()), expires: null })
    const touched = session({}, HOUR)
    await store.touch('ada', touched)
    expect(apart((await database.row(store, 'ada')).expires, touched.cookie.expires)).toBeLessThan(1000)
  })

  test('each of many touches goes by the expiry of its own row', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    const sids = Array.from({ length: 150 }, (_, i) => `sid-${i}`)
    await Promise.all(sids.map((sid) => store.set(sid, session({}, HOUR))))
    const gains = [5 * MINUTE, 15 * MINUTE, -20 * MINUTE]
    await Promise.all(sids.map((sid, i) => store.touch(sid, session({}, HOUR + gains[i % 3]))))
    const all = await store.all()
    for (const [i, sid] of sids.entries()) {
      // What `all` yields is never sooner than the session was saved with.
      const expected = HOUR + (i % 3 === 1 ? gains[1] : 0)
      expect(apart(new Date(all[sid].cookie.expires), Date.now() + expected)).toBeLessThan(MINUTE)
    }
    if (!database.supports.otherClient) return
    for (const [i, sid] of sids.entries()) {
      const { expires } = await database.row(store, sid)
      const expected = HOUR + [0, gains[1], gains[2]][i % 3]
      expect(apart(expires, Date.now() + expected)).toBeLessThan(MINUTE)
    }
  })

  withSecondStore('it holds for a session that another store has touched', async () => {
    const store = database.open({ touchAfter: 10 * MINUTE })
    const other = database.openAgain(store)
    await store.set('ada', session({}, HOUR))
    const ada = await request(store, 'ada')
    await other.touch('ada', session({}, HOUR + 20 * MINUTE))
    const before = await database.row(store, 'ada')
    await store.touch('ada', ada(HOUR + 25 * MINUTE))
    expect(await database.row(store, 'ada')).toEqual(before)
  })
}
