'use strict'

const { codes, failure } = require('../support/calls')
const { loaded, session } = require('../support/sessions')
const { DDL, open, place, query } = require('./setup')

describe('extra columns', () => {
  const types = {
    plain: '',
    text: 'TEXT',
    integer: 'INTEGER',
    real: 'REAL',
    numeric: 'NUMERIC',
    blob: 'BLOB',
    date: 'DATETIME',
    flag: 'TINYINT(1)',
    json: 'JSON'
  }

  async function openWith(extendDefaultFields) {
    const where = place()
    const extra = Object.entries(types).map(([name, type]) => `, ${name} ${type}`)
    await query(where, `${DDL.slice(0, -1)}${extra.join('')})`)
    return open({ extendDefaultFields }, where)
  }

  /** The value and how SQLite keeps it, exact for integers. */
  async function kept(store, column, sid) {
    const [row] = await query(
      store,
      `SELECT typeof(${column}) AS type, CASE typeof(${column}) WHEN 'integer' THEN CAST(${column} AS TEXT) ELSE ${column} END AS value
        FROM Sessions WHERE sid = ?`,
      [sid]
    )
    const value = Buffer.isBuffer(row.value) ? row.value.toString('hex') : row.value
    return [row.type, value]
  }

  const cases = [
    ['plain', null, 'null', null],
    ['plain', undefined, 'null', null],
    ['plain', '', 'text', ''],
    ['plain', 'ada', 'text', 'ada'],
    ['plain', '5', 'text', '5'],
    ['plain', 'it\'s `" \\ 😀\n', 'text', 'it\'s `" \\ 😀\n'],
    ['plain', 5, 'integer', '5'],
    ['plain', -5, 'integer', '-5'],
    ['plain', 0, 'integer', '0'],
    ['plain', 1.5, 'real', 1.5],
    ['plain', -1e300, 'real', -1e300],
    ['plain', 5e-324, 'real', 5e-324],
    ['plain', 0.1 + 0.2, 'real', 0.1 + 0.2],
    ['plain', Number.MAX_SAFE_INTEGER, 'integer', '9007199254740991'],
    ['plain', 5n, 'integer', '5'],
    ['plain', 2n ** 63n - 1n, 'integer', '9223372036854775807'],
    ['plain', -(2n ** 63n), 'integer', '-9223372036854775808'],
    ['plain', true, 'integer', '1'],
    ['plain', false, 'integer', '0'],
    ['plain', new Date(1_700_000_000_123), 'text', '2023-11-14 22:13:20.123 +00:00'],
    ['plain', Buffer.from([0, 255, 39]), 'blob', '00ff27'],
    ['plain', Buffer.alloc(0), 'blob', ''],
    ['plain', new Uint8Array([1, 2, 3]), 'blob', '010203'],
    ['plain', new Uint8Array([1, 2, 3, 4]).subarray(1, 3), 'blob', '0203'],
    ['plain', { a: [1, 'é'] }, 'text', '{"a":[1,"é"]}'],
    ['plain', [1, null, 'x'], 'text', '[1,null,"x"]'],
    ['text', '5', 'text', '5'],
    ['text', 5, 'text', '5'],
    ['text', new Date(0), 'text', '1970-01-01 00:00:00.000 +00:00'],
    ['integer', 5, 'integer', '5'],
    ['integer', 2n ** 53n + 1n, 'integer', '9007199254740993'],
    ['integer', 1.5, 'real', 1.5],
    ['real', 5, 'real', 5],
    ['real', 1.25, 'real', 1.25],
    ['numeric', '12', 'integer', '12'],
    ['blob', Buffer.from('ada'), 'blob', '616461'],
    ['blob', 'ada', 'text', 'ada'],
    ['date', new Date(0), 'text', '1970-01-01 00:00:00.000 +00:00'],
    ['flag', true, 'integer', '1'],
    ['json', { a: 1 }, 'text', '{"a":1}'],
    ['json', '{"a":1}', 'text', '{"a":1}'],
    ['json', [], 'text', '[]']
  ].map(([column, value, type, expected]) => ({
    title: `${column} of ${typeof value} ${Buffer.isBuffer(value) ? value.toString('hex') : String(value)}`,
    column,
    value,
    expected: [type, expected]
  }))

  test.each(cases)('$title', async ({ column, value, expected }) => {
    const store = await openWith((defaults) => ({
      ...defaults,
      [column]: value
    }))
    await store.set('ada', session())
    expect(await kept(store, column, 'ada')).toEqual(expected)
    const slow = loaded(store, 'ada', await store.get('ada'))
    await query(store, `UPDATE Sessions SET ${column} = 'changed'`)
    await store.set('ada', slow)
    expect(await kept(store, column, 'ada')).toEqual(expected)
  })

  test('all of them in one burst', async () => {
    const store = await openWith((defaults, { i }) => ({
      ...defaults,
      [cases[i].column]: cases[i].value
    }))
    await Promise.all(cases.map((_, i) => store.set(`${i}`, session({ i }))))
    for (const [i, { column, expected }] of cases.entries()) {
      expect(await kept(store, column, `${i}`)).toEqual(expected)
    }
  })

  test('all columns in one row', async () => {
    const values = {
      plain: 'x',
      text: 'y',
      integer: 1,
      real: 2.5,
      numeric: 3,
      blob: Buffer.from([1, 2]),
      date: new Date(0),
      flag: false,
      json: { a: 1 }
    }
    const store = await openWith((defaults) => ({ ...defaults, ...values }))
    await Promise.all(Array.from({ length: 40 }, (_, i) => store.set(`${i}`, session({ i }))))
    const rows = await query(store, "SELECT *, hex(blob) AS hex FROM Sessions WHERE text = 'y'")
    expect(rows).toHaveLength(40)
    expect(rows[39]).toMatchObject({
      plain: 'x',
      integer: 1,
      real: 2.5,
      numeric: 3,
      hex: '0102',
      date: '1970-01-01 00:00:00.000 +00:00',
      flag: 0,
      json: '{"a":1}'
    })
  })

  test('a large blob', async () => {
    const picture = Buffer.alloc(3 * 2 ** 20, 'ab\0')
    const store = await openWith((defaults) => ({ ...defaults, blob: picture }))
    await store.set('ada', session())
    const [{ blob }] = await query(store, 'SELECT blob FROM Sessions')
    expect(picture.equals(blob)).toBe(true)
  })

  test('a burst can have more values than a statement has parameters', async () => {
    const names = Array.from({ length: 1500 }, (_, i) => `c${i}`)
    const where = place()
    await query(where, `${DDL.slice(0, -1)}, ${names.join()})`)
    const values = Object.fromEntries(names.map((name, i) => [name, i]))
    const store = open({ extendDefaultFields: (defaults) => ({ ...defaults, ...values }) }, where)
    await Promise.all(Array.from({ length: 50 }, (_, i) => store.set(`${i}`, session())))
    const [row] = await query(where, 'SELECT count(*) AS rows, sum(c1499) AS sum FROM Sessions')
    expect(row).toEqual({ rows: 50, sum: 50 * 1499 })
  })

  test('the store’s own columns cannot be written twice', async () => {
    const store = await openWith((defaults) => ({ ...defaults, sid: 'bob' }))
    const [code] = await codes([store.set('ada', session())])
    expect([null, 'ERR_SESSION_DATA', 'ERR_SESSION_TABLE']).toContain(code)
    expect(await store.get('bob')).toBeNull()
  })
})

