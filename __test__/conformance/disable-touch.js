'use strict'

const { styles } = require('../support/calls')
const { session } = require('../support/sessions')
const { HOUR, apart } = require('../support/time')

module.exports = (database, { withClient }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('a touch succeeds and writes nothing', async () => {
      const store = database.open({ disableTouch: true })
      await store.set('ada', session())
      const touched = call(store, 'touch', 'ada', session({}, -1000))
      expect(await touched).toBeUndefined()
      expect(await store.ids()).toEqual(['ada'])
      expect(store.stats()).toMatchObject({ touches: 1, touchesSkipped: 1 })
    })
  })

  test('the option can be changed while the store is open', async () => {
    const store = database.open()
    await store.set('ada', session())
    store.options.disableTouch = true
    await store.touch('ada', session({}, -1000))
    expect(await store.ids()).toEqual(['ada'])
    store.options.disableTouch = false
    await store.touch('ada', session({}, -1000))
    expect(await store.ids()).toEqual([])
  })

  test('the callback is not called before touch has returned', async () => {
    const store = database.open({ disableTouch: true })
    let returned = false
    const deferred = await new Promise((resolve) => {
      store.touch('ada', session(), () => resolve(returned))
      returned = true
    })
    expect(deferred).toBe(true)
  })

  test('a closed store still rejects', async () => {
    const store = database.open({ disableTouch: true })
    await store.close()
    await expect(store.touch('ada', session())).rejects.toHaveProperty('code', 'ERR_SESSION_CLOSED')
  })

  withClient('a set still moves the expiry', async () => {
    const store = database.open({ disableTouch: true })
    await store.set('ada', session())
    const ada = session({}, HOUR)
    await store.set('ada', ada)
    const { expires } = await database.row(store, 'ada')
    expect(apart(expires, ada.cookie.expires)).toBeLessThan(1000)
  })
}
