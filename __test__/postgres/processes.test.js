'use strict'

const processes = require('../on-servers/processes')
const { onPostgres } = require('./setup')
const { kit } = require('./kit')

onPostgres((database) => {
  describe('used by several processes', () => processes(database, { ...kit(database), skipsLocked: true }))
})
