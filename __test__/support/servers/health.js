'use strict'

const { once } = require('node:events')
const http = require('node:http')

/**
 * Answers the checks of HAProxy for a server, as Patroni does at `/primary` and clustercheck for Galera: with 200 while `isReady` resolves
 * with true, else with 503. `{ port, answered(), end() }`; `answered` tells how often it has.
 */
async function startHealth(isReady) {
  let answered = 0
  const server = http.createServer(async (_request, response) => {
    const ready = await isReady().catch(() => false)
    answered++
    response.writeHead(ready ? 200 : 503, { Connection: 'close' }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: server.address().port,
    answered: () => answered,
    async end() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

module.exports = { startHealth }
