'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { report } = require('../support/run')
const { onDatabases } = require('../support/suites')

// Each example in the READMEs of the replaced packages, as a user copies it: see support/programs/snippets.js.

const VISITS = { bodies: ['1', '2', '3'] }

const SNIPPETS = {
  'connect-session-sequelize with Connect': VISITS,
  'connect-session-sequelize with Express': VISITS,
  'connect-session-sequelize with a sync that nobody waits for': VISITS,
  'connect-session-sequelize with options of sync': VISITS,
  'connect-session-sequelize with a table that Sequelize made': VISITS,
  'connect-session-sequelize with times': VISITS,
  'connect-session-sequelize without a timer': VISITS,
  'connect-session-sequelize with a column more': { ...VISITS, checked: 'user-3' },
  'sequelstore-connect': VISITS,
  'sequelstore-connect with Connect': VISITS,
  'sequelstore-connect with a model ConnectSession': { ...VISITS, checked: 1 },
  // Its sessions would have no data. The message says which attribute is missing.
  'sequelstore-connect with a model ConnectSession without data': {
    code: 'ERR_SESSION_TABLE',
    message: expect.stringMatching(/\bdata\b/)
  },
  'sequelstore-connect with sessionModel': { ...VISITS, checked: 1 },
  'sequelstore-connect with times': VISITS,
  'sequelstore-connect without a timer': VISITS,
  'sequelstore-connect in memory': VISITS,
  'sequelstore-connect with transform': VISITS,
  'sequelstore-connect without a database': {
    code: 'ERR_SESSION_OPTIONS',
    message: expect.stringContaining('No database')
  },
  'koa-generic-session-sequelize': VISITS,
  'koa-generic-session-sequelize with a password': VISITS,
  'koa-generic-session-sequelize with options': VISITS
}

let folder

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
})
afterEach(() => fs.rmSync(folder, { recursive: true }))

onDatabases(
  ({ name }) => name !== 'SQLite memory',
  (database) => {
    test.each(Object.entries(SNIPPETS))('%s', async (name, expected) => {
      const place = database.dialect === 'sqlite' ? null : database.place()
      expect(await report('snippets.js', [name, folder, place])).toEqual(expected)
      const files = fs.readdirSync(folder).filter((each) => !/-(wal|shm|journal)$/.test(each))
      if (database.dialect !== 'sqlite') expect(files).toEqual([])
      else expect(files.length).toBeLessThanOrEqual(1)
    })
  }
)

test('are all', async () => {
  expect(await report('snippets.js', [null, folder, null])).toEqual(Object.keys(SNIPPETS))
})
