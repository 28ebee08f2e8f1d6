'use strict'

const vanished = require('../on-servers/vanished')
const { needing, onOwnServers } = require('../support/suites')
const { serverKit } = require('./kit')

onOwnServers('mysql', ({ create }) => needing('vanishing', () => vanished(serverKit(create))))
