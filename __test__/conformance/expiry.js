'use strict'

const { collect, styles } = require('../support/calls')
const { browserSession, session } = require('../support/sessions')
const { DAY, HOUR, MINUTE, apart, sleep } = require('../support/time')

/** A session with this for its cookie's expires. */
const withExpires = (expires) => ({ cookie: { expires, path: '/' } })

module.exports = (database, { withClient }) => {
  test('no method finds an expired session', async () => {
    const store = database.open({ checkExpirationInterval: 0 })
    await store.set('ada', session({}, 30))
    await store.set('bob', session())
    await sleep(50)
    for (const call of Object.values(styles)) {
      expect(await call(store, 'get', 'ada')).toBeNull()
      expect(await call(store, 'ids')).toEqual(['bob'])
      expect(Object.keys(await call(store, 'all'))).toEqual(['bob'])
      expect(await call(store, 'length')).toBe(1)
    }
    const pairs = await collect(store.iterate())
    expect(pairs.map(([sid]) => sid)).toEqual(['bob'])
  })

  test('cookie.maxAge, or _expire of koa-session, replaces a missing cookie.expires', async () => {
    const store = database.open()
    const expected = Date.now() + 2 * HOUR
    const live = [{ cookie: { maxAge: 2 * HOUR } }, { _expire: expected, _maxAge: 2 * HOUR }]
    for (const value of live) {
      expect(apart(store.expiration(value), expected)).toBeLessThan(MINUTE)
    }
    await store.set('dead', { cookie: { maxAge: -1000 } })
    await store.set('past', { _expire: Date.now() - 1000, _maxAge: HOUR })
    await store.set('live', live[1])
    expect(await store.ids()).toEqual(['live'])
  })

  const soon = () => Date.now() + 2 * HOUR
  const forms = [
    ['a Date', (time) => new Date(time)],
    ['an ISO string', (time) => new Date(time).toISOString()],
    ['another string', (time) => new Date(time).toUTCString()],
    ['a number', (time) => time]
  ]

  test.each(forms)('cookie.expires may be %s', async (_name, form) => {
    const store = database.open()
    const time = soon()
    const live = withExpires(form(time))
    expect(store.expiration(live)).toBeInstanceOf(Date)
    expect(apart(store.expiration(live), time)).toBeLessThan(1000)
    await store.set('live', live)
    await store.set('dead', withExpires(form(Date.now() - 2 * HOUR)))
    await store.set('touched', session())
    await store.touch('touched', withExpires(form(Date.now() - 2 * HOUR)))
    expect(await store.ids()).toEqual(['live'])
  })

  const absent = [
    ['null', withExpires(null)],
    ['undefined', withExpires(undefined)],
    ['absent', { cookie: {} }],
    ['an invalid date', withExpires(new Date(Number.NaN))],
    ['an invalid string', withExpires('soon')],
    ['not a number', withExpires(Number.NaN)],
    ['infinite', withExpires(Number.POSITIVE_INFINITY)],
    ['an object', withExpires({})],
    ['false, as of a cookie that ends with the browser', withExpires(false)],
    ['that of a session without a cookie', {}],
    ['that of a null cookie', { cookie: null }]
  ]

  test.each(absent)('the default lifetime holds if cookie.expires is %s', async (_name, value) => {
    const store = database.open({ expiration: 3 * HOUR })
    const expected = Date.now() + 3 * HOUR
    expect(apart(store.expiration(value), expected)).toBeLessThan(MINUTE)
    await store.set('ada', value)
    await store.touch('ada', value)
    expect(await store.ids()).toEqual(['ada'])
  })

  withClient.each(absent)('the row has the right expiry if cookie.expires is %s', async (_name, value) => {
    const store = database.open({ expiration: 3 * HOUR })
    await store.set('ada', value)
    const { expires } = await database.row(store, 'ada')
    expect(apart(expires, Date.now() + 3 * HOUR)).toBeLessThan(MINUTE)
  })

  withClient.each(forms)('the row has the right expiry if cookie.expires is %s', async (_name, form) => {
    const store = database.open()
    const time = soon()
    await store.set('ada', withExpires(form(time)))
    const { expires } = await database.row(store, 'ada')
    expect(apart(expires, time)).toBeLessThan(1000)
  })

  test('the default lifetime is a day, and a session expires after it', async () => {
    const store = database.open()
    expect(apart(store.expiration(browserSession()), Date.now() + DAY)).toBeLessThan(MINUTE)
    store.options.expiration = 20
    await store.set('ada', browserSession())
    await sleep(50)
    expect(await store.get('ada')).toBeNull()
  })

  test('the lifetime given to set overrides the cookie', async () => {
    const store = database.open()
    await store.set('ada', session({}, -1000), HOUR)
    await store.set('bob', session(), 20)
    await sleep(50)
    expect(await store.ids()).toEqual(['ada'])
  })

  withClient('the row has the lifetime given to set', async () => {
    const store = database.open()
    await store.set('ada', session(), 2 * HOUR)
    await store.set('bob', { user: 'bob' }, 'session')
    const ada = await database.row(store, 'ada')
    const bob = await database.row(store, 'bob')
    expect(apart(ada.expires, Date.now() + 2 * HOUR)).toBeLessThan(MINUTE)
    expect(apart(bob.expires, Date.now() + DAY)).toBeLessThan(MINUTE)
  })

  const farthest = 8.64e15

  test.each([
    ['the last date of JavaScript', withExpires(new Date(farthest)), true],
    ['the year 10000', withExpires(new Date('+010000-01-01T00:00:00Z')), true],
    ['the year 9999', withExpires(new Date('9999-12-31T23:59:59.999Z')), true],
    ['the first date of JavaScript', withExpires(new Date(-farthest)), false],
    ['the year -1', withExpires(new Date('-000001-01-01T00:00:00Z')), false],
    ['the year 0', withExpires(new Date('0000-01-01T00:00:00Z')), false],
    ['1970', withExpires(new Date(0)), false]
  ])('%s is a date like any other', async (_name, value, alive) => {
    const store = database.open()
    await store.set('ada', value)
    await store.set('bob', session())
    await store.touch('bob', value)
    const expected = alive ? ['ada', 'bob'] : []
    expect((await store.ids()).sort()).toEqual(expected)
    expect(await store.clearExpiredSessions()).toBe(alive ? 0 : 2)
    expect((await store.ids()).sort()).toEqual(expected)
  })

  test('any lifetime is accepted', async () => {
    const store = database.open({ expiration: Number.MAX_SAFE_INTEGER })
    await store.set('ada', browserSession())
    await store.set('bob', session(), Number.MAX_SAFE_INTEGER)
    expect((await store.ids()).sort()).toEqual(['ada', 'bob'])
    expect(await store.clearExpiredSessions()).toBe(0)
  })

  withClient('a row without expires does not expire', async () => {
    const store = database.open()
    await store.sync()
    const data = JSON.stringify(session({ user: 'ada' }, -1000))
    await database.insertRow(store, { sid: 'ada', data, expires: null })
    for (const call of Object.values(styles)) {
      expect((await call(store, 'get', 'ada')).user).toBe('ada')
    }
    expect(await store.clearExpiredSessions()).toBe(0)
    expect((await database.row(store, 'ada')).expires).toBeNull()
  })

  withClient('a row without expires can be touched', async () => {
    const store = database.open()
    await store.sync()
    const data = JSON.stringify(session({ user: 'ada' }))
    await database.insertRow(store, { sid: 'ada', data, expires: null })
    const touched = session({}, HOUR)
    await store.touch('ada', touched)
    const { expires } = await database.row(store, 'ada')
    expect(expires).not.toBeNull()
    expect(apart(expires, touched.cookie.expires)).toBeLessThan(1000)
  })

  withClient('the expiry is that of the column, not of the cookie in the data', async () => {
    const store = database.open()
    await store.sync()
    await database.insertRow(store, {
      sid: 'live',
      data: JSON.stringify(session({}, -HOUR)),
      expires: new Date(Date.now() + HOUR)
    })
    await database.insertRow(store, {
      sid: 'dead',
      data: JSON.stringify(session({}, HOUR)),
      expires: new Date(Date.now() - HOUR)
    })
    expect(await store.get('live')).not.toBeNull()
    expect(await store.get('dead')).toBeNull()
    expect(await store.ids()).toEqual(['live'])
  })
}
