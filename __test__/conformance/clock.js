'use strict'

const { styles } = require('../support/calls')
const { withClock } = require('../support/clock')
const { session } = require('../support/sessions')
const { DAY, HOUR, MINUTE, apart } = require('../support/time')

// There is one clock, that of JavaScript, which tests set as they like.
module.exports = (database, { withClient }) => {
  const setClock = withClock()

  describe.each([
    ['the past', -10 * 365 * DAY],
    ['the future', 10 * 365 * DAY]
  ])('with the clock in %s', (_when, shift) => {
    beforeEach(() => setClock(shift))

    test.each(Object.keys(styles))('a session lives as long as it should (%s)', async (style) => {
      const call = styles[style]
      const store = database.open({ checkExpirationInterval: 0 })
      await call(store, 'set', 'ada', session({ user: 'ada' }, HOUR))
      expect((await call(store, 'get', 'ada')).user).toBe('ada')
      expect(await call(store, 'length')).toBe(1)
      expect(await call(store, 'ids')).toEqual(['ada'])
      expect(await call(store, 'clearExpiredSessions')).toBe(0)
      setClock(shift + HOUR / 2)
      await call(store, 'touch', 'ada', session({}, HOUR))
      setClock(shift + HOUR + MINUTE)
      expect(Object.keys(await call(store, 'all'))).toEqual(['ada'])
      setClock(shift + 2 * HOUR)
      expect(await call(store, 'get', 'ada')).toBeNull()
      expect(await call(store, 'all')).toEqual({})
      expect(await call(store, 'length')).toBe(0)
      // It is over, and a touch does not revive it.
      await call(store, 'touch', 'ada', session({}, HOUR))
      expect(await call(store, 'ids')).toEqual([])
      expect(await call(store, 'clearExpiredSessions')).toBe(1)
    })

    test('a session that is over lives again when the clock is set back', async () => {
      const store = database.open({ checkExpirationInterval: 0 })
      await store.set('ada', session({}, HOUR))
      setClock(shift + DAY)
      expect(await store.get('ada')).toBeNull()
      setClock(shift)
      expect(await store.get('ada')).not.toBeNull()
    })

    withClient('createdAt and updatedAt are by the same clock', async () => {
      const store = database.open()
      await store.set('ada', session({}, HOUR))
      const made = await database.row(store, 'ada')
      expect(apart(made.createdAt, Date.now())).toBeLessThan(1000)
      setClock(shift + HOUR / 2)
      await store.touch('ada', session({}, HOUR))
      const touched = await database.row(store, 'ada')
      expect(touched.createdAt).toEqual(made.createdAt)
      expect(apart(touched.updatedAt, Date.now())).toBeLessThan(1000)
    })
  })
}
