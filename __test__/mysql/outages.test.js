'use strict'

const outages = require('../on-servers/outages')
const { onOwnServers } = require('../support/suites')
const { serverKit } = require('./kit')

onOwnServers('mysql', ({ create }) => outages(serverKit(create)))
