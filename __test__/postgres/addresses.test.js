'use strict'

const addresses = require('../on-servers/addresses')
const { onOwnServers } = require('../support/suites')
const { serverKit } = require('./kit')

onOwnServers('postgres', ({ create }) =>
  addresses({ ...serverKit(create), onBoth: { listen_addresses: '127.0.0.1,::1' } })
)
