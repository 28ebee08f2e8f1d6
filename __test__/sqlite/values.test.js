'use strict'

const createDebug = require('debug')
const { KEPT, TEXTS, textOf } = require('../on-servers/texts')
const { codes, styles } = require('../support/calls')
const { session } = require('../support/sessions')
const { HOUR, MINUTE, apart } = require('../support/time')
const { open, place, query } = require('./setup')

// Every value that a column can hold. SQLite keeps any value in any column.

const NEVER = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000

const NUMBERS = ['2.5e12', '-1e300', '9e999', '-9e999', '2460000.5']
const BYTES = ["x''", "x'00ff'", "x'323039302d30312d3031'"]

const VALUES = {
  DATETIME: {
    live: [...TEXTS.live, "'9998-12-31 23:59:59 -14:00'"],
    dead: [...TEXTS.dead, "'0000-01-01 00:00:00'"],
    unreadable: [...TEXTS.unreadable, ...BYTES]
  },
  TEXT: {
    live: TEXTS.live,
    dead: TEXTS.dead,
    unreadable: [...TEXTS.unreadable, ...BYTES, "CAST(x'32303930ff' AS TEXT)"]
  },
  BLOB: { live: TEXTS.live, dead: TEXTS.dead, unreadable: [...TEXTS.unreadable, ...NUMBERS, '5', ...BYTES] },
  BIGINT: {
    live: ['9223372036854775807', '253402300799999', '253402300800000', 'NULL'],
    dead: ['-9223372036854775808', '-1', '0'],
    unreadable: ["'soon'", "''", "'NaN'", '9e999', '-9e999', "'2090-01-01 00:00:00'", ...BYTES]
  }
}

const literals = (kinds) =>
  Object.entries(kinds).flatMap(([fate, list]) => list.map((literal, i) => [`${fate} ${i}`, literal]))

async function table(type, rows) {
  const where = place()
  await query(where, `CREATE TABLE Sessions (sid TEXT PRIMARY KEY, expires ${type}, data TEXT)`)
  for (const [sid, literal] of rows) {
    await query(where, `INSERT INTO Sessions VALUES ('${sid}', ${literal}, '{"cookie":{}}')`)
  }
  return where
}

describe.each(Object.entries(VALUES))('expires of the type %s', (type, kinds) => {
  const rows = literals(kinds)
  const sids = (fate) => rows.map(([sid]) => sid).filter((sid) => sid.startsWith(fate))

  async function filled() {
    const store = open({ checkExpirationInterval: 0 }, await table(type, rows))
    await store.set('mate', session({ user: 'mate' }))
    return store
  }

  test('any value is served beside others, and all calls agree on it', async () => {
    const store = await filled()
    for (const call of Object.values(styles)) {
      const all = ['mate', ...rows.map(([sid]) => sid), 'mate']
      const found = await Promise.all(all.map((sid) => call(store, 'get', sid)))
      expect(all.filter((_sid, i) => found[i] !== null)).toEqual(['mate', ...sids('live'), 'mate'])
    }
    const live = ['mate', ...sids('live')].sort()
    expect((await store.ids()).sort()).toEqual(live)
    expect(Object.keys(await store.all()).sort()).toEqual(live)
    expect(await store.length()).toBe(live.length)
    expect(store.stats()).toMatchObject({ errors: 0, unreadable: 2 * sids('unreadable').length })
  })

  test('any value can be touched, pruned and replaced', async () => {
    const store = await filled()
    const all = rows.map(([sid]) => sid)
    expect(await codes(all.map((sid) => store.touch(sid, session())))).toEqual(all.map(() => null))
    expect((await store.ids()).sort()).toEqual(['mate', ...sids('live')].sort())
    expect(await store.clearExpiredSessions()).toBe(sids('dead').length)
    expect(await store.length()).toBe(sids('live').length + 1)
    expect(await codes(all.map((sid) => store.set(sid, session())))).toEqual(all.map(() => null))
    expect(await store.length()).toBe(all.length + 1)
  })
})

