'use strict'

// Starts a server and leaves it without a word. Prints JSON.

const fs = require('node:fs')
const { args } = require('../run')
const servers = require('../servers')

async function main() {
  const [variable] = args()
  const server = await servers.find((each) => each.variable === variable).create()
  await server.start()
  fs.writeSync(1, JSON.stringify({ folder: server.folder, port: server.port }))
  process.kill(process.pid, 'SIGKILL')
}

main()
