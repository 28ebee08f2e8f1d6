'use strict'

/** A file for each method and each option that every database has to serve, and one for each rule of docs/api.md. */
const suites = {
  get: require('./get'),
  set: require('./set'),
  touch: require('./touch'),
  destroy: require('./destroy'),
  list: require('./list'),
  length: require('./length'),
  clear: require('./clear'),
  sync: require('./sync'),
  close: require('./close'),
  stats: require('./stats'),
  pruning: require('./pruning'),
  callbacks: require('./callbacks'),

  touchAfter: require('./touch-after'),
  disableTouch: require('./disable-touch'),
  serializer: require('./serializer'),
  extendDefaultFields: require('./extend-default-fields'),
  queue: require('./queue'),
  retries: require('./retries'),
  names: require('./names'),
  uniqueKeys: require('./unique-keys'),
  data: require('./data'),
  large: require('./large'),

  expiry: require('./expiry'),
  errors: require('./errors'),
  atomicity: require('./atomicity'),
  serialization: require('./serialization'),
  acknowledgement: require('./acknowledgement'),
  ordering: require('./ordering'),
  logout: require('./logout'),
  'kept expiry': require('./kept-expiry'),
  'saving an expired session': require('./expired-save'),
  clock: require('./clock'),
  unreadable: require('./unreadable'),
  isolation: require('./isolation'),
  applicationCode: require('./application-code'),
  columns: require('./columns')
}

/** Registers what every database must pass. `database` is one of those in ../support/databases/, which says what it must offer. */
function conformance(database) {
  const { supports } = database
  // `test` for what only another client, or a second store on the same table, can show.
  const withClient = supports.otherClient ? test : test.skip
  const withSecondStore = supports.secondStore ? test : test.skip

  for (const [subject, register] of Object.entries(suites)) {
    describe(subject, () => register(database, { withClient, withSecondStore }))
  }
}

module.exports = conformance
