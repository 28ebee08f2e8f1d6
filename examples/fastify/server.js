// @ts-check
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { fastify } = require('fastify')
// In your own application: require('rust-sequelize-store')
const { RustSequelizeStore } = require('../..')
// All examples share the same pages.
const { homePage, loginPage, messagePage, sessionPage } = require('../express/pages')

const { PORT = '3000', DATABASE_URL, SESSION_SECRET } = process.env
const WEEK = 7 * 24 * 60 * 60 * 1000
const LONGEST_NAME = 60

if (process.env.NODE_ENV === 'production' && !SESSION_SECRET) {
  throw new Error('SESSION_SECRET must be set in production')
}

// Without `db` the store keeps sessions in sessions.sqlite in the current folder.
const store = new RustSequelizeStore(DATABASE_URL ? { db: DATABASE_URL } : {})

// Browsers keep idle connections open, which would delay `close`.
const app = fastify({ forceCloseConnections: 'idle' })

app.addHook('onRequest', async (_request, reply) => {
  reply.headers({
    'Content-Security-Policy':
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin'
  })
})

const TYPES = /** @type {Record<string, string>} */ ({ '.css': 'text/css', '.svg': 'image/svg+xml' })
const folder = path.join(__dirname, '../express/public')

for (const name of fs.readdirSync(folder)) {
  const file = fs.readFileSync(path.join(folder, name))
  app.get(`/${name}`, (_request, reply) => reply.type(TYPES[path.extname(name)]).send(file))
}

// In a scope of its own, so that requests for static files do not query the database.
app.register(async (pages) => {
  pages.register(require('@fastify/cookie'))
  pages.register(require('@fastify/session'), {
    store,
    secret: SESSION_SECRET || 'only for development, and at least 32 characters long',
    // A visitor gets a cookie and a row only when there is something to remember.
    saveUninitialized: false,
    cookie: {
      maxAge: WEEK,
      // Keeps other sites from acting for the user, since all forms use POST.
      sameSite: 'lax',
      secure: 'auto'
    }
  })

  pages.addHook('onRequest', async (request, reply) => {
    // Pages show the contents of the session, so browsers must not cache them.
    reply.header('Cache-Control', 'no-store').type('text/html; charset=utf-8')
    // Without this check a form on another site could log a visitor in under somebody else's name.
    const site = request.headers['sec-fetch-site'] ?? 'same-origin'
    if (request.method === 'POST' && site !== 'same-origin') {
      return reply.status(403).send(messagePage('Refused', 'The form came from another site.'))
    }
  })

  const form = 'application/x-www-form-urlencoded'
  /** @type {(request: unknown, body: string) => Promise<URLSearchParams>} */
  const readForm = async (_request, body) => new URLSearchParams(body)
  pages.addContentTypeParser(form, { parseAs: 'string', bodyLimit: 2048 }, readForm)

  pages.get('/', async ({ session }) => {
    const { user } = session
    if (!user) return loginPage()
    user.visits += 1
    return homePage(user)
  })

  pages.post('/login', async (request, reply) => {
    const body = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
    const name = (body.get('name') ?? '').trim()
    if (name === '' || name.length > LONGEST_NAME) {
      const problem = `Enter a name of 1 to ${LONGEST_NAME} characters.`
      return reply.status(400).send(loginPage({ name, problem }))
    }
    // A new id at login prevents session fixation.
    await request.session.regenerate()
    request.session.user = { name, visits: 0, since: new Date().toISOString() }
    // Saved before the response, so that the next request finds it.
    return reply.redirect('/', 303)
  })

  pages.get('/session', async ({ session }, reply) => {
    if (!session.user) return reply.redirect('/', 303)
    return sessionPage(session.sessionId, session, session.cookie.expires)
  })

  pages.post('/logout', async (request, reply) => {
    await request.session.destroy()
    return reply.clearCookie('sessionId').redirect('/', 303)
  })

  pages.setNotFoundHandler((_request, reply) => {
    reply.status(404).send(messagePage('Not found', 'There is no page at this address.'))
  })
})

app.setErrorHandler((error, _request, reply) => {
  const { statusCode = 500 } = /** @type {{ statusCode?: number }} */ (error)
  const status = statusCode >= 400 && statusCode < 500 ? statusCode : 500
  if (status === 500) console.error(error)
  reply
    .status(status)
    .type('text/html; charset=utf-8')
    .send(
      status === 500
        ? messagePage('Something went wrong', 'Please try again.')
        : messagePage('Bad request', 'The form could not be read.')
    )
})

// `close` waits until the last sessions are written.
app.addHook('onClose', () => store.close())

app.listen({ port: Number(PORT) }).then(
  () => {
    const address = app.server.address()
    const port = typeof address === 'object' ? address?.port : PORT
    console.log(`http://localhost:${port} (stop with Ctrl+C)`)
  },
  (error) => {
    console.error(`Cannot listen on port ${PORT}: ${error.message}`)
    process.exitCode = 1
    app.close()
  }
)

process.once('SIGINT', () => app.close())
process.once('SIGTERM', () => app.close())
