'use strict'

const { styles } = require('../support/calls')
const { session } = require('../support/sessions')

module.exports = (database, { withClient, withSecondStore }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('removes all sessions', async () => {
      const store = database.open()
      const sids = Array.from({ length: 100 }, (_, i) => `sid-${i}`)
      await Promise.all(sids.map((sid) => store.set(sid, session())))
      expect(await call(store, 'clear')).toBeUndefined()
      expect(await store.length()).toBe(0)
      expect(await store.get('sid-0')).toBeNull()
      expect(await call(store, 'clear')).toBeUndefined()
    })
  })

  test('takes effect in the order of concurrent calls', async () => {
    const store = database.open()
    const before = Array.from({ length: 50 }, (_, i) => `before-${i}`)
    const after = Array.from({ length: 50 }, (_, i) => `after-${i}`)
    await Promise.all([
      ...before.map((sid) => store.set(sid, session())),
      store.clear(),
      ...after.map((sid) => store.set(sid, session()))
    ])
    expect((await store.ids()).sort()).toEqual([...after].sort())
  })

  withClient('removes expired rows too', async () => {
    const store = database.open()
    await store.set('ada', session())
    await store.set('bob', session({}, -1000))
    await store.clear()
    expect(await database.count(store)).toBe(0)
  })

  withSecondStore('is seen by other stores', async () => {
    const store = database.open()
    const other = database.openAgain(store)
    await store.set('ada', session())
    await other.clear()
    expect(await store.get('ada')).toBeNull()
  })
}
