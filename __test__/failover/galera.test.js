'use strict'

const mysql = require('mysql2/promise')
const { startGalera } = require('../support/servers/galera')
const { session } = require('../support/sessions')
const { needing } = require('../support/suites')
const { until } = require('../support/time')
const { balance, callsDuring, endings, onPort } = require('./setup')

/** The rows of a statement, which has to end soon. */
async function ask(url, sql) {
  const connection = await mysql.createConnection({ uri: url, connectTimeout: 1000 })
  try {
    return (await connection.query({ sql, timeout: 2000 }))[0]
  } finally {
    connection.destroy()
  }
}

/** Whether a node takes statements and has all that the others have, as clustercheck tells HAProxy. */
async function isSynced(url) {
  const rows = await ask(url, "SHOW STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_local_state_comment')")
  const values = rows.map(({ Value }) => Value)
  return values.includes('ON') && values.includes('Synced')
}

needing('galera', () => {
  needing('haproxy', () => {
    const all = endings()
    let nodes
    let cluster

    beforeAll(async () => {
      cluster = await startGalera()
      nodes = cluster.nodes
    })

    afterEach(() => all.end())

    afterAll(() => cluster?.end())

    async function calls(what, options, act) {
      const { port } = await balance(all, nodes, (node) => isSynced(node.url()), options)
      const store = all.open(onPort(nodes[0].url(), port))
      await store.sync({ force: true })
      return callsDuring(`Galera behind HAProxy, ${what}`, store, act, () => all.open(nodes[1].url()))
    }

    test('connections in turns to all nodes read what was written through any of them', async () => {
      const { errors } = await calls('all nodes in turns', {}, () => {})
      expect(errors).toEqual([])
    })

    test('a store on one node reads what a store on another has written', async () => {
      const [one, other] = nodes.map((node) => all.open(node.url()))
      await one.sync({ force: true })
      // It takes the other node a moment to apply.
      const text = 'x'.repeat(50_000)
      const work = async (i) => {
        for (let n = 0; n < 20; n++) {
          await one.set(`${i}`, session({ n, text }))
          expect((await other.get(`${i}`))?.n).toBe(n)
          await other.destroy(`${i}`)
          expect(await one.get(`${i}`)).toBeNull()
        }
      }
      await Promise.all(Array.from({ length: 32 }, (_, i) => work(i)))
    })

    test('a node that crashes fails at most one call of each caller, and loses nothing', async () => {
      const { mostErrors } = await calls('all nodes in turns, one crashes', {}, () => nodes[2].stop('SIGKILL'))
      expect(mostErrors).toBeLessThanOrEqual(1)
    })

    test('a node that comes back fails no call and loses nothing', async () => {
      const { errors } = await calls('all nodes in turns, one comes back', {}, () => nodes[2].start())
      expect(errors).toEqual([])
    })

    test('a crash of the node that is written to fails at most one call of each caller, and loses nothing', async () => {
      const { mostErrors } = await calls('one writer, which crashes', { backups: true }, () => nodes[0].stop('SIGKILL'))
      expect(mostErrors).toBeLessThanOrEqual(1)
    })

    test('a node without the majority is waited for', async () => {
      const [, node, last] = nodes
      const status = async () => (await ask(node.url(), "SHOW STATUS LIKE 'wsrep_cluster_status'"))[0].Value
      const store = all.open(node.url(), { pool: { acquireTimeout: 30_000 } })
      await store.sync({ force: true })
      const act = async () => {
        await last.stop('SIGKILL')
        await until(async () => (await status()) === 'non-Primary')
        // What an operator does who knows that the others are gone.
        await ask(node.url(), "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'")
      }
      const direct = () => all.open(node.url())
      const { errors } = await callsDuring('Galera, majority lost and a new cluster made', store, act, direct)
      expect(errors).toEqual([])
    })
  })
})
