// Without the augmented `SessionData` of the other files, and resolved as bundlers do.
import express from 'express'
import session from 'express-session'
import connect, { RustSequelizeStore, SessionStoreError, type StoreOptions } from 'rust-sequelize-store'

const options: StoreOptions = { db: 'sqlite::memory:' }
const store = new RustSequelizeStore(options)
const app = express()
app.use(session({ store, secret: 'not a secret' }))

const Store: typeof RustSequelizeStore = connect(session.Store)
export const second: RustSequelizeStore = new Store()

store.get('sid', (error, found) => {
  const cookie: session.Cookie | undefined = found?.cookie
  if (error instanceof SessionStoreError) console.error(error.code, cookie)
})

// @ts-expect-error Nothing but a cookie is known of a session that has not been augmented.
store.get('sid').then((found) => found?.user)

export { app }
