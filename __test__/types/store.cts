import type { EventEmitter } from 'node:events'

import session = require('express-session')
import connect = require('rust-sequelize-store')

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_same: Same<A, B>): void {}

interface Account {
  account: number
}
type StoreError = connect.SessionStoreError

// The factory and the class.

const Store = connect(session.Store)
same<typeof Store, typeof connect.RustSequelizeStore>(true)
same<ReturnType<typeof connect>, typeof connect.RustSequelizeStore>(true)
connect(session)
connect({ Store: session.MemoryStore })
// @ts-expect-error A store class is needed.
connect()
// @ts-expect-error An instance is not a class.
connect(new session.MemoryStore())
// @ts-expect-error A class that emits no events is no store.
connect(class {})

const store = new connect.RustSequelizeStore({ db: 'sqlite::memory:' })
same<typeof store, connect.RustSequelizeStore<session.SessionData>>(true)
const asStore: session.Store = store
const asEmitter: EventEmitter = store
const asOptions: session.SessionOptions = { store, secret: 'not a secret' }
const accounts = new connect.RustSequelizeStore<Account>()
session({ store: accounts, secret: 'not a secret' })
session({ store: new Store<Account>({}), secret: 'not a secret' })

// Options.

new connect.RustSequelizeStore({
  db: 'sqlite:./sessions.sqlite',
  tableName: 'Sessions',
  modelKey: 'Session',
  table: 'Session',
  schema: 'public',
  columns: { sid: 'id', createdAt: false, updatedAt: 'changed', deletedAt: 'deleted' },
  expiration: 86_400_000,
  checkExpirationInterval: 0,
  extendDefaultFields: ({ data, expires }, { cookie }) => ({
    data,
    expires,
    secure: cookie.secure === true,
    seen: new Date(),
    size: data.length,
    big: 1n,
    blob: Buffer.alloc(1),
    nothing: null,
    absent: undefined,
    list: [1, 2],
    object: { a: 1 }
  }),
  disableTouch: true,
  touchAfter: 60_000,
  createTable: false,
  serializer: JSON,
  timezone: '+05:30',
  preparedStatements: false,
  causalReads: false,
  pool: { max: 1, acquireTimeout: 1, queryTimeout: 1, idleTimeout: 1, maxLifetime: 1 },
  queue: { maxOperations: 1, maxBytes: 1 }
})
new connect.RustSequelizeStore({ tableName: undefined, pool: undefined })
new connect.RustSequelizeStore({ timezone: undefined, preparedStatements: undefined, columns: { deletedAt: false } })
new connect.RustSequelizeStore({
  serializer: {
    stringify: (data) => JSON.stringify(data.cookie),
    parse: (text: string): session.SessionData => ({
      cookie: JSON.parse(text)
    })
  }
})
// The kind of session is found from the options.
const inferred = new connect.RustSequelizeStore({
  extendDefaultFields: (defaults, data: Account) => ({
    ...defaults,
    account: data.account
  })
})
same<typeof inferred, connect.RustSequelizeStore<Account>>(true)

// @ts-expect-error A missing environment variable is not a database.
new connect.RustSequelizeStore({ db: process.env.DATABASE_URL })
// @ts-expect-error Misspelled.
new connect.RustSequelizeStore({ expirations: 1 })
// @ts-expect-error A string is not a number of milliseconds.
new connect.RustSequelizeStore({ expiration: '1 day' })
// @ts-expect-error
new connect.RustSequelizeStore({ disableTouch: 'yes' })
// @ts-expect-error
new connect.RustSequelizeStore({ pool: { maximum: 5 } })
// @ts-expect-error
new connect.RustSequelizeStore({ queue: 5 })
// @ts-expect-error An offset is written as text.
new connect.RustSequelizeStore({ timezone: 330 })
// @ts-expect-error
new connect.RustSequelizeStore({ preparedStatements: 'no' })
// @ts-expect-error There is a column or there is none.
new connect.RustSequelizeStore({ columns: { deletedAt: true } })
// @ts-expect-error The id has no column to be left out.
new connect.RustSequelizeStore({ columns: { sid: false } })
// @ts-expect-error A serializer goes both ways.
new connect.RustSequelizeStore({ serializer: { stringify: String } })
new connect.RustSequelizeStore({
  // @ts-expect-error `data` is missing.
  extendDefaultFields: ({ expires }) => ({ expires })
})
new connect.RustSequelizeStore({
  // @ts-expect-error The fields are needed at once.
  extendDefaultFields: async (defaults) => defaults
})
new connect.RustSequelizeStore({
  // @ts-expect-error A symbol has no column.
  extendDefaultFields: (defaults) => ({ ...defaults, a: Symbol('a') })
})

