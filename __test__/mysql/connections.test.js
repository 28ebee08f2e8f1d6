'use strict'

const connections = require('../on-servers/connections')
const { onOwnServers } = require('../support/suites')
const { serverKit } = require('./kit')

onOwnServers('mysql', ({ create }) => connections(serverKit(create)))
