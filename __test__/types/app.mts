// An Express application in TypeScript that stays an ECMAScript module. `SessionData` is augmented in app.cts.
import express, { type ErrorRequestHandler, type NextFunction, type Request, type Response } from 'express'
import session, { Store } from 'express-session'
import * as everything from 'rust-sequelize-store'
import connect, {
  RustSequelizeStore,
  SessionStoreError,
  type SessionStoreErrorCode,
  type StoreOptions
} from 'rust-sequelize-store'

const options: StoreOptions = {
  db: 'sqlite:./sessions.sqlite',
  touchAfter: 60_000
}
const store: RustSequelizeStore = new RustSequelizeStore(options)
const throughFactory: Store = new (connect(Store))(options)
const throughNamespace: Store = new everything.RustSequelizeStore(options)
const throughDefault: Store = new connect.RustSequelizeStore(options)

const app = express()
app.use(session({ store, secret: 'not a secret', unset: 'destroy' }))

app.get('/', async (req: Request, res: Response, next: NextFunction) => {
  try {
    const found = await store.get(req.sessionID)
    const views: number = found?.views ?? 0
    for await (const [sid, { user }] of store.iterate()) {
      console.log(sid, user.name)
    }
    res.json({ views, ...store.stats() })
  } catch (error) {
    next(error)
  }
})

const statuses: Partial<Record<SessionStoreErrorCode, number>> = {
  ERR_SESSION_TIMEOUT: 503,
  ERR_SESSION_QUEUE_FULL: 503
}
const onError: ErrorRequestHandler = (error, _req, res, _next) => {
  const known = error instanceof SessionStoreError
  res.status((known && statuses[error.code]) || 500).end()
}
app.use(onError)

process.once('SIGTERM', () => {
  store.close((error) => process.exit(error ? 1 : 0))
})

export { app, throughDefault, throughFactory, throughNamespace }
