'use strict'

const reasons = require('../on-servers/reasons')
const { onOwnServers } = require('../support/suites')
const { serverKit } = require('./kit')
const { run } = require('./setup')

onOwnServers('postgres', ({ create }) =>
  reasons({
    ...serverKit(create),
    fill: (server) => run(server.url(), "CREATE ROLE limited LOGIN PASSWORD 'secret' CONNECTION LIMIT 0"),
    full: '53300'
  })
)
