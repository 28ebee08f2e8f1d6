'use strict'

const refusals = require('../on-servers/refusals')
const { onOwnServers } = require('../support/suites')
const { serverKit } = require('./kit')

onOwnServers('mysql', ({ create }) => refusals(serverKit(create)))
