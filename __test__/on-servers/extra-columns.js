'use strict'

const { codes } = require('../support/calls')
const { loaded, session } = require('../support/sessions')
const { failure } = require('../support/calls')

/**
 * Columns of the application, written by `extendDefaultFields`. `cases` are `[type, value, text]`, where the text is what the client
 * reads of `asText(column)`; `misfits` are `[type, value]` that the column refuses.
 */
module.exports = (database, { quote: q, varchar, date, asText, cases, misfits }) => {
  const { open, place, query } = database
  const types = [...new Set([...cases, ...misfits].map(([type]) => type))]
  const nameOf = (type) => `c${types.indexOf(type)}`

  async function openWith(extendDefaultFields, options) {
    const where = place()
    const extra = types.map((type) => `, ${nameOf(type)} ${type}`)
    await query(
      where,
      `CREATE TABLE ${q('Sessions')} (${q('sid')} ${varchar} PRIMARY KEY, ${q('expires')} ${date}, ${q('data')} TEXT${extra.join('')})`
    )
    return open({ extendDefaultFields, ...options }, where)
  }

  async function kept(store, type, sid) {
    const sql = `SELECT ${asText(nameOf(type))} AS ${q('value')} FROM ${q('Sessions')} WHERE ${q('sid')} = '${sid}'`
    const [{ value }] = await query(store, sql)
    return value
  }

  const titled = cases.map(([type, value, text]) => ({
    type,
    value,
    text,
    title: `${type}: ${Buffer.isBuffer(value) ? 'bytes' : typeof value} ${typeof value === 'object' ? JSON.stringify(value) : value}`
  }))

  test.each(titled)('$title', async ({ type, value, text }) => {
    const store = await openWith((defaults) => ({ ...defaults, [nameOf(type)]: value }))
    await store.set('ada', session())
    expect(await kept(store, type, 'ada')).toBe(text)
    const slow = loaded(store, 'ada', await store.get('ada'))
    await query(store, `UPDATE ${q('Sessions')} SET ${nameOf(type)} = NULL`)
    await store.set('ada', slow)
    expect(await kept(store, type, 'ada')).toBe(text)
    expect(store.stats().gone).toBe(0)
  })

  test.each(types)('%s: NULL', async (type) => {
    const store = await openWith((defaults, { nothing }) => ({ ...defaults, [nameOf(type)]: nothing }))
    await Promise.all([store.set('ada', session({ nothing: null })), store.set('bob', session())])
    expect([await kept(store, type, 'ada'), await kept(store, type, 'bob')]).toEqual([null, null])
    const slow = loaded(store, 'ada', await store.get('ada'))
    await store.set('ada', slow)
    expect(await kept(store, type, 'ada')).toBeNull()
  })

  test('all of them in one burst, new and loaded', async () => {
    const store = await openWith((defaults, { i }) => ({ ...defaults, [nameOf(cases[i][0])]: cases[i][1] }))
    await Promise.all(cases.map((_, i) => store.set(`${i}`, session({ i }))))
    for (const [i, [type, , text]] of cases.entries()) expect(await kept(store, type, `${i}`)).toBe(text)
    const slow = await Promise.all(cases.map(async (_, i) => loaded(store, `${i}`, await store.get(`${i}`))))
    await query(store, `UPDATE ${q('Sessions')} SET ${types.map((type) => `${nameOf(type)} = NULL`).join()}`)
    await Promise.all(slow.map((each, i) => store.set(`${i}`, each)))
    for (const [i, [type, , text]] of cases.entries()) expect(await kept(store, type, `${i}`)).toBe(text)
  })

  test('a burst can write all columns of each row, some of them NULL', async () => {
    // The last of the cases of each type.
    const last = types.map((type) => cases.findLast(([other]) => other === type)).filter(Boolean)
    const store = await openWith((defaults, { i }) => ({
      ...defaults,
      ...Object.fromEntries(last.map(([type, value], j) => [nameOf(type), (i + j) % 4 ? value : null]))
    }))
    const numbers = Array.from({ length: 60 }, (_, i) => i)
    await Promise.all(numbers.map((i) => store.set(`${i}`, session({ i }))))
    const slow = await Promise.all(
      numbers.map(async (i) => Object.assign(loaded(store, `${i}`, await store.get(`${i}`)), { i: i + 1 }))
    )
    await Promise.all(slow.map((each, i) => store.set(`${i}`, each)))
    const all = last.map(([type]) => `${asText(nameOf(type))} AS ${nameOf(type)}`)
    const rows = await query(store, `SELECT ${q('sid')} AS ${q('sid')}, ${all.join()} FROM ${q('Sessions')}`)
    expect(rows).toHaveLength(60)
    for (const row of rows) {
      for (const [j, [type, , text]] of last.entries()) {
        expect(row[nameOf(type)]).toBe((Number(row.sid) + 1 + j) % 4 ? text : null)
      }
    }
  })

  test('a burst with more values than a statement may have', async () => {
    const where = place()
    const names = Array.from({ length: 260 }, (_, i) => `c${i}`)
    await query(
      where,
      `CREATE TABLE ${q('Sessions')} (${q('sid')} ${varchar} PRIMARY KEY, ${q('expires')} ${date}, ${q('data')} TEXT,
        ${names.map((name) => `${name} INTEGER`).join()})`
    )
    const extendDefaultFields = (defaults, { n }) => ({
      ...defaults,
      ...Object.fromEntries(names.map((name, i) => [name, n + i]))
    })
    const store = open({ extendDefaultFields, pool: { max: 1 } }, where)
    await store.sync()
    const release = await database.lock(store)
    // 65,535 are the most.
    const numbers = Array.from({ length: 256 }, (_, n) => n)
    const calls = numbers.map((n) => store.set(`${n}`, session({ n })))
    await release()
    expect(await codes(calls)).toEqual(calls.map(() => null))
    const rows = await query(where, `SELECT ${q('sid')} AS sid, c0, c259 FROM ${q('Sessions')}`)
    expect(rows).toHaveLength(256)
    for (const { sid, c0, c259 } of rows) expect([c0, c259]).toEqual([Number(sid), Number(sid) + 259])
  })

  test.each(misfits)('a column of type %s refuses %p, and only that session fails', async (type, value) => {
    const store = await openWith((defaults, { odd }) => (odd ? { ...defaults, [nameOf(type)]: value } : defaults))
    const calls = [store.set('ada', session()), store.set('bob', session({ odd: true })), store.set('carl', session())]
    expect(await codes(calls)).toEqual([null, 'ERR_SESSION_DATABASE', null])
    const { cause } = await failure(calls[1])
    expect(cause).toBeInstanceOf(Error)
    expect(await store.ids()).toEqual(['ada', 'carl'])
  })

  test('dates are in the zone of the option timezone where the column has no zone', async () => {
    const at = new Date('2030-01-02T03:04:05Z')
    const zoneless = cases.find(([, value, text]) => value instanceof Date && /^\S+ \d\d:\d\d:\d\d$/.test(text))[0]
    const store = await openWith((defaults) => ({ ...defaults, [nameOf(zoneless)]: at }), { timezone: '+05:30' })
    await store.set('ada', session())
    expect(await kept(store, zoneless, 'ada')).toBe('2030-01-02 08:34:05')
  })

  test('dates do not depend on the option timezone where the column has a zone', async () => {
    const at = new Date('2030-01-02T03:04:05.678Z')
    const [zoned, , text] = cases.find(([type]) => type.startsWith('TIMESTAMP') && /ZONE|NULL/.test(type))
    const store = await openWith((defaults) => ({ ...defaults, [nameOf(zoned)]: at }), { timezone: '+05:30' })
    await store.set('ada', session())
    expect(await kept(store, zoned, 'ada')).toBe(text)
  })
}
