'use strict'

const { styles } = require('../support/calls')
const { session } = require('../support/sessions')

module.exports = (database, { withClient }) => {
  describe.each(Object.keys(styles))('%s', (style) => {
    const call = styles[style]

    test('removes the session and no other', async () => {
      const store = database.open()
      await store.set('ada', session())
      await store.set('bob', session({ user: 'bob' }))
      expect(await call(store, 'destroy', 'ada')).toBeUndefined()
      expect(await store.get('ada')).toBeNull()
      expect((await store.get('bob')).user).toBe('bob')
    })

    test('succeeds for a missing session, and a second time', async () => {
      const store = database.open()
      expect(await call(store, 'destroy', 'nobody')).toBeUndefined()
      await store.set('ada', session())
      await call(store, 'destroy', 'ada')
      expect(await call(store, 'destroy', 'ada')).toBeUndefined()
    })

    test('two concurrent calls both succeed', async () => {
      const store = database.open()
      await store.set('ada', session())
      await Promise.all([call(store, 'destroy', 'ada'), call(store, 'destroy', 'ada')])
      expect(await store.length()).toBe(0)
    })
  })

  test('ignores the context of koa-session', async () => {
    const store = database.open()
    await store.set('ada', session())
    expect(await store.destroy('ada', { ctx: {} })).toBeUndefined()
    expect(await store.get('ada')).toBeNull()
  })

  test('an undefined callback, as express-session passes it, counts as absent', async () => {
    const store = database.open()
    await store.set('ada', session())
    expect(await store.destroy('ada', undefined)).toBeUndefined()
    expect(await store.get('ada')).toBeNull()
  })

  test('the session can be set again', async () => {
    const store = database.open()
    await store.set('ada', session({ visits: 1 }))
    await store.destroy('ada')
    await store.set('ada', session({ visits: 2 }))
    expect((await store.get('ada')).visits).toBe(2)
  })

  test('regenerate destroys the old session', async () => {
    const store = database.open()
    store.generate = (req) => {
      req.sessionID = 'new'
    }
    await store.set('old', session())
    const req = { sessionID: 'old' }
    await styles.callback(store, 'regenerate', req)
    expect(req.sessionID).toBe('new')
    expect(await store.get('old')).toBeNull()
  })

  withClient('removes an expired row', async () => {
    const store = database.open()
    await store.set('ada', session({}, -1000))
    await store.destroy('ada')
    expect(await database.row(store, 'ada')).toBeNull()
  })
}
