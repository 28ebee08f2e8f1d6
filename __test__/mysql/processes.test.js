'use strict'

const processes = require('../on-servers/processes')
const { onEachMysql } = require('./setup')
const { kit } = require('./kit')

onEachMysql((database) => {
  describe('used by several processes', () => processes(database, kit(database)))
})
