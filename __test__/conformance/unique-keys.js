'use strict'

const createDebug = require('debug')
const { inspect } = require('node:util')
const { codes, failure } = require('../support/calls')
const { loaded, session } = require('../support/sessions')

/** A value that nothing else has. */
const VALUE = 918_273_645

module.exports = ({ dialect, open, place, createTable, query, openAgain }, { withClient }) => {
  const quote = (name) => (dialect === 'mysql' ? `\`${name}\`` : `"${name}"`)

  /** A store on a table in which no two sessions have the same `user_id`. */
  async function openUnique(type = 'integer') {
    const where = place()
    await createTable(where, { user_id: type })
    await query(where, `CREATE UNIQUE INDEX user_key ON ${quote('Sessions')} (user_id)`)
    const extendDefaultFields = (defaults, { user }) => ({ ...defaults, user_id: user ?? null })
    return open({ extendDefaultFields }, where)
  }

  /** What can be seen of an error. */
  const visible = (error) => [error.message, error.stack, inspect(error, { depth: 9, showHidden: true })].join('\n')

  withClient('a new session never takes the place of another one with the same unique value', async () => {
    const store = await openUnique()
    await store.set('ada', session({ user: VALUE }))
    const calls = [
      store.set('bob', session({ user: VALUE - 1 })),
      store.set('eve', session({ user: VALUE, eve: true })),
      store.set('carl', session({ user: VALUE - 2 }))
    ]
    expect(await codes(calls)).toEqual([null, 'ERR_SESSION_DATABASE', null])
    const error = await failure(calls[1])
    expect(error.message).toMatch(/user_key|user_id/)
    expect(visible(error)).not.toMatch(String(VALUE))
    const found = await Promise.all(['ada', 'bob', 'carl', 'eve'].map((sid) => store.get(sid)))
    expect(found.map((value) => value?.user)).toEqual([VALUE, VALUE - 1, VALUE - 2, undefined])
    expect(found[0].eve).toBeUndefined()
    expect((await store.ids()).sort()).toEqual(['ada', 'bob', 'carl'])
  })

  withClient('an existing session does not take the place of another one either, in any kind of save', async () => {
    const store = await openUnique()
    await store.set('ada', session({ user: 1 }))
    await store.set('eve', session({ user: 2 }))
    const plain = await failure(store.set('eve', session({ user: 1 })))
    const slow = await failure(store.set('eve', loaded(store, 'eve', session({ user: 1 }))))
    for (const error of [plain, slow]) {
      expect(error.code).toBe('ERR_SESSION_DATABASE')
      expect(error.message).toMatch(/user_key|user_id/)
    }
    const found = await Promise.all(['ada', 'eve'].map((sid) => openAgain(store).get(sid)))
    expect(found.map(({ user }) => user)).toEqual([1, 2])
    await store.destroy('ada')
    await store.set('eve', session({ user: 1 }))
    expect(await store.ids()).toEqual(['eve'])
  })

  withClient('a unique index that is made while the store runs counts at once', async () => {
    const where = place()
    await createTable(where, { user_id: 'integer' })
    const store = open({ extendDefaultFields: (defaults, { user }) => ({ ...defaults, user_id: user }) }, where)
    await store.set('ada', session({ user: 1 }))
    await query(where, `CREATE UNIQUE INDEX user_key ON ${quote('Sessions')} (user_id)`)
    expect((await failure(store.set('eve', session({ user: 1, eve: true })))).code).toBe('ERR_SESSION_DATABASE')
    expect((await store.get('ada')).eve).toBeUndefined()
  })

  withClient('what a trigger says of a value is not told', async () => {
    const where = place()
    await createTable(where, { user_id: 'integer' })
    const triggers = {
      sqlite: [`CREATE TRIGGER no BEFORE INSERT ON "Sessions" BEGIN SELECT RAISE(ABORT, 'no ${VALUE}'); END`],
      postgres: [
        `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no %', NEW.user_id; END $$`,
        'CREATE TRIGGER no BEFORE INSERT ON "Sessions" FOR EACH ROW EXECUTE FUNCTION refuse()'
      ],
      mysql: [
        `CREATE TRIGGER no BEFORE INSERT ON \`Sessions\` FOR EACH ROW BEGIN
          SET @text = CONCAT('no ', NEW.user_id); SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = @text; END`
      ]
    }
    for (const sql of triggers[dialect]) await query(where, sql)
    const store = open({ extendDefaultFields: (defaults) => ({ ...defaults, user_id: VALUE }) }, where)
    const error = await failure(store.set('ada', session()))
    expect(error.code).toBe('ERR_SESSION_DATABASE')
    expect(error.message).toMatch('trigger')
    expect(visible(error)).not.toMatch(String(VALUE))
  })

  withClient('no value is told by an error or the log', async () => {
    const secret = "it's s3cret' for key 'user_id"
    const lines = []
    const { log } = createDebug
    const namespaces = createDebug.disable()
    createDebug.log = (...args) => lines.push(inspect(args))
    createDebug.enable('rust-sequelize-store')
    try {
      const texts = await openUnique('string')
      await texts.set('ada', session({ user: secret }))
      const outcomes = [texts.set('eve', session({ user: secret }))]
      if (dialect !== 'sqlite') {
        const numbers = await openUnique()
        outcomes.push(numbers.set('ada', session({ user: secret })))
        outcomes.push(numbers.set('ada', loaded(numbers, 'ada', session({ user: `${secret}"` }))))
        outcomes.push(numbers.set('ada', session({ user: 's3cret: "' })))
        const dates = await openUnique('date')
        outcomes.push(dates.set('ada', session({ user: secret })))
      }
      for (const { status, reason } of await Promise.allSettled(outcomes)) {
        // MySQL has nothing to convert where an UPDATE finds no row.
        if (status === 'fulfilled') continue
        expect(reason.code).toBe('ERR_SESSION_DATABASE')
        expect(visible(reason)).not.toMatch('s3cret')
      }
      expect(lines.join('\n')).toMatch('ERR_SESSION_DATABASE')
      expect(lines.join('\n')).not.toMatch('s3cret')
    } finally {
      createDebug.log = log
      createDebug.disable()
      createDebug.enable(namespaces)
    }
  })
}
