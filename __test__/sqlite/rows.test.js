'use strict'

const { codes, styles } = require('../support/calls')
const { session } = require('../support/sessions')
const { HOUR, MINUTE } = require('../support/time')
const { DATE, open, place, query, sequelizeDate } = require('./setup')

describe('table', () => {
  test('dates are written exactly as Sequelize writes them', async () => {
    const store = open()
    const ada = session()
    const before = Date.now()
    await store.set('ada', ada)
    const after = Date.now()
    const [row] = await query(
      store,
      'SELECT *, typeof(expires) || typeof(createdAt) || typeof(updatedAt) AS types FROM Sessions'
    )
    expect(row.types).toBe('texttexttext')
    expect(row.expires).toBe(sequelizeDate(ada.cookie.expires))
    expect(row.createdAt).toMatch(DATE)
    expect(row.updatedAt).toMatch(DATE)
    for (const text of [row.createdAt, row.updatedAt]) {
      expect(Date.parse(text)).toBeGreaterThanOrEqual(before)
      expect(Date.parse(text)).toBeLessThanOrEqual(after)
    }
  })

  test.each([
    ['1999-12-31T23:59:59.999Z', '1999-12-31 23:59:59.999 +00:00'],
    ['2024-02-29T00:00:00.000Z', '2024-02-29 00:00:00.000 +00:00'],
    ['2030-01-02T03:04:05.006Z', '2030-01-02 03:04:05.006 +00:00'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31 23:59:59.999 +00:00']
  ])('%s is %s', async (iso, text) => {
    const store = open()
    await store.set('ada', { cookie: { expires: new Date(iso) } })
    const [{ expires }] = await query(store, 'SELECT expires FROM Sessions')
    expect(expires).toBe(text)
  })

  test('a touch writes dates of the same form', async () => {
    const store = open()
    await store.set('ada', session())
    const touched = session({}, HOUR)
    await store.touch('ada', touched)
    const [row] = await query(store, 'SELECT * FROM Sessions')
    expect(row.expires).toBe(sequelizeDate(touched.cookie.expires))
    expect(row.updatedAt).toMatch(DATE)
  })

  const offset = (text) => new Date(Date.now() + text)
  const forms = [
    ['Sequelize', sequelizeDate],
    ['Sequelize, without milliseconds', (date) => `${date.toISOString().slice(0, 19).replace('T', ' ')} +00:00`],
    ['SQLite', (date) => date.toISOString().slice(0, 19).replace('T', ' ')],
    ['SQLite, with milliseconds', (date) => date.toISOString().slice(0, 23).replace('T', ' ')],
    ['JavaScript', (date) => date.toISOString()],
    ['ISO 8601, with an offset', (date) => date.toISOString().replace('Z', '+00:00')],
    ['another time zone', (date) => sequelizeDate(new Date(Number(date) + 5.5 * HOUR)).replace('+00:00', '+05:30')]
  ]

  test.each(forms)('a date in the form of %s is read', async (_name, form) => {
    const store = open()
    await store.sync()
    const times = { live: MINUTE, later: 30 * HOUR, dead: -5_000, old: -30 * HOUR }
    for (const [sid, ms] of Object.entries(times)) {
      await query(store, 'INSERT INTO Sessions VALUES (?, ?, ?, ?, ?)', [
        sid,
        form(offset(ms)),
        '{"cookie":{}}',
        sequelizeDate(new Date()),
        sequelizeDate(new Date())
      ])
    }
    const found = await Promise.all(Object.keys(times).map((sid) => store.get(sid)))
    expect(found.map((value) => value !== null)).toEqual([true, true, false, false])
    expect((await store.ids()).sort()).toEqual(['later', 'live'])
    expect(await store.length()).toBe(2)
    await store.touch('dead', session())
    expect(await store.get('dead')).toBeNull()
    expect(await store.clearExpiredSessions()).toBe(2)
    await store.touch('live', session())
    expect((await store.ids()).sort()).toEqual(['later', 'live'])
  })

  test.each([
    ['an empty string', "''"],
    ['a word', "'soon'"],
    ['an integer', '5'],
    ['a real number', '2.5e12'],
    ['a blob', "x'00ff'"]
  ])('a date that is %s fails no call', async (_name, sql) => {
    const store = open()
    await store.set('ada', session())
    await query(store, `INSERT INTO Sessions VALUES ('odd', ${sql}, '{"cookie":{}}', '', '')`)
    const outcome = await codes([
      store.get('odd'),
      store.get('ada'),
      store.ids(),
      store.all(),
      store.length(),
      store.touch('odd', session()),
      store.clearExpiredSessions(),
      store.set('odd', session())
    ])
    expect(outcome).toEqual(Array(8).fill(null))
    expect(await store.get('odd')).not.toBeNull()
  })

  test.each([
    ['a blob', `x'7b7d'`],
    ['an integer', '5'],
    ['text that is not UTF-8', `CAST(x'7b22ff227d' AS TEXT)`],
    ['text with a NUL', `CAST(x'7b007d' AS TEXT)`]
  ])('data that is %s is a miss and fails no call', async (_name, sql) => {
    const store = open()
    await store.set('ada', session({ user: 'ada' }))
    await query(store, `INSERT INTO Sessions VALUES ('odd', '9999-12-31 00:00:00.000 +00:00', ${sql}, '', '')`)
    const [odd, ada] = await Promise.all([store.get('odd'), store.get('ada')])
    expect(odd === null || typeof odd === 'object').toBe(true)
    expect(await styles.callback(store, 'get', 'odd')).toBeNull()
    expect(ada.user).toBe('ada')
    expect(Object.keys(await store.all())).toContain('ada')
    expect(await query(store, 'SELECT sid FROM Sessions')).toHaveLength(2)
  })

  test('an id that is not text fails no call', async () => {
    const store = open()
    await store.set('ada', session({ user: 'ada' }))
    for (const sid of ["x'00ff'", 'NULL', "CAST(x'ff' AS TEXT)"]) {
      await query(
        store,
        `INSERT INTO Sessions VALUES (${sid}, '9999-12-31 00:00:00.000 +00:00', '{"cookie":{}}', '', '')`
      )
    }
    expect((await store.all()).ada.user).toBe('ada')
    expect(await store.ids()).toContain('ada')
    for await (const [sid] of store.iterate()) expect(typeof sid).toBe('string')
    await store.set('bob', session())
    expect(await store.clearExpiredSessions()).toBe(0)
  })

  test('with dates in milliseconds keeps them, whatever single rows have', async () => {
    const where = place()
    await query(where, 'CREATE TABLE Sessions (sid TEXT PRIMARY KEY, expires BIGINT, data TEXT)')
    await query(where, `INSERT INTO Sessions VALUES ('a', 0, '{}'), ('b', ${Date.now() + HOUR}, '{"cookie":{}}')`)
    const store = open({}, where)
    expect(await store.ids()).toEqual(['b'])
    await store.set('c', session())
    const [{ least }] = await query(where, 'SELECT min(expires) AS least FROM Sessions WHERE expires > 0')
    expect(Number(least)).toBeGreaterThan(Date.now())
  })
})
