'use strict'

const extraColumns = require('../on-servers/extra-columns')
const { exercise } = require('../support/exercise')
const sequelize = require('../on-servers/sequelize')
const tables = require('../on-servers/tables')
const { codes } = require('../support/calls')
const { session } = require('../support/sessions')
const { HOUR } = require('../support/time')
const { onEachMysql } = require('./setup')
const { kit } = require('./kit')

onEachMysql((database) => {
  tables(database, kit(database))
  describe('a column of the application', () => extraColumns(database, kit(database)))

  const { open, place, query } = database

  test('the table that the store creates can hold every session', async () => {
    const where = place()
    // Whatever the database's own character set.
    await query(
      where,
      `ALTER DATABASE \`${database.databaseOf(where)}\` CHARACTER SET latin1 COLLATE latin1_swedish_ci`
    )
    const store = open({}, where)
    await store.sync()
    const [sid, expires, data, createdAt, updatedAt] = await database.describe(store)
    expect(sid).toMatchObject({ name: 'sid', strict: 1, key: 1 })
    expect(expires).toMatchObject({ name: 'expires', type: 'datetime(3)', strict: 0 })
    expect(data).toMatchObject({ name: 'data', type: 'mediumtext', strict: 0 })
    expect(data.collation).toMatch(/^utf8mb4/)
    expect(createdAt).toMatchObject({ name: 'createdAt', type: 'datetime(3)', strict: 1 })
    expect(updatedAt).toMatchObject({ name: 'updatedAt', type: 'datetime(3)', strict: 1 })
    await exercise(database, store)
    await store.set('😀', session({ text: '😀' }))
    expect((await store.get('😀')).text).toBe('😀')
  })

  test('table names that differ in case are different tables', async () => {
    const where = place()
    const [{ fold }] = await query(where, 'SELECT @@lower_case_table_names AS fold')
    if (fold !== 0) return
    await query(where, 'CREATE TABLE sessions (id INTEGER PRIMARY KEY)')
    await query(where, 'CREATE TABLE SESSIONS (sid VARCHAR(36) PRIMARY KEY, expires INT, data TEXT)')
    const store = open({}, where)
    await exercise(database, store)
    expect(await query(where, 'SHOW TABLES')).toHaveLength(3)
  })

  test('the constructor refuses and names a table name that MySQL cannot have', () => {
    expect(() => open({ tableName: 'ses😀' })).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_OPTIONS', message: expect.stringMatching('ses😀') })
    )
  })

  test('all partitions of a table are pruned', async () => {
    const where = place()
    await query(
      where,
      `CREATE TABLE Sessions (sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT) PARTITION BY KEY (sid) PARTITIONS 3`
    )
    const store = open({ checkExpirationInterval: 0 }, where)
    await Promise.all(Array.from({ length: 2000 }, (_, i) => store.set(`${i}`, session({}, -HOUR))))
    await store.set('ada', session())
    expect(await store.clearExpiredSessions()).toBe(2000)
    expect(await database.count(where)).toBe(1)
    await store.clear()
    await exercise(database, store)
  })

  test('other storage engines work', async () => {
    for (const engine of ['MyISAM', 'Aria', 'MEMORY']) {
      const where = place()
      const data = engine === 'MEMORY' ? 'VARCHAR(2000)' : 'TEXT'
      const ddl = `CREATE TABLE Sessions (sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data ${data}) ENGINE=${engine}`
      const [code] = await codes([query(where, ddl)])
      if (code === null) await exercise(database, open({}, where))
    }
  })

  describe('a table shared with Sequelize', () => sequelize(database))
})
