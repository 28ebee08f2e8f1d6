'use strict'

const { LIBRARY } = require('./galera-library')
const { create } = require('./mysql-or-mariadb')
const { freePort } = require('./private-server')

/** How many nodes a cluster needs to go on when it loses one of them. */
const NODES = 3

/**
 * Starts a Galera cluster of MariaDB: `{ nodes, end() }`. A node is a server as ./mysql.js has it, whose `start()` without settings makes
 * it a member of the cluster, again if it has been stopped.
 */
async function startGalera() {
  const nodes = await Promise.all(Array.from({ length: NODES }, () => create()))
  const ports = await Promise.all(nodes.map(() => freePorts(3)))
  const address = `gcomm://${ports.map(([group]) => `127.0.0.1:${group}`).join()}`

  function member(node, i) {
    const [group, incremental, full] = ports[i]
    const settings = {
      'wsrep-on': 'ON',
      'wsrep-provider': LIBRARY,
      'wsrep-cluster-name': 'rust-sequelize-store',
      'wsrep-cluster-address': address,
      'wsrep-node-name': `node-${i}`,
      'wsrep-node-address': '127.0.0.1',
      'wsrep-sst-method': 'rsync',
      'wsrep-sst-receive-address': `127.0.0.1:${full}`,
      'wsrep-provider-options': [
        'base_host=127.0.0.1',
        `base_port=${group}`,
        `gmcast.listen_addr=tcp://127.0.0.1:${group}`,
        `ist.recv_addr=127.0.0.1:${incremental}`,
        'gcache.size=64M'
      ].join(';'),
      'binlog-format': 'ROW',
      'innodb-autoinc-lock-mode': 2,
      'max-connections': 200
    }
    // The users come from the first node.
    const none = node.write('none.sql', '')
    return {
      ...node,
      start: (more = { 'init-file': none }) => node.start({ ...settings, ...more })
    }
  }

  const members = nodes.map(member)
  /** A node that ends in order would tell the others. */
  const end = () => Promise.all(nodes.map((node) => node.stop('SIGKILL').then(node.end)))
  try {
    // Without others, it is a cluster of its own.
    await members[0].start({ 'wsrep-cluster-address': 'gcomm://' })
    // One after the other: each gets its data from one that has some, and that one is busy meanwhile.
    for (const each of members.slice(1)) await each.start()
  } catch (error) {
    await end()
    throw error
  }
  return { nodes: members, end }
}

async function freePorts(count) {
  const ports = []
  for (let i = 0; i < count; i++) ports.push(await freePort())
  return ports
}

module.exports = { startGalera }
