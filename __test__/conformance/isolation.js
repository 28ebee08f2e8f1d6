'use strict'

const { codes, styles } = require('../support/calls')
const { session } = require('../support/sessions')

// One session that cannot be stored does not harm those that are written with it.
module.exports = (database) => {
  test('one call that fails does not fail its neighbors', async () => {
    const store = database.open()
    const values = Array.from({ length: 100 }, (_, i) => (i % 10 === 3 ? session({ big: 1n }) : session({ i })))
    const outcome = await codes(values.map((v, i) => store.set(`${i}`, v)))
    expect(outcome).toEqual(values.map((v) => (v.big === undefined ? null : 'ERR_SESSION_DATA')))
    expect(await store.length()).toBe(90)
  })

  const circular = session()
  circular.self = circular
  const failing = [
    ['a circular object', circular],
    ['a BigInt', session({ big: 5n })],
    [
      'a throwing toJSON',
      session({
        value: {
          toJSON() {
            throw new RangeError('from toJSON')
          }
        }
      })
    ],
    [
      'a throwing getter',
      Object.defineProperty(session(), 'value', {
        enumerable: true,
        get() {
          throw new RangeError('from the getter')
        }
      })
    ],
    ['a toJSON that gives undefined', session({ toJSON: () => undefined })]
  ]

  describe.each(failing)('%s', (_name, value) => {
    test.each(Object.keys(styles))('fails in %s style and harms nothing', async (style) => {
      const call = styles[style]
      const store = database.open()
      await store.set('ada', session({ visits: 1 }))
      const outcome = await codes([
        call(store, 'set', 'bob', session()),
        call(store, 'set', 'ada', value),
        call(store, 'set', 'carl', session())
      ])
      expect(outcome).toEqual([null, 'ERR_SESSION_DATA', null])
      expect((await store.get('ada')).visits).toBe(1)
      expect(await store.length()).toBe(3)
    })
  })

  test('the cause of the failure is what was thrown', async () => {
    const store = database.open()
    const thrown = new RangeError('thrown')
    const value = session({
      toJSON() {
        throw thrown
      }
    })
    const error = await store.set('ada', value).catch((reason) => reason)
    expect(error.cause).toBe(thrown)
  })
}
