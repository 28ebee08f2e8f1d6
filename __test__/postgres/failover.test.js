'use strict'

const failover = require('../on-servers/failover')
const { onOwnServers } = require('../support/suites')
const { until } = require('../support/time')
const { serverKit } = require('./kit')
const { run } = require('./setup')

onOwnServers('postgres', ({ create }) =>
  failover({
    ...serverKit(create),
    async setReadOnly(server, on) {
      await run(server.url(), `ALTER SYSTEM SET default_transaction_read_only = ${on ? 'on' : 'off'}`)
      await run(server.url(), 'SELECT pg_reload_conf()')
      await until(async () => {
        const [{ setting }] = await run(server.url(), "SELECT current_setting('transaction_read_only') AS setting")
        return setting === (on ? 'on' : 'off')
      })
    }
  })
)
