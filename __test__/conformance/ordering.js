'use strict'

const { styles } = require('../support/calls')
const { generator } = require('../support/generator')
const { loaded, session } = require('../support/sessions')
const { HOUR, apart } = require('../support/time')

/**
 * Calls the store at random, for the most part without waiting, and keeps a plain Map in step. Each `get` must give what the map
 * held at the time of the call, and in the end the table must be the map.
 */
async function play(store, seed, bursts) {
  const random = generator(seed)
  const below = (n) => Math.floor(random() * n)
  const model = new Map()
  const found = []
  const expected = []
  let calls = []
  let value = 0

  const alive = (sid) => model.has(sid) && model.get(sid).alive

  function step() {
    // Sessions of `s-…` may be saved as loaded ones; those of `t-…` may expire. What a loaded save does to an expired row is free.
    const mortal = random() < 0.3
    const sid = `${mortal ? 't' : 's'}-${below(6)}`
    const lifetime = HOUR * (1 + below(100))
    const style = styles[random() < 0.5 ? 'callback' : 'promise']
    const next = session({ value: ++value }, lifetime)
    const { expires } = next.cookie
    const dying = session({ value }, -HOUR)
    const dice = below(100)
    if (dice < 25) {
      const place = expected.length
      expected.push([sid, alive(sid) ? model.get(sid).value : null])
      return style(store, 'get', sid).then((result) => {
        found[place] = [sid, result === null ? null : result.value]
      })
    }
    if (dice < 50) {
      model.set(sid, { value, expires, alive: true })
      return style(store, 'set', sid, next)
    }
    if (dice < 65) {
      if (alive(sid)) model.get(sid).expires = expires
      return style(store, 'touch', sid, next)
    }
    if (dice < 80) {
      model.delete(sid)
      return style(store, 'destroy', sid)
    }
    if (mortal) {
      if (dice < 90) {
        model.set(sid, { value, expires: dying.cookie.expires, alive: false })
        return style(store, 'set', sid, dying)
      }
      if (alive(sid)) {
        Object.assign(model.get(sid), {
          expires: dying.cookie.expires,
          alive: false
        })
      }
      return style(store, 'touch', sid, dying)
    }
    if (model.has(sid)) model.set(sid, { value, expires, alive: true })
    return style(store, 'set', sid, loaded(store, sid, next))
  }

  for (let burst = 0; burst < bursts; burst++) {
    const length = 1 + below(random() < 0.2 ? 300 : 30)
    for (let i = 0; i < length; i++) calls.push(step())
    const dice = random()
    if (dice < 0.6) {
      await Promise.all(calls)
      calls = []
    } else if (dice < 0.8) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all(calls)
  return { model, found, expected }
}

module.exports = (database) => {
  test.each([1, 2, 3, 4, 5, 6])('calls take effect in the order in which they were made (seed %i)', async (seed) => {
    const store = database.open({ checkExpirationInterval: 0 })
    const { model, found, expected } = await play(store, seed, 40)
    expect(found).toEqual(expected)

    const live = [...model].filter(([, { alive }]) => alive)
    const all = await store.all()
    expect(Object.keys(all).sort()).toEqual(live.map(([sid]) => sid).sort())
    for (const [sid, { value }] of live) expect(all[sid].value).toBe(value)
    expect(await store.length()).toBe(live.length)
    if (!database.supports.otherClient) return

    expect(await database.count(store)).toBe(model.size)
    for (const [sid, { value, expires }] of model) {
      const row = await database.row(store, sid)
      expect(JSON.parse(row.data).value).toBe(value)
      expect(apart(row.expires, expires)).toBeLessThan(1000)
    }
  })

  test('the last of hundreds of concurrent writes of one session stays', async () => {
    const store = database.open()
    const calls = []
    for (let i = 0; i < 200; i++) {
      calls.push(store.set('ada', session({ i })))
      calls.push(store.touch('ada', session()))
      calls.push(store.destroy('ada'))
      calls.push(store.touch('ada', session()))
    }
    await Promise.all(calls)
    expect(await store.get('ada')).toBeNull()
    await Promise.all([
      ...Array.from({ length: 200 }, () => store.destroy('ada')),
      store.set('ada', session({ user: 'ada' }))
    ])
    expect((await store.get('ada')).user).toBe('ada')
  })

  test('a get sees the writes that were called before it and none after', async () => {
    const store = database.open()
    const seen = []
    const calls = []
    for (let i = 0; i < 300; i++) {
      calls.push(store.set('ada', session({ i })))
      calls.push(store.get('ada').then((found) => seen.push(found.i)))
      calls.push(store.destroy('ada'))
      calls.push(store.get('ada').then((found) => seen.push(found)))
    }
    await Promise.all(calls)
    const expected = Array.from({ length: 300 }, (_, i) => [i, null]).flat()
    expect(seen).toEqual(expected)
  })

  test('promises of one session settle in the order of their calls', async () => {
    const store = database.open()
    const settled = []
    const calls = Array.from({ length: 200 }, (_, i) => {
      const call = i % 3 === 0 ? store.destroy('ada') : store.set('ada', session({ i }))
      return call.then(() => settled.push(i))
    })
    await Promise.all(calls)
    expect(settled).toEqual(Array.from({ length: 200 }, (_, i) => i))
  })
}
