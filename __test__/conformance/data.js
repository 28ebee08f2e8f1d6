'use strict'

const { styles } = require('../support/calls')
const { session, stored } = require('../support/sessions')

const MIB = 2 ** 20

/** Every UTF-16 unit once, lone surrogates among them. */
function allUnits() {
  const units = Array.from({ length: 0x10000 }, (_, unit) => unit)
  const pieces = []
  // One string, but not in order: the surrogates would form pairs.
  for (const unit of units.reverse()) pieces.push(String.fromCharCode(unit))
  return pieces.join('')
}

function nested(depth) {
  let value = 'bottom'
  for (let i = 0; i < depth; i++) value = i % 2 ? { value } : [value]
  return value
}

const values = [
  ['quotes', `'"\`\\ '' "" -- ; /* */ ? $1 :a @b`],
  ['NUL', 'a\0b'],
  ['escapes', '\\u0000 \\n \n \r \t \b \f \v \u2028 \u2029'],
  ['every UTF-16 unit', allUnits()],
  ['a lone high surrogate', '\ud83d'],
  ['a lone low surrogate', '\ude00'],
  ['emoji', '👩‍👩‍👧 😀'],
  ['a long string', 'é'.repeat(100_000)],
  ['numbers', [0, -1, 1.5, 1e300, 5e-324, 2 ** 53, 0.1 + 0.2, 1e21]],
  ['booleans and null', [true, false, null]],
  ['empty things', ['', {}, [], [[]]]],
  ['a deep array', nested(900)],
  ['many keys', Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key-${i}`, i]))],
  ['awkward keys', { '': 1, '\0': 2, '\ud83d': 3, "'": 4, '"': 5, '😀': 6, toString: 7, constructor: 8 }]
]

module.exports = (database, { withClient }) => {
  test.each(values)('%s come back as they were', async (_name, value) => {
    const store = database.open()
    const ada = session({ value })
    await store.set('ada', ada)
    expect(await store.get('ada')).toEqual(stored(ada))
    expect(await styles.callback(store, 'get', 'ada')).toEqual(stored(ada))
    expect((await store.all()).ada).toEqual(stored(ada))
  })

  test('all of them at once', async () => {
    const store = database.open()
    const sessions = values.map(([, value]) => session({ value }))
    await Promise.all(sessions.map((value, i) => store.set(`${i}`, value)))
    const found = await Promise.all(sessions.map((_, i) => store.get(`${i}`)))
    expect(found).toEqual(sessions.map(stored))
  })

  test('deeper nesting than a database would parse', async () => {
    const store = database.open()
    const ada = session({ value: nested(3000) })
    const text = JSON.stringify(ada)
    await store.set('ada', ada)
    expect(JSON.stringify(await store.get('ada')) === text).toBe(true)
  })

  test('dates, buffers, undefined and the like come back as JSON has them', async () => {
    const store = database.open()
    const ada = session({
      date: new Date(5),
      buffer: Buffer.from('ada'),
      nothing: undefined,
      method() {},
      nan: Number.NaN,
      map: new Map([[1, 2]])
    })
    await store.set('ada', ada)
    expect(await store.get('ada')).toEqual(stored(ada))
  })

  test('an empty object is data', async () => {
    const store = database.open()
    await store.set('ada', {})
    expect(await store.get('ada')).toEqual({})
    await store.set('ada', { cookie: {} })
    expect(await styles.callback(store, 'get', 'ada')).toEqual({ cookie: {} })
  })

  test.each([1, database.supports.mebibytes])('a session of %i MiB', async (size) => {
    const store = database.open()
    const text = 'é"'.repeat((size * MIB) / 4)
    await store.set('ada', session({ text }))
    await store.touch('ada', session())
    expect((await store.get('ada')).text === text).toBe(true)
    const slow = store.createSession({ sessionID: 'ada' }, await store.get('ada'))
    slow.text = `${text}!`
    await store.set('ada', slow)
    expect((await store.get('ada')).text === slow.text).toBe(true)
  })

  test('large sessions in one burst with small ones', async () => {
    const store = database.open()
    const text = (i) => `${i}`.repeat(2 * MIB)
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => [
        store.set(`large-${i}`, session({ text: text(i) })),
        store.set(`small-${i}`, session({ text: `${i}` }))
      ]).flat()
    )
    const found = await Promise.all(
      Array.from({ length: 8 }, (_, i) => [store.get(`large-${i}`), store.get(`small-${i}`)]).flat()
    )
    for (let i = 0; i < 8; i++) {
      expect(found[2 * i].text === text(i)).toBe(true)
      expect(found[2 * i + 1].text).toBe(`${i}`)
    }
  })

  test('a key __proto__ pollutes nothing', async () => {
    const store = database.open()
    const text = '{"cookie":{"path":"/"},"__proto__":{"polluted":true}}'
    await store.set('ada', JSON.parse(text))
    for (const call of Object.values(styles)) {
      const found = await call(store, 'get', 'ada')
      expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
      expect(found.polluted).toBeUndefined()
      expect(JSON.stringify(found)).toBe(text)
      expect((await call(store, 'all')).ada.polluted).toBeUndefined()
    }
    expect({}.polluted).toBeUndefined()
  })

  withClient('the column holds the JSON text', async () => {
    const store = database.open()
    for (const [name, value] of values) {
      const ada = session({ value })
      await store.set(name, ada)
      const { data } = await database.row(store, name)
      expect(data === JSON.stringify(ada)).toBe(true)
    }
  })

  withClient('text that another program has written is read', async () => {
    const store = database.open()
    await store.sync()
    const { expires } = session().cookie
    const data = ' { "cookie" : { "path" : "/" } , "user" : "ad\\u00e4 😀" } \n'
    await database.insertRow(store, { sid: 'ada', data, expires })
    expect(await styles.callback(store, 'get', 'ada')).toEqual({
      cookie: { path: '/' },
      user: 'adä 😀'
    })
  })
}
