'use strict'

const session = require('express-session')

module.exports = {
  name: 'MemoryStore',
  alias: 'memory',
  databases: ['sqlite', 'postgres', 'mysql'],
  service: 'memory',
  single: true,
  reference: true,
  packages: () => ['express-session'],
  open: async () => ({ store: new session.MemoryStore(), close() {} })
}
