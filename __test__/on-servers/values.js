'use strict'

const createDebug = require('debug')
const { codes, styles } = require('../support/calls')
const { browserSession, loaded, session, stored } = require('../support/sessions')
const { DAY, HOUR, MINUTE, apart, until } = require('../support/time')
const { tablesOf } = require('./ddl')
const { KEPT, textOf } = require('./texts')

/**
 * Every value that a column can hold. Beyond what tables.js needs, a server's kit has
 *
 * - `values`: types of `expires`, each with literals by what becomes of their rows: `live`, `dead` or `unreadable`;
 *   `binary`: types of `data` that hold any bytes, and the literal of a byte that is not UTF-8; `lenient(sql)`, which is run without
 *   the checks that can be switched off;
 * - `alterations`: clauses of ALTER TABLE, each run on a table that the clauses before it have changed.
 */
module.exports = (database, kit) => {
  const { quote: q, dates, values, binary, lenient, alterations } = kit
  const { open, query } = database
  const { columns, existing } = tablesOf(database, kit)

  const noStamps = { createdAt: null, updatedAt: null }
  const literals = (kinds) =>
    Object.entries(kinds).flatMap(([fate, list]) => list.map((literal, i) => [`${fate} ${i}`, literal]))

  const insert = (where, sid, expires, data = `'{"cookie":{}}'`) =>
    query(where, lenient(`INSERT INTO ${q('Sessions')} VALUES ('${sid}', ${expires}, ${data})`))

  describe.each(Object.entries(values))('expires of the type %s', (type, kinds) => {
    const rows = literals(kinds)
    const sids = (fate) => rows.map(([sid]) => sid).filter((sid) => sid.startsWith(fate))

    async function filled() {
      const where = await existing(columns({ expires: type, ...noStamps }))
      const store = open({ checkExpirationInterval: 0 }, where)
      await store.set('mate', session({ user: 'mate' }))
      for (const [sid, literal] of rows) await insert(where, sid, literal)
      return store
    }

    test('any value is served beside others, and all calls agree on it', async () => {
      const store = await filled()
      for (const call of Object.values(styles)) {
        const all = ['mate', ...rows.map(([sid]) => sid), 'mate']
        const found = await Promise.all(all.map((sid) => call(store, 'get', sid)))
        const live = all.filter((_sid, i) => found[i] !== null)
        expect(live).toEqual(['mate', ...sids('live'), 'mate'])
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
      const touched = await codes(all.map((sid) => store.touch(sid, session())))
      expect(touched).toEqual(all.map(() => null))
      expect((await store.ids()).sort()).toEqual(['mate', ...sids('live')].sort())
      await store.clearExpiredSessions()
      expect(await store.length()).toBe(sids('live').length + 1)
      for (const sid of ['mate', ...sids('live')]) expect(await store.get(sid)).not.toBeNull()
      const saved = await codes(all.map((sid) => store.set(sid, session())))
      expect(saved).toEqual(all.map(() => null))
      expect(await store.length()).toBe(all.length + 1)
    })
  })

  test.each(Object.entries(binary))('data of the type %s may be no text', async (type, literal) => {
    const where = await existing(columns({ data: type, ...noStamps }))
    const store = open({ checkExpirationInterval: 0 }, where)
    await store.set('mate', session({ user: 'mate' }))
    await insert(where, 'odd', 'NULL', literal)
    const [odd, mate] = await Promise.all([store.get('odd'), store.get('mate')])
    expect(odd).toBeNull()
    expect(mate.user).toBe('mate')
    expect(Object.keys(await store.all())).toEqual(['mate'])
    expect(store.stats()).toMatchObject({ errors: 0, unreadable: 2 })
  })

  test.each(KEPT)(
    'a row that expires in %d h by a clock of %s is compared as an instant',
    async (hours, zone, left) => {
      const where = await existing(columns({ expires: 'VARCHAR(64)', ...noStamps }))
      const data = JSON.stringify(session({ user: 'ada' }, 2 * HOUR))
      await insert(where, 'ada', `'${textOf([2, '+00:00'])}'`, `'${data}'`)
      const store = open({}, where)
      const found = await store.get('ada')
      await query(where, `UPDATE ${q('Sessions')} SET ${q('expires')} = '${textOf([hours, zone])}'`)
      await store.set('ada', Object.assign(found, { saved: true }))
      expect((await store.get('ada')).saved).toBe(true)
      const again = (await store.get('ada')).cookie.expires
      expect(apart(new Date(again), Date.now() + left * HOUR)).toBeLessThan(MINUTE)
      const [{ text }] = await query(
        where,
        `SELECT ${q('expires')} AS text FROM ${q('Sessions')} WHERE ${q('sid')} = 'ada'`
      )
      // It was kept or written.
      expect(text.endsWith(zone)).toBe(hours > 2)
    }
  )

  describe('an expiry that is further away than the column reaches:', () => {
    const far = [
      ['a hundred years', () => ({ cookie: { maxAge: 36_500 * DAY } }), true],
      ['the end of the calendar', () => ({ cookie: { expires: new Date('9999-12-31T23:59:59.999Z') } }), true],
      ['the last date of JavaScript', () => ({ cookie: { expires: new Date(8.64e15) } }), true],
      ['the first date of JavaScript', () => ({ cookie: { expires: new Date(-8.64e15) } }), false],
      ['1970', () => ({ cookie: { expires: new Date(0) } }), false]
    ]

    test.each(Object.keys(dates))('in a column of the type %s', async (type) => {
      const ddl = columns({ expires: type, createdAt: `${type.replace(' NULL', '')} NULL` })
      for (const [name, make, alive] of far) {
        const where = await existing(ddl)
        const store = open({ checkExpirationInterval: 0 }, where)
        await store.set('touched', session())
        await store.set('saved', session())
        const request = loaded(store, 'saved', { ...stored(browserSession()), ...make() })
        const outcome = await codes([
          store.set('new', make()),
          store.touch('touched', make()),
          store.set('saved', request)
        ])
        expect([name, outcome]).toEqual([name, [null, null, null]])
        expect([name, (await store.ids()).sort()]).toEqual([name, alive ? ['new', 'saved', 'touched'] : []])
        expect((await store.get('new')) !== null).toBe(alive)
        expect([name, await store.clearExpiredSessions()]).toEqual([name, alive ? 0 : 3])
        await store.close()
      }
    })
  })

  describe('integers as dates', () => {
    const seconds = (ms) => Math.floor((Date.now() + ms) / 1000)
    const never = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000
    const named = { layout: 'express-mysql-session', columns: { sid: 'sid' } }

    const table = async (rows) => {
      const where = await existing(columns({ expires: 'BIGINT', ...noStamps }))
      for (const [sid, expires] of Object.entries(rows)) await insert(where, sid, expires)
      return where
    }

    const extremes = {
      never,
      'never in ms': never * 1000,
      'JavaScript’s last': 8_640_000_000_000,
      largest: '9223372036854775807',
      zero: 0,
      negative: -1
    }

    test.each(Object.entries(extremes))('one row that is %s changes no guess', async (_name, extreme) => {
      const inSeconds = { a: seconds(HOUR), b: seconds(2 * HOUR), dead: seconds(-HOUR) }
      const inMs = { a: Date.now() + HOUR, b: Date.now() + 2 * HOUR, dead: Date.now() - HOUR }
      for (const rows of [inSeconds, inMs]) {
        for (const all of [rows, { extreme, ...rows }]) {
          const where = await table(all)
          const store = open({ checkExpirationInterval: 0 }, where)
          const ids = await store.ids()
          expect(ids.filter((sid) => sid !== 'extreme').sort()).toEqual(['a', 'b'])
          expect(await store.length()).toBe(ids.length)
          await store.clearExpiredSessions()
          expect((await store.ids()).filter((sid) => sid !== 'extreme').sort()).toEqual(['a', 'b'])
          await store.close()
        }
      }
    })

    test('a session for ever leaves the unit of the others, also after a restart', async () => {
      const where = await table({ a: seconds(HOUR), b: seconds(HOUR), c: seconds(HOUR) })
      const store = open({}, where)
      await store.set('ever', { cookie: { expires: new Date('9999-12-31') } })
      await store.close()
      const again = open({ checkExpirationInterval: 0 }, where)
      expect(await again.length()).toBe(4)
      expect(await again.clearExpiredSessions()).toBe(0)
      expect(await again.length()).toBe(4)
    })

    test('seconds given for milliseconds in one row do not make the others live', async () => {
      const where = await table({ a: Date.now() + HOUR, dead: Date.now() - HOUR, gone: Date.now() - 2 * HOUR })
      const store = open({}, where)
      await store.set('odd', { cookie: { expires: new Date(seconds(HOUR)) } })
      await store.close()
      const again = open({ checkExpirationInterval: 0 }, where)
      expect(await again.ids()).toEqual(['a'])
      expect(await again.clearExpiredSessions()).toBe(3)
    })

    test('a layout that is named is believed, whatever the rows say', async () => {
      const where = await table({ ms: Date.now() + HOUR, more: Date.now() + HOUR })
      const store = open({ ...named, tableName: 'Sessions' }, where)
      await store.set('ours', session({}, HOUR))
      const [{ at }] = await query(
        store,
        `SELECT ${q('expires')} AS at FROM ${q('Sessions')} WHERE ${q('sid')} = 'ours'`
      )
      expect(Number(at)).toBeLessThan(seconds(2 * HOUR))
      expect((await store.ids()).sort()).toEqual(['more', 'ms', 'ours'])
    })

    test('a guess is said once in the debug log', async () => {
      const said = []
      createDebug.log = (...args) => said.push(args.join(' '))
      createDebug.enable('rust-sequelize-store')
      try {
        const store = open({}, await table({ a: seconds(HOUR), b: seconds(HOUR) }))
        for (let i = 0; i < 3; i++) await store.get('a')
        const notes = said.filter((line) => line.includes('since 1970'))
        expect(notes).toHaveLength(1)
        expect(notes[0]).toMatch(/expires.*Sessions.*taken for seconds.*2 of its rows.*0 as milliseconds/)
      } finally {
        createDebug.disable()
        delete createDebug.log
      }
    })
  })

  test('a column may be altered again and again while the store runs', async () => {
    const where = await existing(columns())
    const store = open({ checkExpirationInterval: 0 }, where)
    for (const change of [null, ...alterations]) {
      if (change !== null) await query(where, `ALTER TABLE ${q('Sessions')} ${change}`)
      const sids = Array.from({ length: 8 }, (_, i) => `${i}`)
      await codes([...sids.map((sid) => store.set(sid, session({ change }))), store.get('0'), store.length()])
      // Those who have waited fail once at most.
      const second = await codes(sids.map((sid) => store.set(sid, session({ change }))))
      expect([change, second]).toEqual([change, sids.map(() => null)])
      const found = await Promise.all(sids.map((sid) => store.get(sid)))
      expect(found.map((value) => value?.change)).toEqual(sids.map(() => change))
      await store.touch('0', session({}, 2 * HOUR))
      await store.set('dead', session({}, -HOUR))
      expect(await store.length()).toBe(8)
      expect((await store.ids()).sort()).toEqual(sids)
      expect(await store.clearExpiredSessions()).toBe(1)
      await store.clear()
    }
  })

  test('a session of less than a second lives for its time in a table of ours', async () => {
    const store = open()
    await store.sync()
    // It ends within the second in which it begins.
    const fraction = () => Date.now() % 1000
    await until(() => fraction() > 50 && fraction() < 300)
    const expires = new Date(Date.now() - fraction() + 950)
    await store.set('ada', { cookie: { expires } })
    const found = await store.get('ada')
    const length = await store.length()
    if (Date.now() < expires) {
      expect(found).not.toBeNull()
      expect(length).toBe(1)
    }
    await until(() => Date.now() > expires)
    expect(await store.get('ada')).toBeNull()
    expect(await store.length()).toBe(0)
  })
}
