'use strict'

const { styles } = require('../support/calls')
const { loaded, session } = require('../support/sessions')
const { HOUR, apart } = require('../support/time')

// What is written is the session at the time of the call.
module.exports = (database, { withClient }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('later changes to the session are not written', async () => {
      const store = database.open()
      const ada = session({ visits: 1, nested: { list: [1] } })
      const written = call(store, 'set', 'ada', ada)
      ada.visits = 2
      ada.nested.list.push(2)
      ada.added = true
      ada.cookie.expires = new Date(0)
      await written
      const found = await store.get('ada')
      expect(found).toMatchObject({ visits: 1, nested: { list: [1] } })
      expect(found).not.toHaveProperty('added')
    })

    test('later changes to a loaded session are not written', async () => {
      const store = database.open()
      await store.set('ada', session({ visits: 1 }))
      const request = loaded(store, 'ada', await store.get('ada'))
      request.visits = 2
      const written = call(store, 'set', 'ada', request)
      request.visits = 3
      await written
      expect((await store.get('ada')).visits).toBe(2)
    })
  })

  test('concurrent calls with one object store its state at the last call', async () => {
    const store = database.open()
    const ada = session()
    const calls = []
    for (let i = 0; i < 100; i++) {
      ada.i = i
      calls.push(store.set(`sid-${i}`, ada), store.set('ada', ada))
    }
    ada.i = 'later'
    await Promise.all(calls)
    const all = await store.all()
    for (let i = 0; i < 100; i++) expect(all[`sid-${i}`].i).toBe(i)
    expect(all.ada.i).toBe(99)
  })

  test('the session is serialized once, during the call', async () => {
    const store = database.open()
    let times = 0
    const ada = session({
      value: {
        toJSON() {
          times++
          return 'serialized'
        }
      }
    })
    const written = store.set('ada', ada)
    expect(times).toBe(1)
    await written
    expect(times).toBe(1)
    expect((await store.get('ada')).value).toBe('serialized')
  })

  withClient('a touch takes the cookie at the time of the call', async () => {
    const store = database.open()
    const ada = session()
    await store.set('ada', ada)
    const expires = new Date(Date.now() + HOUR)
    ada.cookie.expires = expires
    const touched = store.touch('ada', ada)
    ada.cookie.expires = new Date(0)
    await touched
    const row = await database.row(store, 'ada')
    expect(apart(row.expires, expires)).toBeLessThan(1000)
  })

  withClient('a date that is changed in place after the call is not written', async () => {
    const store = database.open()
    const ada = session()
    const expires = new Date(ada.cookie.expires)
    const written = store.set('ada', ada)
    ada.cookie.expires.setTime(0)
    await written
    const row = await database.row(store, 'ada')
    expect(apart(row.expires, expires)).toBeLessThan(1000)
  })
}
