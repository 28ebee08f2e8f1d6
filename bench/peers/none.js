'use strict'

// Express without express-session.
module.exports = {
  name: 'no sessions',
  alias: 'none',
  databases: ['sqlite', 'postgres', 'mysql'],
  service: 'memory',
  single: true,
  reference: true,
  versions: () => ['express'],
  open: async () => ({ store: undefined, close() {} })
}
