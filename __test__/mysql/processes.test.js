'use strict'

const processes = require('../on-servers/processes')
const { onEachMysql } = require('./setup')
const { kit } = require('./kit')

onEachMysql((database) => {
  describe('of several processes', () => processes(database, kit(database)))
})