describe('a row that the table refuses', () => {
  test('fails alone', async () => {
    const where = place()
    await query(where, `${DDL.slice(0, -1)}, CHECK (data NOT LIKE '%forbidden%'))`)
    const store = open({}, where)
    const calls = Array.from({ length: 200 }, (_, i) =>
      store.set(`${i}`, session({ i, word: i % 50 === 7 ? 'forbidden' : 'fine' }))
    )
    const outcome = await codes(calls)
    expect(outcome).toEqual(calls.map((_, i) => (i % 50 === 7 ? 'ERR_SESSION_DATABASE' : null)))
    expect(await store.length()).toBe(196)
    const { cause } = await failure(calls[7])
    expect(cause).toBeInstanceOf(Error)
    expect(cause.code).toBe('275')
  })

  test('fails alone among calls for the same session', async () => {
    const where = place()
    await query(where, `${DDL.slice(0, -1)}, CHECK (data NOT LIKE '%forbidden%'))`)
    const store = open({}, where)
    await store.sync()
    const outcome = await codes([
      store.set('ada', session({ word: 'one' })),
      store.set('ada', session({ word: 'forbidden' })),
      store.get('ada'),
      store.touch('ada', session()),
      store.destroy('bob'),
      store.set('carl', session({ word: 'forbidden' }))
    ])
    expect(outcome[1]).toBe('ERR_SESSION_DATABASE')
    expect(outcome[5]).toBe('ERR_SESSION_DATABASE')
    expect([0, 2, 3, 4].map((i) => outcome[i])).toEqual([null, null, null, null])
    expect((await store.get('ada')).word).toBe('one')
  })

  test('because of a unique column fails alone', async () => {
    const where = place()
    await query(where, `${DDL.slice(0, -1)}, userId TEXT UNIQUE)`)
    const store = open(
      {
        extendDefaultFields: (defaults, { user }) => ({
          ...defaults,
          userId: user
        })
      },
      where
    )
    const users = ['ada', 'bob', 'ada', 'carl']
    const outcome = await codes(users.map((user, i) => store.set(`${i}`, session({ user }))))
    expect(outcome).toEqual([null, null, 'ERR_SESSION_DATABASE', null])
    expect((await store.ids()).sort()).toEqual(['0', '1', '3'])
  })
})
