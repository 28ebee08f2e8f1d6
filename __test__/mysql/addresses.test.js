'use strict'

const addresses = require('../on-servers/addresses')
const { onOwnServers } = require('../support/suites')
const { serverKit } = require('./kit')

onOwnServers('mysql', ({ create }) => addresses({ ...serverKit(create), onBoth: { 'bind-address': '127.0.0.1,::1' } }))
