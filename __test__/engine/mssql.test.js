'use strict'

const { DatabaseError, UniqueConstraintError } = require('sequelize')
const { session } = require('../support/sessions')
const { HOUR } = require('../support/time')
const { open, sqlServer } = require('./setup')

// What an instance of SQL Server is asked, without a server: each statement is one of Sequelize's own.

/** An error as tedious and Sequelize report it. */
const driverError = (number, message) =>
  new DatabaseError(Object.assign(new Error(message), { number, code: 'EREQUEST' }))

/** Answers as a server would: `rows` are those of a SELECT, `changed` is the number of rows of an UPDATE. */
function answers({ rows = [], changed = 1 } = {}) {
  return (sql, { model, instance, plain } = {}) => {
    if (sql.startsWith('MERGE')) return [instance]
    if (/^(UPDATE|DELETE)/.test(sql)) return changed
    if (/SELECT count/.test(sql)) return { count: changed }
    if (!sql.startsWith('SELECT') || !model) return []
    const built = rows.map((row) => model.build(row, { raw: true, isNewRecord: false }))
    return plain ? (built[0] ?? null) : built
  }
}

/** A store whose table is known to be there, and the statements after that. */
async function opened(answer = answers()) {
  const { instance, statements } = sqlServer(answer)
  const store = open({ db: instance })
  await store.length()
  statements.length = 0
  return { store, statements }
}

const date = String.raw`N?'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+00:00'`

test('a new session is one MERGE that two processes cannot both take for an insertion', async () => {
  const { store, statements } = await opened()
  await store.set('ada', session({ user: "it's ä" }))
  expect(statements).toHaveLength(1)
  expect(statements[0]).toMatch(/^MERGE INTO \[Sessions\] WITH\(HOLDLOCK\)/)
  expect(statements[0]).toContain(`N'ada'`)
  expect(statements[0]).toContain("it''s ä")
  expect(statements[0]).toMatch(new RegExp(date))
})

test('a loaded session is one UPDATE', async () => {
  const value = session({ user: 'ada' })
  const row = { sid: 'ada', expires: value.cookie.expires, data: JSON.stringify(value) }
  const { store, statements } = await opened(answers({ rows: [row] }))
  const found = await store.get('ada')
  expect(found.user).toBe('ada')
  await store.set('ada', found)
  expect(statements).toHaveLength(2)
  expect(statements[0]).toMatch(
    /^SELECT \[sid\], \[expires\], \[data\] FROM \[Sessions\] AS \[Session\] WHERE .*\[sid\] = N'ada'/
  )
  expect(statements[1]).toMatch(/^UPDATE \[Sessions\] SET/)
})

test('a row whose id the collation takes for equal is none', async () => {
  const row = { sid: 'Ada', expires: new Date(Date.now() + HOUR), data: '{"cookie":{}}' }
  const { store } = await opened(answers({ rows: [row] }))
  expect(await store.get('ada')).toBeNull()
})

test('a touch is one UPDATE of what is live, a removal is one DELETE', async () => {
  const { store, statements } = await opened()
  await store.touch('ada', session())
  await store.destroy('ada')
  await store.clear()
  expect(statements).toHaveLength(3)
  expect(statements[0]).toMatch(new RegExp(`^UPDATE \\[Sessions\\] SET .* WHERE .*\\[expires\\] > ${date}`))
  expect(statements[1]).toMatch(/^DELETE FROM \[Sessions\] WHERE \[sid\] = N'ada'/)
  expect(statements[2]).toMatch(/^DELETE FROM \[Sessions\];/)
})

test('expired sessions are removed by their ids, in steps', async () => {
  const rows = Array.from({ length: 500 }, (_, i) => ({ sid: `${i}` }))
  let steps = 3
  const { store, statements } = await opened((sql, options) => {
    if (sql.startsWith('DELETE')) return 500
    return answers({ rows: sql.includes('<=') && steps-- > 0 ? rows : [] })(sql, options)
  })
  expect(await store.clearExpiredSessions()).toBe(1500)
  expect(statements.map((sql) => sql.slice(0, 6))).toEqual([
    'SELECT',
    'DELETE',
    'SELECT',
    'DELETE',
    'SELECT',
    'DELETE',
    'SELECT'
  ])
  expect(statements[0]).toMatch(/FETCH NEXT 500 ROWS ONLY|TOP/)
})

test('a missing table is created, with types that keep any session', async () => {
  let exists = false
  const { instance, statements } = sqlServer((sql, options) => {
    if (sql.includes('CREATE TABLE')) exists = true
    if (!exists && /FROM \[Sessions\]/.test(sql)) throw driverError(208, "Invalid object name 'Sessions'.")
    return answers()(sql, options)
  })
  const store = open({ db: instance })
  await store.set('ada', session())
  const ddl = statements.find((sql) => sql.includes('CREATE TABLE'))
  expect(ddl).toContain('[sid] NVARCHAR(128)')
  expect(ddl).toContain('[expires] DATETIMEOFFSET')
  expect(ddl).toContain('[data] NVARCHAR(MAX)')
  expect(statements.at(-1)).toMatch(/^MERGE/)
})

test.each([
  ['a race of two insertions', () => new UniqueConstraintError({ parent: new Error('2627') })],
  ['a deadlock', () => driverError(1205, 'was deadlocked')],
  ['a lost connection', () => new DatabaseError(Object.assign(new Error('socket'), { code: 'ECONNRESET' }))]
])('%s is no error of the caller', async (_name, error) => {
  let tries = 0
  const { store } = await opened((sql, options) => {
    if (sql.startsWith('MERGE') && tries++ === 0) throw error()
    return answers()(sql, options)
  })
  await store.set('ada', session())
  expect(tries).toBe(2)
  expect(store.stats()).toMatchObject({ errors: 0, retries: 1 })
})

test.each([
  [208, 'ERR_SESSION_TABLE'],
  [207, 'ERR_SESSION_TABLE'],
  [1222, 'ERR_SESSION_TIMEOUT'],
  [1205, 'ERR_SESSION_TIMEOUT'],
  [8152, 'ERR_SESSION_DATABASE']
])('error %d is %s, without the session', async (number, code) => {
  const { store } = await opened((sql, options) => {
    if (sql.startsWith('MERGE')) throw driverError(number, 'of the server')
    return answers()(sql, options)
  })
  const error = await store.set('ada', session({ user: 's3cret' })).catch((error) => error)
  expect(error.code).toBe(code)
  expect(error.cause).toBeInstanceOf(DatabaseError)
  expect(require('node:util').inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cret')
})
