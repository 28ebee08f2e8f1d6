'use strict'

const rules = {
  get: require('./get'),
  set: require('./set'),
  touch: require('./touch'),
  destroy: require('./destroy'),
  list: require('./list'),
  length: require('./length'),
  clear: require('./clear'),
  sync: require('./sync'),
  expiry: require('./expiry'),
  callbacks: require('./callbacks'),
  ordering: require('./ordering'),
  logout: require('./logout'),
  serialization: require('./serialization'),
  unreadable: require('./unreadable'),
  names: require('./names'),
  data: require('./data'),
  pruning: require('./pruning'),
  touchAfter: require('./touch-after'),
  disableTouch: require('./disable-touch'),
  serializer: require('./serializer'),
  extendDefaultFields: require('./extend-default-fields'),
  queue: require('./queue'),
  close: require('./close'),
  stats: require('./stats')
}

/** Registers what every database must pass. `database` is one of those in ../databases/, which says what it must offer. */
function conformance(database) {
  const { name, enabled, skipped, supports } = database
  if (!enabled) {
    describe.skip(`${name} (${skipped})`, () => {
      test('conformance', () => {})
    })
    return
  }

  // `test` for what only another client, or a second store on the same table, can show.
  const withClient = supports.otherClient ? test : test.skip
  const withSecondStore = supports.secondStore ? test : test.skip

  describe(name, () => {
    afterEach(() => database.reset())
    afterAll(() => database.end())

    for (const [rule, register] of Object.entries(rules)) {
      describe(rule, () => register(database, { withClient, withSecondStore }))
    }
  })
}

module.exports = conformance