test.each(KEPT)('a row that expires in %d h by a clock of %s is compared as an instant', async (hours, zone, left) => {
  const where = await table('TEXT', [])
  const data = JSON.stringify(session({ user: 'ada' }, 2 * HOUR))
  await query(where, 'INSERT INTO Sessions VALUES (?, ?, ?)', ['ada', textOf([2, '+00:00']), data])
  const store = open({}, where)
  const found = await store.get('ada')
  await query(where, 'UPDATE Sessions SET expires = ?', [textOf([hours, zone])])
  await store.set('ada', Object.assign(found, { saved: true }))
  expect((await store.get('ada')).saved).toBe(true)
  const again = (await store.get('ada')).cookie.expires
  expect(apart(new Date(again), Date.now() + left * HOUR)).toBeLessThan(MINUTE)
  const [{ text }] = await query(where, "SELECT expires AS text FROM Sessions WHERE sid = 'ada'")
  // It was kept or written.
  expect(text.endsWith(zone)).toBe(hours > 2)
})

test.each(['', 'WITHOUT ROWID'])(
  'expired rows whose ids are no texts keep no others from being pruned %s',
  async (how) => {
    const where = place()
    await query(where, `CREATE TABLE Sessions (sid NOT NULL PRIMARY KEY, expires TEXT, data TEXT) ${how}`)
    const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)'
    for (const sid of ["CAST('ada' || i AS BLOB)", "x'ff' || i", "'b' || x'ff' || i", 'i', "'sid' || i", "'!' || i"]) {
      await query(where, `INSERT INTO Sessions ${numbers} SELECT ${sid}, '2020-01-01 00:00:00.000 +00:00', '{}' FROM n`)
    }
    const store = open({ checkExpirationInterval: 0 }, where)
    await store.set('mate', session())
    expect(await store.clearExpiredSessions()).toBeGreaterThanOrEqual(1200)
    const sids = "sid LIKE 'sid%' OR sid LIKE '!%' OR sid = 'mate'"
    const [{ left }] = await query(where, `SELECT count(*) AS left FROM Sessions WHERE ${sids}`)
    expect(left).toBe(1)
    expect(await store.ids()).toContain('mate')
    expect(store.stats().errors).toBe(0)
  }
)

test('live rows whose ids are no texts are in no list, and end none', async () => {
  const where = place()
  await query(where, 'CREATE TABLE Sessions (sid PRIMARY KEY, expires TEXT, data TEXT)')
  const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)'
  for (const sid of ["CAST('ada' || i AS BLOB)", "x'ff' || i", "'b' || x'ff' || i", 'i', 'NULL']) {
    await query(where, `INSERT INTO Sessions ${numbers} SELECT ${sid}, NULL, '{}' FROM n`)
  }
  const store = open({}, where)
  const sids = ['!', 'a', 'b', 'bz', 'c', 'é', '😀']
  for (const sid of sids) await store.set(sid, session({ sid }))
  expect(await store.ids()).toEqual(sids)
  expect(Object.keys(await store.all()).sort()).toEqual([...sids].sort())
})

test('bytes that are no text may be the first row of a column of JSON', async () => {
  const where = place()
  await query(where, 'CREATE TABLE Sessions (sid TEXT PRIMARY KEY, expires DATETIME, data JSON)')
  await query(where, "INSERT INTO Sessions VALUES ('odd', NULL, x'ff00')")
  const store = open({}, where)
  await store.set('ada', session({ user: 'ada' }))
  expect((await store.get('ada')).user).toBe('ada')
  expect(await store.get('odd')).toBeNull()
})

