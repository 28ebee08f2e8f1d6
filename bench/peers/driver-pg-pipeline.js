'use strict'

const { openStore } = require('./driver-pg')

// pg can send a query before the last one is answered, but only if it is told to, and not with its own pool.
module.exports = {
  name: 'pg, pipelined (bare driver)',
  alias: 'driver-pg-pipeline',
  databases: ['postgres'],
  reference: true,
  versions: () => ['pg'],
  async open(url, { table, pool: max = 5 }) {
    const { Client } = require('pg')
    const clients = Array.from({ length: max }, () => new Client({ connectionString: url, pipeline: true }))
    await Promise.all(clients.map((client) => client.connect()))
    let turn = 0
    const lanes = { query: (...args) => clients[turn++ % max].query(...args) }
    const close = () => Promise.all(clients.map((client) => client.end()))
    return { store: await openStore(lanes, table), close }
  }
}
