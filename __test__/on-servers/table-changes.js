'use strict'

const { RustSequelizeStore } = require('../..')
const { codes, failure } = require('../support/calls')
const { exercise } = require('../support/exercise')
const { session } = require('../support/sessions')
const { HOUR, apart } = require('../support/time')
const { tablesOf } = require('./ddl')

/**
 * Tables that are missing, cannot serve, are somewhere else or change. Beyond what tables.js needs, a server's kit has
 *
 * - `otherSchema(place)`, what the option `schema` has to be for a place;
 * - `unfit`: DDL of columns that cannot serve, each with the name that the message has to tell; `violation`: codes of a violated CHECK;
 *   `migrations`: changes of a column.
 */
module.exports = (database, kit) => {
  const { quote: q, unfit, otherSchema, violation, migrations } = kit
  const { open, place, query } = database
  const { columns, existing } = tablesOf(database, kit)

  describe('an unsuitable table is refused, and the column named:', () => {
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
      'a missing column for %s',
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
    test('is named in the error, with the DDL that creates it', async () => {
      const where = { ...place(), tableName: 'my sessions' }
      const error = await failure(open({ createTable: false }, where).get('ada'))
      expect(error.code).toBe('ERR_SESSION_TABLE')
      expect(error.message).toMatch('my sessions')
      const ddl = RustSequelizeStore.ddl(database.dialect, { tableName: 'my sessions' })
      expect(error.message).toMatch(ddl)
    })

    test('is created by its DDL as the store would create it', async () => {
      const [ours, theirs] = [open(), place()]
      await ours.sync()
      await query(theirs, RustSequelizeStore.ddl(database.dialect))
      expect(await database.describe(theirs)).toEqual(await database.describe(ours))
      await exercise(database, open({ createTable: false }, theirs))
    })

    test('is created with the columns that the options name', async () => {
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
    test('keeps ids of 128 characters, and only longer ones fail', async () => {
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
    test('names the schema where the table is found and created', async () => {
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

    test('tables of the same name in two schemas are independent', async () => {
      const [where, elsewhere] = [place(), place()]
      const here = open({}, where)
      const there = open({ schema: otherSchema(elsewhere) }, where)
      await here.set('ada', session({ place: 'here' }))
      await there.set('ada', session({ place: 'there' }))
      expect((await here.get('ada')).place).toBe('here')
      await there.clear()
      expect(await here.length()).toBe(1)
    })

    test('a missing schema is named in the error, and found once it exists', async () => {
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

  test('a table can be altered while it is used', async () => {
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

  test.each(migrations)('a column can change its type while it is used: %s', async (change) => {
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

  test('a row that violates a constraint fails alone', async () => {
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

  test('milliseconds that the column does not keep are truncated', async () => {
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
