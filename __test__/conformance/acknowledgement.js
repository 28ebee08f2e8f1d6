'use strict'

const { session } = require('../support/sessions')

// What was acknowledged is found by every later call.
module.exports = (database) => {
  test('an acknowledged write is seen by every later read', async () => {
    const store = database.open()
    const writers = Array.from({ length: 20 }, async (_, writer) => {
      const sid = `sid-${writer}`
      for (let i = 0; i < 50; i++) {
        await store.set(sid, session({ i }))
        const [one, other] = await Promise.all([store.get(sid), store.get(sid)])
        expect([one.i, other.i]).toEqual([i, i])
      }
      await store.destroy(sid)
      expect(await store.get(sid)).toBeNull()
    })
    await Promise.all(writers)
    expect(await store.length()).toBe(0)
  })

  test('an acknowledged write is counted and listed', async () => {
    const store = database.open()
    for (let i = 1; i <= 30; i++) {
      await store.set(`sid-${i}`, session())
      expect(await store.length()).toBe(i)
      expect(await store.ids()).toHaveLength(i)
    }
  })
}
