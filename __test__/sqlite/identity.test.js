'use strict'

const { failure } = require('../support/calls')
const { session } = require('../support/sessions')
const { LAYOUTS } = require('../../lib/layouts')
const { open, place, query } = require('./setup')

describe.each(Object.entries(LAYOUTS))('a table of %s', (layout, { tableName, sid, expires, data, instants }) => {
  const date = instants === 'seconds' ? 'INTEGER' : 'TEXT'

  async function openWith(column, after = '', index) {
    const where = place()
    await query(where, `CREATE TABLE ${tableName} (${sid} ${column}, ${expires} ${date}, ${data} TEXT)${after}`)
    if (index) await query(where, index)
    return open({ layout, tableName }, where)
  }

  test.each([
    ['TEXT COLLATE NOCASE PRIMARY KEY'],
    ['TEXT COLLATE nocase UNIQUE'],
    ['TEXT COLLATE RTRIM PRIMARY KEY'],
    ['TEXT COLLATE NOCASE PRIMARY KEY', ' WITHOUT ROWID'],
    ['TEXT PRIMARY KEY COLLATE NOCASE'],
    ['TEXT COLLATE NOCASE', '', `CREATE UNIQUE INDEX i ON ${tableName} (${sid} COLLATE BINARY)`],
    ['TEXT COLLATE RTRIM', '', `CREATE UNIQUE INDEX i ON ${tableName} (${sid} COLLATE BINARY)`],
    ['TEXT', '', `CREATE UNIQUE INDEX i ON ${tableName} (${sid} COLLATE NOCASE)`],
    ['TEXT PRIMARY KEY', '', `CREATE UNIQUE INDEX i ON ${tableName} (${sid} COLLATE RTRIM)`],
    ['INTEGER PRIMARY KEY'],
    ['NUMERIC PRIMARY KEY'],
    ['STRING PRIMARY KEY'],
    ['REAL UNIQUE'],
    ['UUID UNIQUE']
  ])('with the sid as %s%s is refused: ids would be taken for each other %s', async (...definition) => {
    const store = await openWith(...definition)
    for (const call of [store.get('abc'), store.set('abc', session()), store.destroy('abc'), store.length()]) {
      const error = await failure(call)
      expect(error.code).toBe('ERR_SESSION_TABLE')
      expect(error.message).toMatch(`\`${sid}\``)
    }
  })

  test.each([
    ['TEXT PRIMARY KEY'],
    ['TEXT COLLATE BINARY PRIMARY KEY'],
    ['TEXT COLLATE binary UNIQUE'],
    ['VARCHAR(255) PRIMARY KEY'],
    ['PRIMARY KEY'],
    ['BLOB PRIMARY KEY'],
    ['TEXT PRIMARY KEY', ' WITHOUT ROWID'],
    ['TEXT PRIMARY KEY', '', `CREATE INDEX i ON ${tableName} (${sid} COLLATE NOCASE)`]
  ])('with the sid as %s%s tells all ids apart', async (...definition) => {
    const store = await openWith(...definition)
    const sids = ['abc', 'ABC', 'abc ', '1', '1.0', '01', '1e0', '+1', ' 1']
    await Promise.all(sids.map((sid) => store.set(sid, session({ sid }))))
    const found = await Promise.all(sids.map((sid) => store.get(sid)))
    expect(found.map((value) => value?.sid)).toEqual(sids)
    await store.destroy('ABC')
    expect((await store.ids()).sort()).toEqual(sids.filter((sid) => sid !== 'ABC').sort())
  })
})
