'use strict'

const { Cookie } = require('express-session')
const { collect, styles } = require('../support/calls')
const { withClock } = require('../support/clock')
const { browserSession, session } = require('../support/sessions')
const { HOUR, MINUTE, apart } = require('../support/time')

// A touch moves the expiry of the row and not that in the session's text. A session that is loaded and saved must not lose it.
module.exports = (database, { withClient, withSecondStore }) => {
  const setClock = withClock()
  const near = (date, ms) => expect(apart(new Date(date), Date.now() + ms)).toBeLessThan(MINUTE)

  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('what was touched is yielded with the expiry of its row', async () => {
      const store = database.open()
      await call(store, 'set', 'ada', session({ user: 'ada' }, HOUR))
      await call(store, 'touch', 'ada', session({}, 3 * HOUR))
      near((await call(store, 'get', 'ada')).cookie.expires, 3 * HOUR)
      near((await call(store, 'all')).ada.cookie.expires, 3 * HOUR)
      const [[, listed]] = await collect(store.iterate())
      near(listed.cookie.expires, 3 * HOUR)
      expect(listed.cookie.originalMaxAge).toBe(HOUR)
    })

    test('a session that lives by touches is not lost when it is saved', async () => {
      const store = database.open({ checkExpirationInterval: 0 })
      await call(store, 'set', 'ada', session({ user: 'ada' }, HOUR))
      setClock(HOUR / 2)
      await call(store, 'touch', 'ada', session({}, HOUR))
      setClock(HOUR + MINUTE)
      const found = await call(store, 'get', 'ada')
      found.user = 'eve'
      await call(store, 'set', 'ada', found)
      const again = await call(store, 'get', 'ada')
      expect(again.user).toBe('eve')
      near(again.cookie.expires, HOUR / 2 - MINUTE)
      setClock(2 * HOUR)
      expect(await call(store, 'get', 'ada')).toBeNull()
    })

    test('a save keeps what a touch has given since the session was loaded', async () => {
      const store = database.open()
      await call(store, 'set', 'ada', session({ user: 'ada' }, HOUR))
      const found = await call(store, 'get', 'ada')
      await call(store, 'touch', 'ada', session({}, 3 * HOUR))
      await call(store, 'set', 'ada', found)
      near((await call(store, 'get', 'ada')).cookie.expires, 3 * HOUR)
      // The touch before is as good as one that was acknowledged.
      await Promise.all([call(store, 'touch', 'ada', session({}, 4 * HOUR)), call(store, 'set', 'ada', found)])
      near((await call(store, 'get', 'ada')).cookie.expires, 4 * HOUR)
    })

    test('a save writes the expiry that the application has changed', async () => {
      const store = database.open()
      await call(store, 'set', 'ada', session({}, 3 * HOUR))
      const found = await call(store, 'get', 'ada')
      found.cookie.expires = new Date(Date.now() + HOUR)
      await call(store, 'set', 'ada', found)
      near((await call(store, 'get', 'ada')).cookie.expires, HOUR)
      // Now it is unchanged.
      await call(store, 'touch', 'ada', session({}, 2 * HOUR))
      await call(store, 'set', 'ada', found)
      near((await call(store, 'get', 'ada')).cookie.expires, 2 * HOUR)
    })
  })

  test('it holds for a session of express-session that its handler saves', async () => {
    const store = database.open()
    await store.set('ada', session({ visits: 1 }, HOUR))
    setClock(HOUR / 2)
    await store.touch('ada', session({}, HOUR))
    setClock(HOUR + MINUTE)
    const loaded = await styles.callback(store, 'load', 'ada')
    expect(loaded.cookie).toBeInstanceOf(Cookie)
    near(loaded.cookie.expires, HOUR / 2 - MINUTE)
    expect(loaded.cookie.originalMaxAge).toBe(HOUR)
    loaded.visits = 2
    await styles.callback(store, 'set', 'ada', loaded)
    expect((await store.get('ada')).visits).toBe(2)
    near((await store.get('ada')).cookie.expires, HOUR / 2 - MINUTE)
    loaded.cookie.maxAge = 2 * MINUTE
    await styles.callback(store, 'set', 'ada', loaded)
    expect(apart(new Date((await store.get('ada')).cookie.expires), Date.now() + 2 * MINUTE)).toBeLessThan(MINUTE)
  })

  test('saves, touches and removals of many sessions do not mix', async () => {
    const store = database.open()
    const sids = Array.from({ length: 150 }, (_, i) => `sid-${i}`)
    await Promise.all(sids.map((sid) => store.set(sid, session({ sid }, HOUR))))
    const found = await Promise.all(sids.map((sid) => store.get(sid)))
    await Promise.all(sids.map((sid, i) => (i % 2 ? store.touch(sid, session({}, 5 * HOUR)) : undefined)))
    await Promise.all(
      found.map((each, i) => {
        // Every third has an expiry of its own, which is written.
        if (i % 3 === 0) each.cookie.expires = new Date(Date.now() + 2 * HOUR)
        return store.set(sids[i], Object.assign(each, { saved: true }))
      })
    )
    const all = await store.all()
    for (const [i, sid] of sids.entries()) {
      const hours = i % 3 === 0 ? 2 : i % 2 ? 5 : 1
      expect({ sid: all[sid].sid, saved: all[sid].saved }).toEqual({ sid, saved: true })
      near(all[sid].cookie.expires, hours * HOUR)
    }
  })

  const forms = [
    ['a string', (ms) => new Date(ms).toISOString(), (value) => Date.parse(value)],
    ['another string', (ms) => new Date(ms).toUTCString(), (value) => Date.parse(value)],
    ['a number', (ms) => ms, (value) => value]
  ]

  test.each(forms)('cookie.expires stays %s', async (_name, form, read) => {
    const store = database.open()
    const value = form(Date.now() + HOUR)
    await store.set('ada', { cookie: { expires: value } })
    await store.touch('ada', session({}, 2 * HOUR))
    const { expires } = (await store.get('ada')).cookie
    expect(typeof expires).toBe(typeof value)
    near(read(expires), 2 * HOUR)
  })

  test('a date of the application’s own serializer stays one', async () => {
    const parse = (text) => {
      const value = JSON.parse(text)
      value.cookie.expires = new Date(value.cookie.expires)
      return value
    }
    const store = database.open({ serializer: { stringify: JSON.stringify, parse } })
    await store.set('ada', session({}, HOUR))
    await store.touch('ada', session({}, 2 * HOUR))
    const { expires } = (await store.get('ada')).cookie
    expect(expires).toBeInstanceOf(Date)
    near(expires, 2 * HOUR)
  })

  test('a cookie without a date gets none, and a later date stays', async () => {
    const store = database.open()
    await store.set('ada', browserSession())
    expect((await store.get('ada')).cookie.expires).toBeNull()
    await store.set('bob', { cookie: { path: '/' } })
    expect((await store.get('bob')).cookie).toEqual({ path: '/' })
    await store.set('eve', session({}, HOUR))
    await store.touch('eve', session({}, MINUTE))
    near((await store.get('eve')).cookie.expires, HOUR)
    await store.set('kim', { cookie: { expires: 'soon' } })
    expect((await store.get('kim')).cookie.expires).toBe('soon')
  })

  withClient('a row that never expires stays so when its session is saved', async () => {
    const store = database.open()
    await store.sync()
    const data = JSON.stringify(session({ user: 'ada' }, -HOUR))
    await database.insertRow(store, { sid: 'ada', data, expires: null })
    const found = await store.get('ada')
    found.user = 'eve'
    await store.set('ada', found)
    expect((await store.get('ada')).user).toBe('eve')
    expect((await database.row(store, 'ada')).expires).toBeNull()
  })

  withSecondStore('a save keeps what another store has given', async () => {
    const store = database.open()
    const other = database.openAgain(store)
    await store.set('ada', session({}, HOUR))
    const found = await store.get('ada')
    await other.touch('ada', session({}, 3 * HOUR))
    await store.set('ada', found)
    near((await store.get('ada')).cookie.expires, 3 * HOUR)
  })
}
