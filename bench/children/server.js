'use strict'

// Express 5 and express-session, with one peer as its store.

const { promisify } = require('node:util')
const express = require('express')
const session = require('express-session')
const { findPeer } = require('../peers')
const { sessionData } = require('../sessions')
const { Usage } = require('../usage')

async function main(spec) {
  const peer = findPeer(spec.peer)
  const { store, close } = await peer.open(spec.url, spec)
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  const cookie = { maxAge: 86_400_000 }
  app.use(session({ store, secret: 'benchmark', resave: false, saveUninitialized: false, cookie }))
  const data = sessionData(spec.size)
  app.get('/login', (request, response) => {
    Object.assign(request.session, structuredClone(data), { views: 0 })
    response.json({ views: 0 })
  })
  app.get('/read', (request, response) => {
    response.json({ views: request.session.views })
  })
  app.get('/write', (request, response) => {
    request.session.views++
    response.json({ views: request.session.views })
  })
  const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port }))
  let usage
  process.on('message', async (question) => {
    if (question === 'begin') {
      usage = new Usage()
      process.send?.({})
    } else {
      process.send?.(usage.end())
      server.closeAllConnections()
      if (peer.service) await promisify(store.clear).call(store)
      await close()
      process.exit(0)
    }
  })
}

process.on('disconnect', () => process.exit(1))

process.on('unhandledRejection', (error) => {
  throw error
})

main(JSON.parse(process.argv[2])).catch((error) => {
  process.send?.({ error: error.stack ?? String(error) }, () => process.exit(1))
})