// The statement that creates the table.

const ddl: string = connect.RustSequelizeStore.ddl('postgres', { schema: 'app', columns: { createdAt: false } })
const someOptions: connect.StoreOptions<Account> = { db: 'mysql://localhost/sessions', expiration: 1 }
Store.ddl('mysql', someOptions)
connect.RustSequelizeStore.ddl('sqlite')
// @ts-expect-error There is no such database.
connect.RustSequelizeStore.ddl('oracle')
// @ts-expect-error The statements of the databases differ.
connect.RustSequelizeStore.ddl()
// @ts-expect-error Misspelled.
connect.RustSequelizeStore.ddl('sqlite', { tablename: 'Sessions' })

// The live options.

store.options.disableTouch = true
same<typeof store.options.db, string | connect.SequelizeInstance>(true)
same<typeof store.options.expiration, number>(true)
same<typeof store.options.pool.max, number>(true)
same<typeof store.options.pool.queryTimeout, number>(true)
same<typeof store.options.timezone, string>(true)
same<typeof store.options.preparedStatements, boolean>(true)
same<typeof store.options.causalReads, boolean>(true)
same<typeof store.options.columns.deletedAt, string | false | undefined>(true)
// @ts-expect-error Their names are checked too.
store.options.disableTouching = true
// @ts-expect-error One can be changed, all cannot be exchanged.
store.options = asOptions

// Callback style.

const cookie = new session.Cookie()
const nothing = store.get('sid', (error, found) => {
  same<typeof error, StoreError | null>(true)
  same<typeof found, session.SessionData | null | undefined>(true)
})
same<typeof nothing, void>(true)
accounts.get('sid', (_error, found) => {
  const account: number | undefined = found?.account
  const path: string | undefined = found?.cookie.path
  return [account, path]
})
store.set('sid', { cookie }, (error) => {
  same<typeof error, StoreError | null>(true)
})
store.set('sid', { cookie }, 60_000, (error) => error?.code)
store.touch('sid', { cookie }, (error) => error?.code)
store.destroy('sid', (error) => error?.code)
store.all((_error, sessions) => {
  same<typeof sessions, Record<string, session.SessionData> | undefined>(true)
})
store.ids((_error, ids) => {
  same<typeof ids, string[] | undefined>(true)
})
store.length((_error, length) => {
  same<typeof length, number | undefined>(true)
})
store.clear((error) => error?.code)
store.sync((error) => error?.code)
store.sync({ force: true }, (error) => error?.code)
store.clearExpiredSessions((_error, count) => {
  same<typeof count, number | undefined>(true)
})
store.close((error) => error?.code)
// Callbacks of other shapes.
store.get('sid', (_error: Error | null, _found?: object | null) => {})
store.set('sid', { cookie }, () => {})
store.destroy('sid', (_error?: unknown) => {})

// @ts-expect-error The error comes first.
store.get('sid', (_found: session.SessionData) => {})
// @ts-expect-error
store.length((_error, length?: string) => length)
// @ts-expect-error
store.destroy('sid', (_error: number) => {})
// @ts-expect-error
store.set('sid', { cookie }, 60_000, 'callback')
// @ts-expect-error
store.sync({ forced: true })
// @ts-expect-error The names are the store's own.
store.remove('sid')

// Promise style.

