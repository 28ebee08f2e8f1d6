'use strict'

const { RustSequelizeStore } = require('../..')
const { codes, styles } = require('../support/calls')
const { loaded, session, stored } = require('../support/sessions')
const { HOUR, MINUTE, apart } = require('../support/time')
const { failure } = require('../support/calls')
const { exercise } = require('../support/exercise')

/**
 * Tables that somebody else has made. A server's test file says how it spells things:
 *
 * - `quote(name)`; `varchar` for a session id; `date`, the type that Sequelize takes for dates; `key`, what makes a column the key;
 *   `serial`, a column that numbers its rows; `otherSchema(place)`, what the option `schema` has to be for it;
 * - `datas`: types of `data`, each true if the column keeps the very text; `dates`: types of `expires`, each with the text that
 *   the instant 2030-01-02 03:04:05.678 UTC is there; `localDates`: pairs of a type and that text with the `timezone` '+05:30';
 *   `asText(column)`: an expression of that text;
 * - `unfit`: DDL of columns that cannot serve, each with the name that the message has to tell; `violation`: codes of a violated CHECK;
 *   `migrations`: changes of a column.
 */
module.exports = (
  database,
  { quote, varchar, date, key, serial, datas, dates, localDates, asText, unfit, otherSchema, violation, migrations }
) => {
  const { open, place, query } = database
  const instant = new Date('2030-01-02T03:04:05.678Z')
  const q = quote

  /** The columns of a table as Sequelize makes it, some of them of other types; null leaves one out. */
  function columns(given = {}) {
    const types = {
      sid: `${varchar} ${key}`,
      expires: date,
      data: 'TEXT',
      createdAt: `${date} NOT NULL`,
      updatedAt: `${date} NOT NULL`,
      ...given
    }
    const entries = Object.entries(types).filter(([, type]) => type !== null)
    return entries.map(([name, type]) => `${q(name)} ${type}`).join(', ')
  }

  async function existing(ddl, name = 'Sessions') {
    const where = place()
    await query(where, `CREATE TABLE ${q(name)} (${ddl})`)
    return where
  }

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

    test.each(Object.entries(datas))('data of the type %s', async (type, verbatim) => {
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

      test('is compared to the clock, and NULL is no end', async () => {
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

    test('data that is too short for a session, which is an error of that session alone, and nothing is cut off', async () => {
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

    test('seconds in a bigint, as the rows that are there have them', async () => {
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

    test('milliseconds in a bigint, as the rows that are there have them', async () => {
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

    test('is a miss in every way of asking', async () => {
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

    test('is a session like any other if the column means something else', async () => {
      const { store } = await withDeleted()
      const other = database.openAgain(store, { columns: { deletedAt: false } })
      expect((await other.get('ada')).visits).toBe(1)
    })

    test('is told by a column of another name', async () => {
      const where = await existing(columns({ removed: date }))
      const store = open({ columns: { deletedAt: 'removed' } }, where)
      await store.set('ada', session())
      await query(where, `UPDATE ${q('Sessions')} SET removed = '2024-01-02 03:04:05'`)
      expect(await store.get('ada')).toBeNull()
    })
  })

  describe('a table that cannot serve is refused, and the column named', () => {
    test.each(unfit)('%s: %s', async (column, ddl) => {
      const where = await existing(ddl)
      const store = open({}, where)
      for (const call of [store.get('ada'), store.set('ada', session()), store.length(), store.sync()]) {
        const error = await failure(call)
        expect(error.code).toBe('ERR_SESSION_TABLE')
        expect(error.message).toMatch(column)
        expect(error.message).toMatch('Sessions')
      }
      // The cause can go away while the store is open.
      await database.dropTable(where)
      await database.createTable(where)
      await store.set('ada', session())
      expect(await store.ids()).toEqual(['ada'])
    })

    test.each(['sid', 'expires', 'data', 'createdAt', 'updatedAt', 'deletedAt'])(
      'a column for %s that is not there',
      async (option) => {
        const store = open({ columns: { [option]: 'missing_one' } }, await existing(columns()))
        const error = await failure(store.get('ada'))
        expect(error.code).toBe('ERR_SESSION_TABLE')
        expect(error.message).toMatch('missing_one')
      }
    )

    test('a further column without a default, when a row is written', async () => {
      const store = open({}, await existing(columns({ tenant: 'VARCHAR(20) NOT NULL' })))
      const error = await failure(store.set('ada', session()))
      expect(['ERR_SESSION_TABLE', 'ERR_SESSION_DATABASE']).toContain(error.code)
      expect(`${error.message} ${error.cause?.message}`).toMatch('tenant')
      store.options.extendDefaultFields = (defaults) => ({ ...defaults, tenant: 'one' })
      await store.set('ada', session())
      expect(await store.ids()).toEqual(['ada'])
    })
  })

  describe('a missing table', () => {
    test('is named, with the DDL that would do', async () => {
      const where = { ...place(), tableName: 'my sessions' }
      const error = await failure(open({ createTable: false }, where).get('ada'))
      expect(error.code).toBe('ERR_SESSION_TABLE')
      expect(error.message).toMatch('my sessions')
      const ddl = RustSequelizeStore.ddl(database.dialect, { tableName: 'my sessions' })
      expect(error.message).toMatch(ddl)
    })

    test('is made by its DDL as the store would make it', async () => {
      const [ours, theirs] = [open(), place()]
      await ours.sync()
      await query(theirs, RustSequelizeStore.ddl(database.dialect))
      expect(await database.describe(theirs)).toEqual(await database.describe(ours))
      await exercise(database, open({ createTable: false }, theirs))
    })

    test('is made with the columns that the options name', async () => {
      const names = { sid: 'id', expires: 'ends at', data: 'sess', createdAt: 'made', updatedAt: false }
      const options = { tableName: 'other "`', columns: names }
      const [ours, theirs] = [open(options), place()]
      await ours.sync()
      const described = await database.describe(ours)
      expect(described.map(({ name }) => name)).toEqual(['id', 'ends at', 'sess', 'made'])
      await query(theirs, RustSequelizeStore.ddl(database.dialect, options))
      expect(await database.describe({ ...theirs, tableName: 'other "`' })).toEqual(described)
      await exercise(database, ours)
    })
  })

  describe('the table that the store makes', () => {
    test('keeps ids of 128 characters and refuses longer ones, alone', async () => {
      const store = open()
      const [good, long] = ['x'.repeat(128), 'x'.repeat(129)]
      const outcome = await codes([store.set('ada', session()), store.set(long, session()), store.set(good, session())])
      expect(outcome[0]).toBeNull()
      expect(['ERR_SESSION_SID', 'ERR_SESSION_DATABASE']).toContain(outcome[1])
      expect(outcome[2]).toBeNull()
      expect((await store.ids()).sort()).toEqual(['ada', good])
      const call = [store.get(long), store.touch(long, session()), store.destroy(long)]
      expect(await codes(call)).toEqual([null, null, null])
      expect(await store.get(long)).toBeNull()
      expect(await store.get(good)).not.toBeNull()
    })

    test('keeps sessions of more than 64 KiB', async () => {
      const store = open()
      const text = 'é'.repeat(100_000)
      await store.set('ada', session({ text }))
      expect((await store.get('ada')).text === text).toBe(true)
    })
  })

  describe('option schema', () => {
    test('says where the table is, and where it is made', async () => {
      const [where, elsewhere] = [place(), place()]
      const schema = otherSchema(elsewhere)
      const store = open({ schema }, where)
      await store.set('ada', session({ user: 'ada' }))
      expect(await database.tableExists(where)).toBe(false)
      expect(await database.count(elsewhere)).toBe(1)
      const there = open({}, elsewhere)
      expect((await there.get('ada')).user).toBe('ada')
      await store.sync({ force: true })
      expect(await there.ids()).toEqual([])
      const removed = [store.set('old', session({}, -HOUR)).then(() => store.clearExpiredSessions())]
      expect(await Promise.all(removed)).toEqual([1])
    })

    test('tables of the same name in two schemas have nothing to do with each other', async () => {
      const [where, elsewhere] = [place(), place()]
      const here = open({}, where)
      const there = open({ schema: otherSchema(elsewhere) }, where)
      await here.set('ada', session({ place: 'here' }))
      await there.set('ada', session({ place: 'there' }))
      expect((await here.get('ada')).place).toBe('here')
      await there.clear()
      expect(await here.length()).toBe(1)
    })

    test('a schema that is not there is named, and found when it has come', async () => {
      const where = place()
      const schema = `${otherSchema(where)} "new\``
      const store = open({ schema }, where)
      const error = await failure(store.get('ada'))
      expect(error.code).toBe('ERR_SESSION_TABLE')
      expect(`${error.message} ${error.cause?.message}`).toMatch('new')
      await query(where, `CREATE SCHEMA ${q(schema)}`)
      try {
        await exercise(
          {
            count: async () =>
              (await query(where, `SELECT count(*) AS n FROM ${q(schema)}.${q('Sessions')}`)).map(({ n }) =>
                Number(n)
              )[0]
          },
          store
        )
        await store.close()
      } finally {
        await query(where, `DROP SCHEMA ${q(schema)}${database.dialect === 'postgres' ? ' CASCADE' : ''}`)
      }
    })
  })

  test('a table that is altered while it is used is used as it is then', async () => {
    const where = await existing(columns())
    const store = open({}, where)
    await store.set('ada', session({ visits: 1 }))
    const lasting = [store.get('ada'), store.touch('ada', session()), store.length(), store.ids()]
    await Promise.all(lasting)
    await query(where, `ALTER TABLE ${q('Sessions')} ADD COLUMN note VARCHAR(20)`)
    await query(where, `ALTER TABLE ${q('Sessions')} DROP COLUMN ${q('createdAt')}`)
    const outcome = []
    for (let i = 0; i < 5; i++) {
      outcome.push(
        await codes([store.set(`new-${i}`, session()), store.get('ada'), store.touch('ada', session()), store.length()])
      )
    }
    // The first calls may find out; those after them are served.
    for (const code of outcome[0]) expect([null, 'ERR_SESSION_TABLE']).toContain(code)
    expect(outcome.slice(1).flat()).toEqual(Array(16).fill(null))
    store.options.extendDefaultFields = (defaults) => ({ ...defaults, note: 'x' })
    await store.set('ada', session({ visits: 2 }))
    expect((await database.row(where, 'ada')).note).toBe('x')
    expect((await store.get('ada')).visits).toBe(2)
  })

  test.each(migrations)('a column that gets another type while it is used: %s', async (change) => {
    const where = await existing(columns())
    const store = open({ checkExpirationInterval: 0 }, where)
    await store.set('ada', session({ visits: 1 }))
    await Promise.all([store.get('ada'), store.touch('ada', session()), store.length(), store.ids()])
    await query(where, `ALTER TABLE ${q('Sessions')} ${change}`)
    // The first calls may find out. None of them takes the session for a missing one.
    const [code] = await codes([store.set('bob', session())])
    expect([null, 'ERR_SESSION_TABLE', 'ERR_SESSION_DATABASE']).toContain(code)
    const [first] = await Promise.allSettled([store.get('ada')])
    if (first.status === 'fulfilled') expect(first.value.visits).toBe(1)
    await codes([store.touch('ada', session()), store.length()])
    expect((await store.get('ada')).visits).toBe(1)
    await store.set('ada', session({ visits: 2 }))
    expect((await store.get('ada')).visits).toBe(2)
    await store.clear()
    const fresh = database.openAgain(store)
    await store.set('ada', session({ user: 'ada' }))
    await store.set('dead', session({}, -HOUR))
    expect(await fresh.ids()).toEqual(['ada'])
    expect((await fresh.get('ada')).user).toBe('ada')
    expect(await store.clearExpiredSessions()).toBe(1)
  })

  test('an error of the database is never a miss', async () => {
    const store = open()
    await store.set('ada', session())
    await query(store, `ALTER TABLE ${q('Sessions')} RENAME COLUMN ${q('data')} TO elsewhere`)
    const outcome = await Promise.allSettled([store.get('ada'), styles.callback(store, 'get', 'ada')])
    for (const { status, reason } of outcome) {
      expect(status).toBe('rejected')
      expect(reason.code).toMatch(/^ERR_SESSION_(TABLE|DATABASE)$/)
    }
    await query(store, `ALTER TABLE ${q('Sessions')} RENAME COLUMN elsewhere TO ${q('data')}`)
    expect(await store.get('ada')).not.toBeNull()
  })

  test('a row that the table refuses fails alone', async () => {
    const where = await existing(`${columns()}, CHECK (${q('data')} NOT LIKE '%forbidden%')`)
    const store = open({}, where)
    const calls = Array.from({ length: 200 }, (_, i) =>
      store.set(`${i}`, session({ i, word: i % 50 === 7 ? 'forbidden' : 'fine' }))
    )
    const outcome = await codes(calls)
    expect(outcome).toEqual(calls.map((_, i) => (i % 50 === 7 ? 'ERR_SESSION_DATABASE' : null)))
    expect(await store.length()).toBe(196)
    const { cause } = await failure(calls[7])
    expect(cause).toBeInstanceOf(Error)
    expect(violation).toContain(cause.code)
  })

  test('milliseconds that the column does not keep are cut off', async () => {
    const store = open()
    const late = new Date('2030-01-02T03:04:05.999Z')
    await store.set('ada', { cookie: { expires: late } })
    await store.set('bob', session())
    await store.touch('bob', { cookie: { expires: late } })
    for (const sid of ['ada', 'bob']) {
      const { expires } = await database.row(store, sid)
      expect(expires.getTime()).toBeLessThanOrEqual(late.getTime())
      expect(apart(expires, late)).toBeLessThan(1000)
    }
  })
}
