'use strict'

const databases = require('./support/databases')
const { report } = require('./support/run')

// What docs/compatibility.md says: where this store differs from connect-session-sequelize. Each is what the real packages do.

/** What is done before and after the change of the package; see support/programs/differences.js. */
const DIFFERENCES = {
  expiredIsFound: [true, false],
  touchRevives: [true, false],
  saveRevives: [true, false],
  expiresAsText: [24, 1],
  expiresAsNumber: [1, 1],
  maxAgeOnly: [24, 1],
  lifetimeOfKoa: [24, 1],
  changeAfterCall: ['bob', 'ada'],
  brokenRow: ['SyntaxError', null],
  rowWithoutCookie: [{}, null],
  rowWithoutExpiry: [true, true],
  length: [2, 1],
  clearExpiredSessions: [1, 1],
  clearExpiredSessionsFails: ['done', 'ERR_SESSION_TABLE'],
  throwInCallback: [
    { calls: 2, event: 'unhandledRejection' },
    { calls: 1, event: 'uncaughtException' }
  ],
  setYields: [
    { sid: 'a', data: 'string', expires: true, stamps: 2 },
    { sid: 'a', data: 'string', expires: true, stamps: 0 }
  ],
  touchYields: [[1], null],
  touchStamps: [true, true],
  destroyYieldsForNobody: [null, null],
  destroyYields: ['object', 'undefined'],
  syncYields: ['function', 'undefined'],
  disabledTouch: ['TypeError', 'done'],
  disabledTouchIsAsynchronous: [false, true],
  emptySid: ['done', 'ERR_SESSION_SID'],
  longSid: ['SequelizeDatabaseError', 'done'],
  errorCode: ['SequelizeDatabaseError', 'ERR_SESSION_TABLE'],
  unknownOption: ['done', 'done'],
  noDatabase: ['SequelizeStoreException', 'ERR_SESSION_OPTIONS'],
  missingModel: ['done', 'ERR_SESSION_OPTIONS'],
  memory: ['done', 'done'],
  replacesModel: [true, false],
  tableBesideSession: ['Session', 'Login'],
  createsTable: ['SequelizeDatabaseError', 'done'],
  extendData: [
    [false, false],
    [true, true]
  ],
  hooksAndSetters: [['default', 'hook', 'setter', 'validator'], []],
  connectionHooks: [true, true],
  paranoid: [
    { rows: 1, again: 'TypeError' },
    { rows: 0, again: 'done' }
  ]
}

/** What depends on the database. */
const ON = {
  postgres: {
    caseOfSids: [false, false],
    largeSession: ['done', 'done'],
    extendExpires: [
      [1, 1],
      [5, 5]
    ]
  },
  mysql: {
    caseOfSids: [true, false],
    largeSession: ['SequelizeDatabaseError', 'done'],
    extendExpires: [
      [5, 1],
      [5, 5]
    ]
  }
}

for (const database of databases.filter(({ dialect }) => dialect in ON)) {
  const onDatabase = database.enabled ? describe : describe.skip

  onDatabase(database.name, () => {
    const differences = { ...DIFFERENCES, ...ON[database.dialect] }
    let before
    let after

    beforeAll(async () => {
      const run = (store) => report('differences.js', [{ url: database.place().db, store }])
      ;[before, after] = await Promise.all([run('before'), run('after')])
    })
    afterAll(async () => {
      await database.reset()
      await database.end()
    })

    test.each(Object.entries(differences))('%s', (name, expected) => {
      expect([before[name], after[name]]).toEqual(expected)
    })

    test('are all', () => {
      expect(Object.keys(before).sort()).toEqual(Object.keys(differences).sort())
    })
  })
}
