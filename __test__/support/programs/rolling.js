'use strict'

// One process of an application that is being deployed, with the session store that the argument names. It says where it listens.

const { once } = require('node:events')
const express = require('express')
const session = require('express-session')
const { args } = require('../run')
const { application } = require('../variants')

const STORES = {
  before: () => require('connect-session-sequelize')(session.Store),
  after: () => require('../../..')(session.Store)
}

async function main() {
  const [{ url, store }] = args()
  const Store = STORES[store]()
  const app = express()
  const secret = 'a secret of the tests'
  app.use(session({ store: new Store(application(url).options), secret, resave: false, saveUninitialized: false }))

  app.get('/login', (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) return next(error)
      Object.assign(req.session, { user: req.query.user, visits: 0 })
      res.end()
    })
  })
  app.get('/visit', ({ session: { user, visits }, session }, res) => {
    if (user !== undefined) session.visits = visits + 1
    res.json({ store, user, visits: session.visits })
  })
  app.get('/look', ({ session: { user, visits } }, res) => res.json({ store, user, visits }))
  app.get('/logout', (req, res, next) => req.session.destroy((error) => (error ? next(error) : res.end())))

  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.send(`http://127.0.0.1:${server.address().port}`)
}

process.on('disconnect', () => process.exit())
main()
