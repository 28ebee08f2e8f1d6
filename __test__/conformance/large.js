'use strict'

const { collect, styles } = require('../support/calls')
const { session } = require('../support/sessions')

const MB = 1_000_000

// What is bounded in bytes; the bounds themselves are tested in src/queue/.
module.exports = (database) => {
  /** Counts the turns of the event loop until `stop` is called. */
  function countTurns() {
    let turns = 0
    let running = true
    const turn = () => {
      turns++
      if (running) setImmediate(turn)
    }
    setImmediate(turn)
    return {
      get count() {
        return turns
      },
      stop() {
        running = false
      }
    }
  }

  const large = (user, size = 2 * MB) => session({ user, text: user[0].repeat(size) })

  test.each(Object.keys(styles))(
    'many concurrent gets of a large session yield a copy each, and let the event loop turn (%s)',
    async (style) => {
      const store = database.open()
      await store.set('ada', large('ada'))
      const turns = countTurns()
      const seen = []
      const gets = Array.from({ length: 100 }, async () => {
        const found = await styles[style](store, 'get', 'ada')
        seen.push(turns.count)
        expect(found.text).toHaveLength(2 * MB)
        expect(found.mark).toBeUndefined()
        found.mark = true
      })
      await Promise.all(gets)
      turns.stop()
      // No turn hands out more than one. Sequelize hands out what its driver has read.
      if (!database.supports.model) expect(new Set(seen).size).toBe(100)
      expect(store.stats()).toMatchObject({ hits: 100, misses: 0, pending: 0 })
    }
  )

  test('concurrent gets of different large sessions yield each its own', async () => {
    const store = database.open()
    const users = Array.from({ length: 20 }, (_, i) => `${String.fromCharCode(97 + i)}-${i}`)
    for (const user of users) await store.set(user, large(user, MB))
    await store.set('small', session({ user: 'small', text: '' }))
    const sids = Array.from({ length: 200 }, (_, i) => (i % 5 === 0 ? 'small' : users[i % 20]))
    const found = await Promise.all(
      sids.map(async (sid) => {
        const { user, text } = await store.get(sid)
        return [user, text.length, text[0] ?? '']
      })
    )
    expect(found).toEqual(sids.map((sid) => (sid === 'small' ? ['small', 0, ''] : [sid, MB, sid[0]])))
    expect(await store.get('missing')).toBeNull()
    expect(store.stats().pending).toBe(0)
  })

  test('reads and writes of a large session keep their order', async () => {
    const store = database.open()
    const calls = []
    for (const user of ['ada', 'bob', 'carl']) {
      calls.push(store.set('sid', large(user)).then(() => 'set'))
      for (let i = 0; i < 5; i++) calls.push(store.get('sid').then((found) => found.user))
    }
    calls.push(store.destroy('sid').then(() => 'destroyed'))
    calls.push(store.get('sid'))
    const gets = (user) => ['set', ...Array(5).fill(user)]
    expect(await Promise.all(calls)).toEqual([...gets('ada'), ...gets('bob'), ...gets('carl'), 'destroyed', null])
  })

  test('lists hold all large sessions, in the order of their ids', async () => {
    const store = database.open()
    const sids = Array.from({ length: 30 }, (_, i) => `sid-${String(i).padStart(2, '0')}`)
    await Promise.all(sids.map((sid, i) => store.set(sid, i % 3 === 0 ? large(sid, MB) : session({ user: sid }))))
    const pairs = await collect(store.iterate())
    expect(pairs.map(([sid, { user }]) => [sid, user])).toEqual(sids.map((sid) => [sid, sid]))
    const all = await store.all()
    expect(Object.keys(all)).toEqual(sids)
    expect(all['sid-03'].text).toHaveLength(MB)
  })
}
