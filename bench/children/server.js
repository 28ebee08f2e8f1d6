'use strict'

// The child process that serves: Express 5, and express-session with one peer as its store, or without any session at all.

const express = require('express')
const session = require('express-session')
const { findPeer } = require('../peers')
const { Usage } = require('../lib/measure')
const { sessionData } = require('../lib/sessions')

async function main(spec) {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  const { store, close } = await findPeer(spec.peer).open(spec.url, spec)
  if (store) {
    app.use(
      session({
        store,
        secret: 'benchmark',
        resave: false,
        saveUninitialized: false,
        cookie: { maxAge: 86400000 }
      })
    )
  }
  const data = sessionData(spec.size)
  app.get('/login', (request, response) => {
    Object.assign(request.session, structuredClone(data), { views: 0 })
    response.json({ views: 0 })
  })
  app.get('/read', (request, response) => {
    response.json({ views: request.session?.views ?? 0 })
  })
  app.get('/write', (request, response) => {
    if (request.session) request.session.views++
    response.json({ views: request.session?.views ?? 0 })
  })

  const server = app.listen(0, '127.0.0.1', () => {
    process.send({ port: server.address().port })
  })
  let usage
  let sampling
  let samples = []
  process.on('message', async (message) => {
    if (message === 'begin') {
      usage = new Usage()
      samples = []
      sampling = setInterval(() => samples.push(process.memoryUsage.rss()), 250)
    } else if (message === 'end') {
      clearInterval(sampling)
      process.send({ usage: usage.end(), samples })
    } else {
      server.closeAllConnections()
      await close()
      process.exit(0)
    }
  })
}

process.on('unhandledRejection', (error) => {
  console.error(error)
  process.exit(1)
})

main(JSON.parse(process.argv[2])).catch((error) => {
  process.send({ error: error.stack }, () => process.exit(1))
})
