// @ts-check
'use strict'

const path = require('node:path')
const express = require('express')
const session = require('express-session')
// In your own application: require('rust-sequelize-store')
const { RustSequelizeStore } = require('../..')
const { homePage, loginPage, messagePage, sessionPage } = require('./pages')

const { PORT = '3000', DATABASE_URL, SESSION_SECRET } = process.env
const WEEK = 7 * 24 * 60 * 60 * 1000
const LONGEST_NAME = 60

if (process.env.NODE_ENV === 'production' && !SESSION_SECRET) {
  throw new Error('SESSION_SECRET must be set in production')
}

// Without `db` the store keeps sessions in sessions.sqlite in the current folder.
const store = new RustSequelizeStore(DATABASE_URL ? { db: DATABASE_URL } : {})

const app = express()
app.disable('x-powered-by')

app.use((_req, res, next) => {
  res.set({
    'Content-Security-Policy':
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin'
  })
  next()
})

// Before the session, so that requests for static files do not query the database.
app.use(express.static(path.join(__dirname, 'public')))

app.use(
  session({
    store,
    secret: SESSION_SECRET || 'only for development',
    // The store has `touch`, so unchanged sessions need not be saved again.
    resave: false,
    // A visitor gets a cookie and a row only when there is something to remember.
    saveUninitialized: false,
    // Every response extends the cookie together with the session.
    rolling: true,
    cookie: {
      maxAge: WEEK,
      // Keeps other sites from acting for the user, since all forms use POST.
      sameSite: 'lax',
      httpOnly: true,
      secure: 'auto'
    }
  })
)

app.use((_req, res, next) => {
  // Pages show the contents of the session, so browsers must not cache them.
  res.set('Cache-Control', 'no-store')
  next()
})

// Without this check a form on another site could log a visitor in under somebody else's name.
app.use((req, res, next) => {
  const site = req.get('Sec-Fetch-Site') ?? 'same-origin'
  if (req.method !== 'POST' || site === 'same-origin') {
    next()
    return
  }
  res.status(403).send(messagePage('Refused', 'The form came from another site.'))
})

app.use(express.urlencoded({ extended: false, limit: '2kb' }))

app.get('/', (req, res) => {
  const { user } = req.session
  if (!user) {
    res.send(loginPage())
    return
  }
  user.visits += 1
  res.send(homePage(user))
})

app.post('/login', (req, res, next) => {
  const name = typeof req.body?.name === 'string' ? req.body.name.trim() : ''
  if (name === '' || name.length > LONGEST_NAME) {
    const problem = `Enter a name of 1 to ${LONGEST_NAME} characters.`
    res.status(400).send(loginPage({ name, problem }))
    return
  }
  // A new id at login prevents session fixation.
  req.session.regenerate((error) => {
    if (error) {
      next(error)
      return
    }
    req.session.user = { name, visits: 0, since: new Date().toISOString() }
    // Saved before the response, so that the next request finds it.
    req.session.save((error) => {
      if (error) next(error)
      else res.redirect(303, '/')
    })
  })
})

app.get('/session', (req, res) => {
  if (!req.session.user) {
    res.redirect(303, '/')
    return
  }
  // Shows the session as it will be after this response, which extends it.
  req.session.touch()
  res.send(sessionPage(req.sessionID, req.session, req.session.cookie.expires))
})

app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => {
    if (error) {
      next(error)
      return
    }
    res.clearCookie('connect.sid')
    res.redirect(303, '/')
  })
})

app.use((_req, res) => {
  res.status(404).send(messagePage('Not found', 'There is no page at this address.'))
})

/** @type {express.ErrorRequestHandler} */
const onError = (error, _req, res, next) => {
  if (res.headersSent) {
    next(error)
    return
  }
  const status = error.status >= 400 && error.status < 500 ? error.status : 500
  if (status === 500) console.error(error)
  res
    .status(status)
    .send(
      status === 500
        ? messagePage('Something went wrong', 'Please try again.')
        : messagePage('Bad request', 'The form could not be read.')
    )
}
app.use(onError)

const server = app.listen(Number(PORT), (error) => {
  if (error) {
    console.error(`Cannot listen on port ${PORT}: ${error.message}`)
    process.exitCode = 1
    store.close()
    return
  }
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : PORT
  console.log(`http://localhost:${port} (stop with Ctrl+C)`)
})

// How long pending requests may take after the server is told to stop, in ms.
const GRACE = 5000

let stopping = false

async function stop() {
  if (stopping) return
  stopping = true
  setTimeout(() => server.closeAllConnections(), GRACE).unref()
  await new Promise((resolve) => server.close(resolve))
  // After the last response, so that its session is written.
  await store.close()
}

process.on('SIGINT', stop)
process.on('SIGTERM', stop)
