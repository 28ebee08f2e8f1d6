'use strict'

const processes = require('../on-servers/processes')
const { onPostgres } = require('./setup')
const { kit } = require('./kit')

onPostgres((database) => {
  describe('of several processes', () => processes(database, { ...kit(database), skipsLocked: true }))
})
