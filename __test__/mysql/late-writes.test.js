'use strict'

const lateWrites = require('../on-servers/late-writes')
const { onOwnServers } = require('../support/suites')
const { serverKit } = require('./kit')

onOwnServers('mysql', ({ create }) => lateWrites(serverKit(create)))
