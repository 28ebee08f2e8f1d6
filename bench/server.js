'use strict'

const { once } = require('node:events')
const { promisify } = require('node:util')
const express = require('express')
const session = require('express-session')
const { peers } = require('./peers')
const { sessionData } = require('./sessions')
const { Usage } = require('./usage')

/** Express 5 and express-session with a store, until the process is killed. */
async function serve(store, { peer, size }) {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  let usage = new Usage()
  app.get('/begin', (_request, response) => {
    usage = new Usage()
    response.json({})
  })
  app.get('/end/:requests', async (request, response) => {
    const used = usage.end(Number(request.params.requests))
    if (peers[peer].service) await promisify(store.clear).call(store)
    response.json(used)
  })
  const cookie = { maxAge: 86_400_000 }
  app.use(session({ store, secret: 'benchmark', resave: false, saveUninitialized: false, cookie }))
  const data = sessionData(size)
  app.get(['/login', '/read', '/write'], ({ path, session }, response) => {
    if (path === '/login') Object.assign(session, structuredClone(data), { views: 0 })
    if (path === '/write') session.views++
    response.json({ views: session.views })
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: server.address().port }
}

module.exports = { serve }
