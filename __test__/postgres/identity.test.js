'use strict'

const { failure } = require('../support/calls')
const { session } = require('../support/sessions')
const { onDatabases } = require('../support/suites')

onDatabases(
  ({ dialect }) => dialect === 'postgres',
  ({ open, place, query }) => {
    // ON CONFLICT would take the row that any unique index finds, and so another session's.
    test.each([
      ['the only index', ''],
      ['an index beside the primary key', ' PRIMARY KEY']
    ])('a sid with a collation that ignores case in %s is refused', async (_, key) => {
      const where = place()
      await query(
        where,
        "CREATE COLLATION IF NOT EXISTS nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
      )
      await query(where, `CREATE TABLE "Sessions" (sid text${key}, expires timestamptz, data text)`)
      await query(where, 'CREATE UNIQUE INDEX other ON "Sessions" (sid COLLATE nocase)')
      const store = open({}, where)
      const error = await failure(store.set('ABC', session()))
      expect(error.code).toBe('ERR_SESSION_TABLE')
      expect(error.message).toMatch('nocase')
      await query(where, 'DROP TABLE "Sessions"; DROP COLLATION nocase')
    })
  }
)
