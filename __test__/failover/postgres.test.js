'use strict'

const { Client } = require('pg')
const { needing, onOwnServers } = require('../support/suites')
const { until } = require('../support/time')
const { run } = require('../postgres/setup')
const { balance, callsDuring, endings, onPort } = require('./setup')

/** Whether a server takes writes, as Patroni tells HAProxy. */
async function isPrimary(url) {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1000, query_timeout: 1000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query('SELECT NOT pg_is_in_recovery() AS primary')).rows[0].primary
  } finally {
    client.end().catch(() => {})
  }
}

needing('haproxy', () => {
  onOwnServers('postgres', ({ create, createStandby }) => {
    const all = endings()
    const { add, open } = all

    afterEach(() => all.end())

    /** A primary, a standby that has whatever the primary acknowledges, and HAProxy in front of them. */
    async function deployment() {
      const primary = await add(create())
      await primary.start()
      const standby = await add(createStandby(primary))
      await standby.start()
      // Not in the data that the standby has, as it would wait for another standby after its promotion.
      await run(primary.url(), "ALTER SYSTEM SET synchronous_standby_names = '*'")
      await run(primary.url(), 'SELECT pg_reload_conf()')
      const states = () => run(primary.url(), 'SELECT sync_state FROM pg_stat_replication')
      await until(async () => (await states())[0]?.sync_state === 'sync')
      const demoted = new Set()
      const isReady = async (server) => !demoted.has(server) && isPrimary(server.url())
      const { port } = await balance(all, [primary, standby], isReady)
      const calls = (what, act) =>
        callsDuring(`PostgreSQL behind HAProxy, ${what}`, open(onPort(primary.url(), port)), act, () =>
          open(standby.url())
        )
      return { primary, standby, demoted, calls }
    }

    test('a planned switch fails no call and loses nothing', async () => {
      const { primary, standby, demoted, calls } = await deployment()
      const { errors } = await calls('planned switch', async () => {
        demoted.add(primary)
        // The standby gets everything first.
        await primary.stop('SIGINT')
        await standby.promote()
      })
      expect(errors).toEqual([])
    })

    test('a crash of the primary fails at most one call of each caller, and loses nothing', async () => {
      const { primary, standby, calls } = await deployment()
      const { mostErrors } = await calls('crash of the primary', async () => {
        await primary.stop('SIGKILL')
        await standby.promote()
      })
      expect(mostErrors).toBeLessThanOrEqual(1)
    })
  })
})
