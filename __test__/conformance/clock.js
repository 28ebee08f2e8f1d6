'use strict'

const { styles } = require('../support/calls')
const { session } = require('../support/sessions')
const { DAY, HOUR, MINUTE, apart } = require('../support/time')

// There is one clock, that of JavaScript, which tests set as they like.
module.exports = (database, { withClient }) => {
  let real

  beforeEach(() => {
    real = Date.now()
    jest.useFakeTimers({ doNotFake: fakeable(), now: real })
  })

  afterEach(() => jest.useRealTimers())

  /** Everything but the date. */
  function fakeable() {
    return [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout'
    ]
  }

  describe.each([
    ['the past', -10 * 365 * DAY],
    ['the future', 10 * 365 * DAY]
  ])('with the clock in %s', (_when, shift) => {
    beforeEach(() => jest.setSystemTime(real + shift))

    test.each(Object.keys(styles))('a session lives as long as it should (%s)', async (style) => {
      const call = styles[style]
      const store = database.open({ checkExpirationInterval: 0 })
      await call(store, 'set', 'ada', session({ user: 'ada' }, HOUR))
      expect((await call(store, 'get', 'ada')).user).toBe('ada')
      expect(await call(store, 'length')).toBe(1)
      expect(await call(store, 'ids')).toEqual(['ada'])
      expect(await call(store, 'clearExpiredSessions')).toBe(0)
      jest.setSystemTime(real + shift + HOUR / 2)
      await call(store, 'touch', 'ada', session({}, HOUR))
      jest.setSystemTime(real + shift + HOUR + MINUTE)
      expect(Object.keys(await call(store, 'all'))).toEqual(['ada'])
      jest.setSystemTime(real + shift + 2 * HOUR)
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
      jest.setSystemTime(real + shift + DAY)
      expect(await store.get('ada')).toBeNull()
      jest.setSystemTime(real + shift)
      expect(await store.get('ada')).not.toBeNull()
    })

    withClient('createdAt and updatedAt are by the same clock', async () => {
      const store = database.open()
      await store.set('ada', session({}, HOUR))
      const made = await database.row(store, 'ada')
      expect(apart(made.createdAt, real + shift)).toBeLessThan(1000)
      jest.setSystemTime(real + shift + HOUR / 2)
      await store.touch('ada', session({}, HOUR))
      const touched = await database.row(store, 'ada')
      expect(touched.createdAt).toEqual(made.createdAt)
      expect(apart(touched.updatedAt, real + shift + HOUR / 2)).toBeLessThan(1000)
    })
  })
}
