'use strict'

const { codes, styles } = require('../support/calls')
const { loaded, session, stored } = require('../support/sessions')
const { HOUR, MINUTE } = require('../support/time')
const { tablesOf } = require('./ddl')
const { exercise } = require('../support/exercise')

/**
 * Tables that somebody else has made. A server's test file says how it spells things:
 *
 * - `quote(name)`; `varchar` for a session id; `date`, the type that Sequelize takes for dates; `key`, what makes a column the key;
 *   `serial`, a column that numbers its rows;
 * - `dataTypes`: types of `data`, each true if the column keeps the very text; `dates`: types of `expires`, each with the text that
 *   the instant 2030-01-02 03:04:05.678 UTC is there; `localDates`: pairs of a type and that text with the `timezone` '+05:30';
 *   `asText(column)`: an expression of that text.
 */
module.exports = (database, kit) => {
  const { quote: q, varchar, date, key, serial, dataTypes, dates, localDates, asText } = kit
  const { open, query } = database
  const instant = new Date('2030-01-02T03:04:05.678Z')
  const { columns, existing } = tablesOf(database, kit)

  const noStamps = { createdAt: null, updatedAt: null }

  describe('a table with', () => {
    test.each([
      ['the columns of Sequelize', {}],
      ['no timestamps', noStamps],
      ['createdAt alone', { updatedAt: null }],
      ['updatedAt alone', { createdAt: null }],
      ['underscored timestamps', { ...noStamps, created_at: `${date} NOT NULL`, updated_at: `${date} NOT NULL` }],
      ['deletedAt', { deletedAt: date }],
      ['deleted_at', { ...noStamps, created_at: `${date} NOT NULL`, updated_at: `${date} NOT NULL`, deleted_at: date }],
      ['an id of 255 characters', { sid: `VARCHAR(255) ${key}` }],
      ['an id that is unique but not the key', { id: serial, sid: `${varchar} NOT NULL UNIQUE` }],
      ['a further column with a default', { note: "VARCHAR(20) NOT NULL DEFAULT 'none'" }]
    ])('%s', async (_name, given) => {
      const store = open({ createTable: false }, await existing(columns(given)))
      await exercise(database, store)
    })

    test('columns in another order', async () => {
      const names = ['updatedAt', 'data', 'createdAt', 'expires', 'sid']
      const all = columns()
        .split(', ')
        .sort(
          (one, other) =>
            names.indexOf(one.split(' ')[0].slice(1, -1)) - names.indexOf(other.split(' ')[0].slice(1, -1))
        )
      await exercise(database, open({}, await existing(all.join(', '))))
    })

    test.each(Object.entries(dataTypes))('data of the type %s', async (type, verbatim) => {
      const store = open({}, await existing(columns({ data: type })))
      const ada = session({ user: 'adä 😀', list: [1, { a: null }], text: "it's \\ \n" })
      await store.set('ada', ada)
      const [row] = await query(store, `SELECT ${asText('data')} AS ${q('data')} FROM ${q('Sessions')}`)
      if (verbatim) expect(row.data).toBe(JSON.stringify(ada))
      else expect(JSON.parse(row.data)).toEqual(stored(ada))
      await store.clear()
      await exercise(database, database.openAgain(store))
    })

    describe.each(Object.entries(dates))('expires of the type %s', (type, text) => {
      test('is written in its form', async () => {
        const store = open({}, await existing(columns({ expires: type })))
        await store.set('ada', session())
        await store.touch('ada', { cookie: { expires: instant } })
        await store.set('bob', { cookie: { expires: instant } })
        await store.set('bob', loaded(store, 'bob', { cookie: { expires: instant.toISOString() } }))
        const rows = await query(store, `SELECT ${asText('expires')} AS ${q('at')} FROM ${q('Sessions')}`)
        expect(rows.map(({ at }) => at)).toEqual([text, text])
      })

      test('works', async () => {
        await exercise(database, open({}, await existing(columns({ expires: type }))))
      })

      test('is compared with the clock, and NULL never expires', async () => {
        const store = open({ checkExpirationInterval: 0 }, await existing(columns({ expires: type })))
        await store.set('live', session({}, MINUTE))
        await store.set('dead', session({}, -5000))
        await store.set('endless', session())
        await query(store, `UPDATE ${q('Sessions')} SET ${q('expires')} = NULL WHERE ${q('sid')} = 'endless'`)
        const sids = ['live', 'dead', 'endless']
        const found = await Promise.all(sids.map((sid) => store.get(sid)))
        expect(found.map((value) => value !== null)).toEqual([true, false, true])
        expect((await store.ids()).sort()).toEqual(['endless', 'live'])
        await Promise.all(sids.map((sid) => store.touch(sid, session())))
        expect(await store.length()).toBe(2)
        expect(await store.clearExpiredSessions()).toBe(1)
      })
    })

    test.each(localDates)('expires of the type %s in the zone of the option timezone', async (type, text) => {
      const where = await existing(columns({ expires: type }))
      const store = open({ timezone: '+05:30' }, where)
      await store.set('ada', { cookie: { expires: instant } })
      const [{ at }] = await query(store, `SELECT ${asText('expires')} AS at FROM ${q('Sessions')}`)
      expect(at).toBe(text)
      await store.clear()
      await exercise(database, store)
      for (const [sid, ms] of [
        ['live', MINUTE],
        ['dead', -60_000]
      ]) {
        await store.set(sid, session({}, ms))
      }
      expect(await store.ids()).toEqual(['live'])
      await store.touch('dead', session())
      expect(await store.get('dead')).toBeNull()
    })

    test('a data column that is too short fails only that session, which is never truncated', async () => {
      const where = await existing(columns({ data: 'VARCHAR(200)' }))
      const store = open({}, where)
      await store.set('ada', session({ user: 'ada' }))
      const before = await database.row(store, 'ada')
      const long = session({ text: 'x'.repeat(200) })
      const outcome = await codes([
        store.set('bob', session()),
        store.set('ada', long),
        store.set('ada', loaded(store, 'ada', stored(long))),
        store.set('carl', session()),
        store.set('dora', long)
      ])
      expect(outcome).toEqual([null, 'ERR_SESSION_DATABASE', 'ERR_SESSION_DATABASE', null, 'ERR_SESSION_DATABASE'])
      expect((await database.row(store, 'ada')).data).toBe(before.data)
      expect((await store.ids()).sort()).toEqual(['ada', 'bob', 'carl'])
    })

    test('seconds in a bigint are used where existing rows have them', async () => {
      const where = await existing(columns({ expires: 'BIGINT', ...noStamps }))
      const seconds = Math.floor((Date.now() + HOUR) / 1000)
      const insert = (sid, end) =>
        query(where, `INSERT INTO ${q('Sessions')} VALUES ('${sid}', ${end}, '{"cookie":{},"user":"${sid}"}')`)
      await insert('live', seconds)
      await insert('dead', seconds - 7200)
      const store = open({}, where)
      expect((await store.get('live')).user).toBe('live')
      expect(await store.get('dead')).toBeNull()
      await store.set('ada', { cookie: { expires: instant } })
      const [{ at }] = await query(
        where,
        `SELECT ${asText('expires')} AS at FROM ${q('Sessions')} WHERE ${q('sid')} = 'ada'`
      )
      expect(at).toBe('1893553445')
      await store.touch('live', { cookie: { expires: instant } })
      expect((await store.ids()).sort()).toEqual(['ada', 'live'])
      expect(await store.clearExpiredSessions()).toBe(1)
    })

    test('milliseconds in a bigint are used where existing rows have them', async () => {
      const where = await existing(columns({ expires: 'BIGINT', ...noStamps }))
      await query(where, `INSERT INTO ${q('Sessions')} VALUES ('live', ${Date.now() + HOUR}, '{"cookie":{}}')`)
      await query(where, `INSERT INTO ${q('Sessions')} VALUES ('dead', ${Date.now() - HOUR}, '{"cookie":{}}')`)
      const store = open({}, where)
      expect(await store.ids()).toEqual(['live'])
      expect(await store.get('dead')).toBeNull()
      expect(await store.clearExpiredSessions()).toBe(1)
    })

    test('names that need quotes', async () => {
      const names = { sid: 'session id', expires: 'ends "at"', data: 'sess`', createdAt: false, updatedAt: "it's" }
      const ddl = `${q('session id')} ${varchar} ${key}, ${q('ends "at"')} ${date}, ${q('sess`')} TEXT, ${q("it's")} ${date} NOT NULL`
      const store = open({ columns: names }, await existing(ddl))
      await exercise(database, store)
    })
  })

  // Sequelize's `paranoid` marks a row in the place of deleting it.
  describe('a softly deleted session', () => {
    async function withDeleted() {
      const where = await existing(columns({ deletedAt: date }))
      const store = open({ checkExpirationInterval: 0 }, where)
      await store.set('ada', session({ visits: 1 }))
      await store.set('bob', session())
      const slow = loaded(store, 'ada', await store.get('ada'))
      await query(
        where,
        `UPDATE ${q('Sessions')} SET ${q('deletedAt')} = '2024-01-02 03:04:05' WHERE ${q('sid')} = 'ada'`
      )
      return { store, slow }
    }

    const deletedAt = async (store) => (await database.row(store, 'ada')).deletedAt

    test('is not found by any method', async () => {
      const { store } = await withDeleted()
      for (const call of Object.values(styles)) {
        expect(await call(store, 'get', 'ada')).toBeNull()
        expect(await call(store, 'ids')).toEqual(['bob'])
        expect(Object.keys(await call(store, 'all'))).toEqual(['bob'])
        expect(await call(store, 'length')).toBe(1)
      }
    })

    test('is revived by a new session', async () => {
      const { store } = await withDeleted()
      await store.set('ada', session({ visits: 2 }))
      expect(await deletedAt(store)).toBeNull()
      expect((await store.get('ada')).visits).toBe(2)
    })

    test('is not revived by one that was loaded before', async () => {
      const { store, slow } = await withDeleted()
      const before = await database.row(store, 'ada')
      await store.set('ada', slow)
      expect(await database.row(store, 'ada')).toEqual(before)
      expect(await store.get('ada')).toBeNull()
      expect(store.stats().gone).toBe(1)
    })

    test('is not touched', async () => {
      const { store } = await withDeleted()
      const before = await database.row(store, 'ada')
      await store.touch('ada', session({}, 5 * HOUR))
      expect(await database.row(store, 'ada')).toEqual(before)
    })

    test('is deleted by destroy, as any other', async () => {
      const { store } = await withDeleted()
      await Promise.all([store.destroy('ada'), store.destroy('bob')])
      expect(await database.count(store)).toBe(0)
    })

    test('is pruned when it has expired', async () => {
      const { store } = await withDeleted()
      expect(await store.clearExpiredSessions()).toBe(0)
      await database.updateRow(store, 'ada', { expires: new Date(Date.now() - HOUR) })
      expect(await store.clearExpiredSessions()).toBe(1)
    })

    test('is found if the option says that the column means something else', async () => {
      const { store } = await withDeleted()
      const other = database.openAgain(store, { columns: { deletedAt: false } })
      expect((await other.get('ada')).visits).toBe(1)
    })

    test('can be marked by a column of another name', async () => {
      const where = await existing(columns({ removed: date }))
      const store = open({ columns: { deletedAt: 'removed' } }, where)
      await store.set('ada', session())
      await query(where, `UPDATE ${q('Sessions')} SET removed = '2024-01-02 03:04:05'`)
      expect(await store.get('ada')).toBeNull()
    })
  })
}
