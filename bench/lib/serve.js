'use strict'

const { findPeer } = require('../peers')
const { Child } = require('./child')

/**
 * Puts an Express process with one peer under the load of another process.
 *
 * @param {{ peer: string, database: string, durability: string, size: number }} cell
 * @param {{ path: string, connections: number, seconds: number, warmup: number, rate?: number, pool?: number }} load
 * @param {import('./databases').Databases} databases
 */
async function serve(cell, load, databases) {
  const peer = findPeer(cell.peer)
  const table = databases.table(peer, { ...cell, rows: 0 })
  const at = databases.of(peer, cell.database)
  await at.drop(table)
  const server = new Child('server.js', {
    ...cell,
    durability: cell.durability || 'normal',
    url: at.url(table),
    table: table.name,
    size: cell.size,
    pool: load.pool
  })
  try {
    const { port } = await server.next(60)
    const ask = async (seconds) => {
      const client = new Child('client.js', {
        ...load,
        seconds,
        origin: `http://127.0.0.1:${port}`,
        sessions: peer.alias !== 'none'
      })
      const { result } = await client.next(seconds + 60)
      await client.ended
      return result
    }
    if (load.warmup > 0) await ask(load.warmup)
    server.send('begin')
    const result = await ask(load.seconds)
    server.send('end')
    const { usage, samples } = await server.next(10)
    server.send('close')
    await server.ended
    return {
      ...result,
      mainCpu: usage.mainCpu && usage.mainCpu / result.requests,
      processCpu: usage.processCpu / result.requests,
      loopDelayP99: usage.loopDelayP99,
      loopDelayMax: usage.loopDelayMax,
      rss: usage.rss,
      samples
    }
  } finally {
    await server.end()
    await at.drop(table)
  }
}

module.exports = { serve }
