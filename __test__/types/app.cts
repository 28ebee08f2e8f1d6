// An Express application in TypeScript that becomes CommonJS.
import express = require('express')
import session = require('express-session')

import { createServer, type Server } from 'node:http'

import connect = require('rust-sequelize-store')

declare module 'express-session' {
  interface SessionData {
    user: { id: number; name: string }
    views: number
  }
}

const RustSequelizeStore = connect(session.Store)
const store = new RustSequelizeStore({
  db: process.env.DATABASE_URL ?? 'sqlite:./sessions.sqlite',
  tableName: 'WebSessions',
  extendDefaultFields: (defaults, data) => ({
    ...defaults,
    userId: data.user?.id
  })
})

const app = express()
app.use(
  session({
    store,
    secret: 'not a secret',
    resave: false,
    saveUninitialized: false
  })
)

app.get('/', (req, res) => {
  req.session.views = (req.session.views ?? 0) + 1
  res.json({ views: req.session.views, name: req.session.user?.name })
})

app.post('/login', (req, res, next) => {
  req.session.regenerate((error) => {
    if (error) return next(error)
    req.session.user = { id: 1, name: 'Ada' }
    // @ts-expect-error The augmented data are checked.
    req.session.user = { id: '1' }
    req.session.save((failure) => (failure ? next(failure) : res.end()))
  })
})

app.post('/logout', (req, res, next) => {
  store.destroy(req.sessionID, (error) => (error ? next(error) : res.end()))
})

app.get('/everyone', async (_req, res) => {
  const sessions = await store.all()
  res.json(Object.values(sessions).map(({ user }) => user.name))
})

app.post('/keep', async (req, _res, next) => {
  // The session of a request is only partly known, as express-session has it.
  await store.set(req.sessionID, req.session)
  await store.touch(req.sessionID, req.session)
  store.destroy(req.sessionID, next)
})

app.get('/name/:sid', (req, res, next) => {
  store.get(req.params.sid, (error, found) => {
    if (error) return next(error)
    const name: string | undefined = found?.user.name
    // @ts-expect-error Not a part of the session.
    res.json({ name, age: found?.age })
  })
})

const server: Server = createServer(app)
export = server
