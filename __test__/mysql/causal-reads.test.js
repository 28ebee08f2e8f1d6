'use strict'

const { RustSequelizeStore } = require('../..')
const { lostWrites, startCallers } = require('../support/callers')
const { freePort } = require('../support/servers/private-server')
const { LIBRARY } = require('../support/servers/galera-library')
const { session } = require('../support/sessions')
const { needing, onOwnServers } = require('../support/suites')
const { sleep } = require('../support/time')
const { run } = require('./setup')

// A cluster of one node, which shows what connections set. Servers that know nothing of Galera start with the same options.

needing('galera', () => {
  onOwnServers('mysql', ({ create }) => {
    let server
    let isNode
    const stores = []

    beforeAll(async () => {
      server = await create()
      await server.start({
        'loose-wsrep-on': 'ON',
        'loose-wsrep-provider': LIBRARY,
        'loose-wsrep-cluster-address': 'gcomm://',
        'loose-wsrep-node-address': '127.0.0.1',
        'loose-wsrep-provider-options': `gmcast.listen_addr=tcp://127.0.0.1:${await freePort()}`,
        'binlog-format': 'ROW',
        'innodb-autoinc-lock-mode': 2
      })
      isNode = (await run(server.url(), "SHOW VARIABLES WHERE Variable_name = 'wsrep_on' AND Value = 'ON'")).length > 0
      await run(server.url(), "SET GLOBAL log_output = 'TABLE', GLOBAL general_log = 1")
    })

    afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())))

    afterAll(() => server?.end())

    function open(options) {
      const store = new RustSequelizeStore({ db: server.url(), ...options })
      stores.push(store)
      return store
    }

    /** What the connections of a new store have set. */
    async function settingsOf(options) {
      await run(server.url(), 'TRUNCATE mysql.general_log')
      await open(options).set('ada', session())
      const rows = await run(
        server.url(),
        "SELECT CAST(argument AS CHAR) AS sql_text FROM mysql.general_log WHERE argument LIKE 'SET SESSION sql_mode%'"
      )
      expect(rows).not.toEqual([])
      return rows.map((row) => row.sql_text)
    }

    test('reads wait for the writes of other nodes', async () => {
      for (const sql of await settingsOf({})) expect(sql.includes('wsrep_sync_wait = 7')).toBe(isNode)
    })

    test('reads do not wait if the option is false', async () => {
      for (const sql of await settingsOf({ causalReads: false })) expect(sql).not.toContain('wsrep')
    })

    test('a node that takes no statements for a while is waited for', async () => {
      if (!isNode) return
      const store = open()
      await store.sync()
      const callers = startCallers(store, 16)
      await callers.more(50)
      await run(server.url(), 'SET GLOBAL wsrep_reject_queries = ALL')
      await sleep(1000)
      await run(server.url(), 'SET GLOBAL wsrep_reject_queries = NONE')
      await callers.more(50)
      await callers.end()
      expect(callers.errors).toEqual([])
      expect(await lostWrites(store, callers)).toEqual([])
    })
  })
})
