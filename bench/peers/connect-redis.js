'use strict'

module.exports = {
  name: 'connect-redis',
  alias: 'redis',
  databases: ['sqlite', 'postgres', 'mysql'],
  service: 'redis',
  sid: 'rust-sequelize-store-bench:',
  versions: () => ['connect-redis', 'redis'],
  async open(url) {
    const { createClient } = require('redis')
    const { RedisStore } = require('connect-redis')
    const client = createClient({ url })
    await client.connect()
    const store = new RedisStore({ client, prefix: module.exports.sid })
    return { store, close: () => client.close() }
  }
}
