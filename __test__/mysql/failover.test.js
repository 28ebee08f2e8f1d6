'use strict'

const failover = require('../on-servers/failover')
const { onOwnServers } = require('../support/suites')
const { serverKit } = require('./kit')
const { run } = require('./setup')

onOwnServers('mysql', ({ create }) =>
  failover({
    ...serverKit(create),
    setReadOnly: (server, on) => run(server.url(), `SET GLOBAL read_only = ${on ? 1 : 0}`)
  })
)