export async function promises(): Promise<void> {
  same<Awaited<ReturnType<typeof store.close>>, void>(true)
  const found = await store.get('sid')
  same<typeof found, session.SessionData | null>(true)
  const account = await accounts.get('sid')
  same<typeof account, Account | null>(true)
  const set: Promise<void> = store.set('sid', { cookie })
  const ttl: Promise<void> = store.set('sid', { cookie }, 60_000)
  const touch: Promise<void> = store.touch('sid', { cookie })
  const destroy: Promise<void> = store.destroy('sid')
  const all: Record<string, session.SessionData> = await store.all()
  const one = all.sid
  same<typeof one, session.SessionData | undefined>(true)
  const ids: string[] = await store.ids()
  const length: number = await store.length()
  const clear: Promise<void> = store.clear()
  const sync: Promise<void> = store.sync()
  const force: Promise<void> = store.sync({ force: true })
  const count: number = await store.clearExpiredSessions()
  const close: Promise<void> = store.close()
  for await (const [sid, data] of accounts.iterate()) {
    same<typeof sid, string>(true)
    same<typeof data, Account>(true)
  }
  // @ts-expect-error A session may be absent.
  accounts.get('sid').then((data) => data.account)
  void [set, ttl, touch, destroy, ids, length, clear, sync, force, count, close]
}

// What koa-session calls a store.
interface KoaStore {
  get(key: string, maxAge: number | 'session' | undefined, context: { rolling: boolean }): unknown
  set(
    key: string,
    data: Account,
    ttl: number | 'session' | undefined,
    context: { rolling: boolean; changed: boolean }
  ): unknown
  destroy(key: string): unknown
}
const koa: KoaStore = accounts
const saved: Promise<void> = accounts.set('sid', { account: 1 }, 'session')

// @ts-expect-error A session without its data.
accounts.set('sid', {})
// @ts-expect-error A session is an object.
store.set('sid', 'text')
// @ts-expect-error An id is a string.
store.get(1)
// @ts-expect-error A session is an object.
new connect.RustSequelizeStore<string>()

// The rest.

const interval: NodeJS.Timeout | null = store._expirationInterval
store.startExpiringSessions()
store.stopExpiringSessions()
const expires: Date = store.expiration({ cookie })
const stats: connect.StoreStats = store.stats()
same<typeof stats.pool.idle, number>(true)
same<typeof stats.operationsPerBatch, number>(true)

// Errors.

export function explain(error: unknown): string {
  if (!(error instanceof connect.SessionStoreError)) return 'something else'
  const name: 'SessionStoreError' = error.name
  const cause = error.cause instanceof Error ? error.cause.message : ''
  switch (error.code) {
    case 'ERR_SESSION_OPTIONS':
    case 'ERR_SESSION_CONNECTION':
    case 'ERR_SESSION_TABLE':
    case 'ERR_SESSION_TIMEOUT':
    case 'ERR_SESSION_QUEUE_FULL':
    case 'ERR_SESSION_CLOSED':
    case 'ERR_SESSION_DATABASE':
    case 'ERR_SESSION_SID':
    case 'ERR_SESSION_DATA':
    case 'ERR_SESSION_INTERNAL':
      return `${name} ${error.code} ${cause}`
    default: {
      const never: never = error.code
      return never
    }
  }
}
new connect.SessionStoreError('ERR_SESSION_SID', 'message', new Error())
// @ts-expect-error There is no such code.
export const code: connect.SessionStoreErrorCode = 'ENOENT'

// Subclasses.

class AuditedStore extends connect.RustSequelizeStore<Account> {
  readonly destroyed: string[] = []

  constructor(file: string) {
    super({ db: `sqlite:${file}` })
  }

  override destroy(sid: string, callback: connect.Callback): void
  override destroy(sid: string): Promise<void>
  override destroy(sid: string, callback?: connect.Callback): Promise<void> | void {
    this.destroyed.push(sid)
    return super.destroy(sid, callback)
  }

  override expiration(data: Account): Date {
    return data.account === 0 ? new Date(0) : super.expiration(data)
  }

  async of(account: number): Promise<string[]> {
    const found: string[] = []
    for await (const [sid, data] of this.iterate()) {
      if (data.account === account) found.push(sid)
    }
    return found
  }
}
const audited: session.Store = new AuditedStore('./audited.sqlite')

class FromFactory extends connect(session.Store) {}
const fromFactory: session.Store = new FromFactory({ db: 'sqlite::memory:' })

class GenericStore<T extends object> extends connect.RustSequelizeStore<T> {}
const generic: session.Store = new GenericStore<Account>()

void [asStore, asEmitter, asOptions, nothing, interval, expires, ddl]
void [audited, fromFactory, generic, koa, saved]
