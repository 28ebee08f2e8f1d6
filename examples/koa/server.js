'use strict'

const fs = require('node:fs')
const path = require('node:path')
const Koa = require('koa')
const { createSession } = require('koa-session')
// In your own application: require('rust-sequelize-store')
const { RustSequelizeStore } = require('../..')
// All examples share the same pages.
const { homePage, loginPage, messagePage, sessionPage } = require('../express/pages')

const { PORT = '3000', DATABASE_URL, SESSION_SECRET } = process.env
const WEEK = 7 * 24 * 60 * 60 * 1000
const LONGEST_NAME = 60
const LONGEST_FORM = 2048

if (process.env.NODE_ENV === 'production' && !SESSION_SECRET) {
  throw new Error('SESSION_SECRET must be set in production')
}

// Without `db` the store keeps sessions in sessions.sqlite in the current folder.
const store = new RustSequelizeStore(DATABASE_URL ? { db: DATABASE_URL } : {})

const app = new Koa()
app.keys = [SESSION_SECRET || 'only for development']

const folder = path.join(__dirname, '../express/public')
const files = new Map(fs.readdirSync(folder).map((name) => [`/${name}`, fs.readFileSync(path.join(folder, name))]))

app.use(async (ctx, next) => {
  ctx.set({
    'Content-Security-Policy':
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin'
  })
  // Before the session, so that requests for static files do not query the database.
  const file = files.get(ctx.path)
  if (file) {
    ctx.type = path.extname(ctx.path)
    ctx.body = file
    return
  }
  // Pages show the contents of the session, so browsers must not cache them.
  ctx.set('Cache-Control', 'no-store')
  ctx.type = 'html'
  try {
    await next()
  } catch (error) {
    ctx.status = error.status >= 400 && error.status < 500 ? error.status : 500
    if (ctx.status === 500) console.error(error)
    ctx.body =
      ctx.status === 500
        ? messagePage('Something went wrong', 'Please try again.')
        : messagePage('Bad request', 'The form could not be read.')
  }
})

app.use(
  createSession(
    {
      store,
      // Every response extends the cookie and the row.
      rolling: true,
      maxAge: WEEK,
      // Keeps other sites from acting for the user, since all forms use POST.
      sameSite: 'lax'
    },
    app
  )
)

/** Reads a submitted form. */
async function readForm(ctx) {
  let text = ''
  for await (const chunk of ctx.req.setEncoding('utf8')) {
    text += chunk
    if (text.length > LONGEST_FORM) ctx.throw(413)
  }
  return new URLSearchParams(text)
}

const routes = {
  'GET /': (ctx) => {
    const { user } = ctx.session
    if (!user) {
      ctx.body = loginPage()
      return
    }
    user.visits += 1
    ctx.body = homePage(user)
  },

  'POST /login': async (ctx) => {
    const name = ((await readForm(ctx)).get('name') ?? '').trim()
    if (name === '' || name.length > LONGEST_NAME) {
      const problem = `Enter a name of 1 to ${LONGEST_NAME} characters.`
      ctx.status = 400
      ctx.body = loginPage({ name, problem })
      return
    }
    // A new id at login prevents session fixation.
    await ctx.session.regenerate()
    ctx.session.user = { name, visits: 0, since: new Date().toISOString() }
    ctx.redirect('/')
    ctx.status = 303
  },

  'GET /session': (ctx) => {
    if (!ctx.session.user) {
      ctx.redirect('/')
      ctx.status = 303
      return
    }
    ctx.body = sessionPage(ctx.session.externalKey, ctx.session, new Date(Date.now() + WEEK))
  },

  'POST /logout': (ctx) => {
    // Removes the row and the cookie.
    ctx.session = null
    ctx.redirect('/')
    ctx.status = 303
  }
}

app.use(async (ctx) => {
  // Without this check a form on another site could log a visitor in under somebody else's name.
  if (ctx.method === 'POST' && (ctx.get('Sec-Fetch-Site') || 'same-origin') !== 'same-origin') {
    ctx.status = 403
    ctx.body = messagePage('Refused', 'The form came from another site.')
    return
  }
  const route = routes[`${ctx.method} ${ctx.path}`]
  if (route) {
    await route(ctx)
    return
  }
  ctx.status = 404
  ctx.body = messagePage('Not found', 'There is no page at this address.')
})

const server = app.listen(Number(PORT), () => {
  console.log(`http://localhost:${server.address().port} (stop with Ctrl+C)`)
})

server.on('error', (error) => {
  console.error(`Cannot listen on port ${PORT}: ${error.message}`)
  process.exitCode = 1
  store.close()
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
