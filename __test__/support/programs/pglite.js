'use strict'

// Serves PGlite, which is PostgreSQL compiled to WebAssembly, at a port, and tells the parent when it answers. All connections share its
// one backend.

const { PGlite } = require('@electric-sql/pglite')
const { PGLiteSocketServer } = require('@electric-sql/pglite-socket')
const { args } = require('../run')

const [port] = args()

async function main() {
  const server = new PGLiteSocketServer({ db: await PGlite.create(), port, maxConnections: 20 })
  await server.start()
  process.send('ready')
}

main()
