import session from 'express-session'
import type { SessionStoreError } from 'rust-sequelize-store'
import Koa from 'rust-sequelize-store/compat/koa-generic-session-sequelize'
import sequelstore from 'rust-sequelize-store/compat/sequelstore-connect'
import { Sequelize } from 'sequelize'

const sequelize = new Sequelize('sqlite:sessions.sqlite')

const koa = new Koa(sequelize, { tableName: 'Sessions', gcFrequency: 0, timestamps: undefined })
koa.on('connect', () => {})
const removed: Promise<number> = koa.gc()
koa.set('sid', { user: 'Ada' }, 1000).then((row) => row.id)
// @ts-expect-error Misspelled.
new Koa(sequelize, { tablename: 'Sessions' })
// @ts-expect-error There is no default.
new Koa()
// @ts-expect-error There is none.
koa.touch('sid', {})

const SequelStore = sequelstore(session)
const store = new SequelStore({ database: sequelize, sessionModel: sequelize.models.FooModel, ttl: 60 })
const asStore: session.Store = store
session({ store, secret: 'not a secret' })
store.all((error, sessions) => {
  const failure: SessionStoreError | null = error
  console.log(
    failure,
    sessions?.map(({ id, user }) => [id, user])
  )
})
const ids: Promise<string[]> = store.ids()
new SequelStore({ fallbackMemory: true })
// @ts-expect-error There is no default.
new SequelStore({ ttl: 60 })

export { asStore, ids, removed }
