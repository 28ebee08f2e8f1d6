'use strict'

const { styles } = require('../support/calls')
const { session } = require('../support/sessions')

module.exports = (database, { withClient }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('counts live sessions', async () => {
      const store = database.open()
      expect(await call(store, 'length')).toBe(0)
      const sids = Array.from({ length: 250 }, (_, i) => `sid-${i}`)
      await Promise.all(sids.map((sid) => store.set(sid, session())))
      await store.set('expired', session({}, -1000))
      expect(await call(store, 'length')).toBe(250)
      await store.destroy('sid-0')
      expect(await call(store, 'length')).toBe(249)
    })
  })

  withClient('a session that never expires is counted', async () => {
    const store = database.open()
    await store.sync()
    const data = JSON.stringify(session())
    await database.insertRow(store, { sid: 'ada', data, expires: null })
    expect(await store.length()).toBe(1)
  })
}
