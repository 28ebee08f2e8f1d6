'use strict'

module.exports = {
  name: 'connect-redis',
  alias: 'redis',
  databases: ['sqlite', 'postgres', 'mysql'],
  service: 'redis',
  reference: true,
  packages: () => ['connect-redis', 'redis'],
  async open(url, { table }) {
    const { createClient } = require('redis')
    const { RedisStore } = require('connect-redis')
    const client = createClient({ url })
    await client.connect()
    const store = new RedisStore({ client, prefix: `${table}:` })
    return { store, close: () => client.close() }
  }
}