describe('integers as dates', () => {
  const seconds = (ms) => Math.floor((Date.now() + ms) / 1000)
  const inSeconds = () => ({ a: seconds(HOUR), b: seconds(2 * HOUR), dead: seconds(-HOUR) })
  const inMs = () => ({ a: Date.now() + HOUR, b: Date.now() + 2 * HOUR, dead: Date.now() - HOUR })

  test.each([NEVER, NEVER * 1000, 8_640_000_000_000, '9223372036854775807', 0, -1, '9e999', "'soon'"])(
    'one row of %s changes no guess',
    async (extreme) => {
      for (const rows of [inSeconds(), inMs()]) {
        const where = await table('BIGINT', Object.entries({ extreme, ...rows }))
        const store = open({ checkExpirationInterval: 0 }, where)
        const ids = await store.ids()
        expect(ids.filter((sid) => sid !== 'extreme').sort()).toEqual(['a', 'b'])
        expect(await store.length()).toBe(ids.length)
        await store.clearExpiredSessions()
        expect((await store.ids()).filter((sid) => sid !== 'extreme').sort()).toEqual(['a', 'b'])
      }
    }
  )

  test('a session for ever leaves the unit of the others, also after a restart', async () => {
    const where = await table('INTEGER', Object.entries(inSeconds()))
    const store = open({}, where)
    await store.set('ever', { cookie: { expires: new Date('9999-12-31') } })
    await store.close()
    const again = open({ checkExpirationInterval: 0 }, where)
    expect(await again.length()).toBe(3)
    expect(await again.clearExpiredSessions()).toBe(1)
  })

  test('a layout that is named is believed, whatever the rows say', async () => {
    const where = await table('INTEGER', Object.entries(inMs()))
    const store = open({ layout: 'express-mysql-session', tableName: 'Sessions', columns: { sid: 'sid' } }, where)
    await store.set('ours', session({}, HOUR))
    const [{ expires }] = await query(where, "SELECT expires FROM Sessions WHERE sid = 'ours'")
    expect(expires).toBeLessThan(seconds(2 * HOUR))
  })

  test('a guess is said once in the debug log', async () => {
    const said = []
    createDebug.log = (...args) => said.push(args.join(' '))
    createDebug.enable('rust-sequelize-store')
    try {
      const store = open({}, await table('INTEGER', Object.entries(inSeconds())))
      for (let i = 0; i < 3; i++) await store.get('a')
      expect(said.filter((line) => line.includes('taken for seconds since 1970'))).toHaveLength(1)
    } finally {
      createDebug.disable()
      delete createDebug.log
    }
  })
})

test('a table of other types may take the place of the one that the store has found', async () => {
  const where = await table('DATETIME', [])
  const store = open({ checkExpirationInterval: 0 }, where)
  await store.set('ada', session())
  await query(where, 'DROP TABLE Sessions')
  await query(where, 'CREATE TABLE Sessions (sid TEXT PRIMARY KEY, expires INTEGER, data TEXT)')
  await query(where, `INSERT INTO Sessions VALUES ('bob', ${Date.now() + HOUR}, '{"cookie":{},"user":"bob"}')`)
  expect((await store.get('bob')).user).toBe('bob')
  await store.set('ada', session({ user: 'ada' }))
  expect((await store.ids()).sort()).toEqual(['ada', 'bob'])
})

test.each([
  ['DATETIME', 'INTEGER', 'integer'],
  ['BIGINT', 'DATETIME', 'text'],
  ['TEXT', 'BIGINT', 'integer'],
  ["DATETIME DEFAULT 'it''s'", 'INTEGER', 'integer']
])('what is written after %s has become %s is of the new type', async (before, after, kept) => {
  const where = await table(before, [])
  const store = open({ checkExpirationInterval: 0 }, where)
  const sids = ['ada', 'bob', 'eve']
  for (const sid of sids) await store.set(sid, session({ sid }))
  await query(where, 'DROP TABLE Sessions')
  await query(where, `CREATE TABLE Sessions (sid TEXT PRIMARY KEY, expires ${after}, data TEXT)`)
  // Nothing is read before.
  await Promise.all(sids.map((sid) => store.set(sid, session({ sid }, 2 * HOUR))))
  await store.touch('ada', session({}, 3 * HOUR))
  const rows = await query(where, 'SELECT DISTINCT typeof(expires) AS kept FROM Sessions')
  expect(rows).toEqual([{ kept }])
  expect(await store.ids()).toEqual(sids)
  expect(store.stats().errors).toBe(0)
})

test('another table that is made or altered meanwhile disturbs nothing', async () => {
  const where = await table('DATETIME', [])
  const store = open({}, where)
  await store.set('ada', session())
  await query(where, 'CREATE TABLE Others (a)')
  await query(where, 'ALTER TABLE Sessions ADD COLUMN note TEXT')
  await store.set('bob', session())
  expect(store.stats()).toMatchObject({ errors: 0, retries: 0 })
})
