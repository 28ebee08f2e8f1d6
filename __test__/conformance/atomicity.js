'use strict'

const { session } = require('../support/sessions')

// A `set` is one atomic statement: those who create the same session at the same time do not collide.
module.exports = (database, { withSecondStore }) => {
  test('many concurrent calls for one new session leave the last one', async () => {
    const store = database.open()
    const calls = Array.from({ length: 300 }, (_, i) => store.set('ada', session({ i })))
    await Promise.all(calls)
    expect((await store.get('ada')).i).toBe(299)
    expect(await store.length()).toBe(1)
  })

  withSecondStore('several stores can create one session at the same time', async () => {
    const first = database.open()
    const stores = [first, ...[1, 2, 3].map(() => database.openAgain(first))]
    const calls = stores.flatMap((store, i) => Array.from({ length: 25 }, () => store.set('ada', session({ i }))))
    await Promise.all(calls)
    expect(await first.ids()).toEqual(['ada'])
    expect([0, 1, 2, 3]).toContain((await first.get('ada')).i)
  })
}
