'use strict'

// Starts a server and leaves it without a word. Prints JSON.

const fs = require('node:fs')
const { createMysql } = require('../servers/mysql')
const { createPostgres } = require('../servers/postgres')
const { args } = require('../run')

async function main() {
  const [kind] = args()
  const server = await (kind === 'mysql' ? createMysql : createPostgres)()
  await server.start()
  fs.writeSync(1, JSON.stringify({ folder: server.folder, port: server.port }))
  process.kill(process.pid, 'SIGKILL')
}

main()
