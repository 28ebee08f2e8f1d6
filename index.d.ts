/// <reference types="node" />

// @ts-ignore Applications on Koa or Fastify do not have it.
import session = require('express-session')

export = connect

/** Empty where express-session is not installed: what is unknown adds nothing to an interface. */
interface Known extends session.SessionData {}

/** What a session holds if nothing else is said: anything, where express-session is not installed. */
// biome-ignore lint/suspicious/noExplicitAny: as much as is known
type SessionData = keyof Known extends never ? Record<string, any> : session.SessionData

/** What the class extends: express-session's `Store`, or `EventEmitter` where that is not installed. */
declare const Store: keyof Known extends never ? new () => NodeJS.EventEmitter : typeof session.Store

/**
 * The class for a given copy of express-session, called in the manner of `connect-session-sequelize`.
 *
 * The same `Store` always gives the same class, which is {@link connect.RustSequelizeStore} itself where `require('express-session')`
 * finds the same copy.
 *
 * @example
 * const session = require('express-session')
 * const RustSequelizeStore = require('rust-sequelize-store')(session.Store)
 *
 * @param store The `Store` class to extend, or the module that has it as its `Store` property.
 */
declare function connect(
  store: connect.StoreConstructor | { Store: connect.StoreConstructor }
): typeof connect.RustSequelizeStore

declare namespace connect {
  /** A class that can be extended: express-session's `Store`, or that of another session middleware. */
  type StoreConstructor = abstract new (...args: never[]) => NodeJS.EventEmitter

  /** The last argument of a method in callback style. It is called exactly once, never before the method has returned. */
  type Callback<Result = undefined> = [Result] extends [undefined]
    ? (error: SessionStoreError | null) => void
    : (error: SessionStoreError | null, result?: Result) => void

  /** The row of a session as an instance of the Sequelize model, or undefined where `db` is a URL. */
  // biome-ignore lint/suspicious/noExplicitAny: the types of Sequelize are not needed where it is not used
  type SessionRow = any

  /** The callback of `set`. */
  type RowCallback = (error: SessionStoreError | null, row?: SessionRow) => void

  /** The databases, by the scheme of their URLs. */
  type Dialect = 'sqlite' | 'postgres' | 'postgresql' | 'mysql' | 'mariadb'

  /** What can be given for the lifetime of a session: milliseconds, or koa-session's `'session'` for the default lifetime. */
  type Lifetime = number | 'session' | undefined

  /**
   * The settings of a store. An unknown name, a wrong type or a value out of range makes the constructor throw a
   * {@link SessionStoreError} with the code `ERR_SESSION_OPTIONS`. A value of `undefined` stands for the default, except for `db`.
   */
  interface StoreOptions<Data extends object = SessionData> {
    /**
     * The URL of the database:
     *
     * - `sqlite:./file`, `sqlite:///absolute/file` or `sqlite::memory:`
     * - `postgres://user:password@host/database` or `postgresql:…`; `postgres:///database?host=/var/run/postgresql` by socket
     * - `mysql://user:password@host/database` or `mariadb:…`; `mysql://user@localhost/database?socket=/run/mysqld/mysqld.sock`
     *
     * Each takes parameters, such as `?synchronous=FULL`, `?sslmode=verify-full` or `?ssl-mode=VERIFY_IDENTITY`. Nothing is
     * opened before it is needed.
     *
     * A `db` that is present but undefined or empty makes the constructor throw, so that a missing environment variable
     * never becomes a local file.
     *
     * Or a Sequelize instance of version 6 or 7, from which the place, the credentials, TLS, the size of the pool, the time zone
     * and the model's names are taken. The store has connections of its own. The object that a `models` folder exports will do
     * too, together with the option `table`.
     *
     * @default 'sqlite:./sessions.sqlite', if the key is absent
     */
    db?: string | SequelizeInstance
    /**
     * The name of the table.
     * @default 'Sessions'; that of the `layout`, if one is given
     */
    tableName?: string | undefined
    /**
     * The name of the model that is defined on a Sequelize instance, unless it has one of that name. It does not name the table.
     * @default 'Session'
     */
    modelKey?: string | undefined
    /**
     * A model of the Sequelize instance, or the name of one, whose table and columns are used. With a URL this option is an error:
     * `tableName` names the table. The store does not create the table of such a model by itself; `sync()` has the model do it.
     * @default undefined
     */
    table?: string | SequelizeModel | undefined
    /**
     * The package whose table this is: what the columns are called, and how dates and sessions are written.
     * @default what is found in the table; `'sequelize'` for a new one
     */
    layout?: Layout | undefined
    /**
     * The schema of the table on PostgreSQL, its database on MySQL and MariaDB. With an SQLite URL this option is an error.
     * @default that of the connection
     */
    schema?: string | undefined
    /**
     * The names of the columns, for a table that has others than `sid`, `expires`, `data`, `createdAt`, `updatedAt` and `deletedAt`.
     * @default what is found in the table
     */
    columns?: Columns | undefined
    /**
     * The lifetime of a session whose cookie has no `expires`, in milliseconds.
     * @default 86400000 (24 hours)
     */
    expiration?: number | undefined
    /**
     * The time between two removals of expired sessions, in milliseconds; each time it varies at random between half and one and
     * a half of that. 0 or less: this store never removes expired sessions.
     * @default 900000 (15 minutes)
     */
    checkExpirationInterval?: number | undefined
    /**
     * Adds columns to the row of a session. It is called at every `set` and returns the default fields, changed or not, and the
     * values of the extra columns by name, at once and not as a promise. A column that the table does not have is an error.
     * @default undefined
     */
    extendDefaultFields?: ((defaults: DefaultFields, session: Data) => ExtendedFields) | undefined
    /**
     * Whether `touch` writes nothing, so that only a `set` moves the time at which a session expires.
     * @default false
     */
    disableTouch?: boolean | undefined
    /**
     * A `touch` that would move the time at which a session expires by less than this is skipped, in milliseconds. At the latest
     * when half of its remaining lifetime has passed it is not.
     * @default 0
     */
    touchAfter?: number | undefined
    /**
     * Whether the table is created if it is missing.
     * @default true
     */
    createTable?: boolean | undefined
    /**
     * Turns sessions into text and back.
     * @default JSON
     */
    serializer?: Serializer<Data> | undefined
    /**
     * The offset from UTC of dates in columns that know no zone, such as `'+05:30'`: `DATETIME` of MySQL and MariaDB, `timestamp`
     * of PostgreSQL. It is what Sequelize's option `timezone` was when it wrote the table. With an SQLite URL this option is
     * an error.
     * @default '+00:00'
     */
    timezone?: string | undefined
    /**
     * Whether a connection keeps its prepared statements. False behind a pooler that gives every transaction another
     * connection. With an SQLite URL this option is an error.
     * @default true
     */
    preparedStatements?: boolean | undefined
    /**
     * The connections to the database.
     * @default { max: 5, acquireTimeout: 10000, queryTimeout: 30000, idleTimeout: 60000, maxLifetime: 1800000 }; on SQLite
     * `max` is 4 and `acquireTimeout` is 30000
     */
    pool?: PoolOptions | undefined
    /**
     * The limits of what may be waiting for the database. A call over them fails at once with `ERR_SESSION_QUEUE_FULL`.
     * @default { maxOperations: 100000, maxBytes: 268435456 }
     */
    queue?: QueueOptions | undefined
  }

  /** The packages whose tables can be used. `sequelize` stands for connect-session-sequelize. */
  type Layout =
    | 'sequelize'
    | 'better-sqlite3-session-store'
    | 'connect-pg-simple'
    | 'connect-session-knex'
    | 'express-mysql-session'
    | 'koa-generic-session-sequelize'

  /** A Sequelize instance, or an object that has models of one. */
  interface SequelizeInstance {
    // biome-ignore lint/suspicious/noExplicitAny: the types of Sequelize are not needed where it is not used
    [property: string]: any
  }

  /** A model of Sequelize. */
  interface SequelizeModel {
    getTableName(): unknown
  }

  /** The names of the columns of the table, each with the name that Sequelize gives it as its default. */
  interface Columns {
    /** The session's id, the primary key. */
    sid?: string | undefined
    /** The time at which the session expires. */
    expires?: string | undefined
    /** The session as text. */
    data?: string | undefined
    /** The time at which the row was made, or `false` for a table without such a column. */
    createdAt?: string | false | undefined
    /** The time at which the row was last written, or `false` for a table without such a column. */
    updatedAt?: string | false | undefined
    /**
     * The time at which the row was softly deleted, as Sequelize's `paranoid` keeps it: a row with a value there counts as absent.
     * `false`: no column is looked at for this.
     */
    deletedAt?: string | false | undefined
  }

  /** The settings of the connection pool. */
  interface PoolOptions {
    /**
     * The number of connections in all.
     * @default 5; 4 on SQLite
     */
    max?: number | undefined
    /**
     * How long an operation may wait for a connection, in milliseconds; after that it fails with `ERR_SESSION_CONNECTION`.
     * @default 10000 (10 seconds); 30000 on SQLite
     */
    acquireTimeout?: number | undefined
    /**
     * How long the database may take to read or write sessions, in milliseconds; after that the operation fails with
     * `ERR_SESSION_TIMEOUT`, and whether a write has taken effect is unknown.
     * @default 30000 (30 seconds)
     */
    queryTimeout?: number | undefined
    /**
     * How long an unused connection stays open, in milliseconds.
     * @default 60000 (1 minute)
     */
    idleTimeout?: number | undefined
    /**
     * How long a connection is used before it is replaced, in milliseconds.
     * @default 1800000 (30 minutes)
     */
    maxLifetime?: number | undefined
  }

  /** The limits of the queue of operations that wait for the database. */
  interface QueueOptions {
    /**
     * The number of operations that may be pending.
     * @default 100000
     */
    maxOperations?: number | undefined
    /**
     * The size of what may be pending, in bytes.
     * @default 268435456 (256 MiB)
     */
    maxBytes?: number | undefined
  }

  /** Turns sessions into text and back. */
  interface Serializer<Data extends object = SessionData> {
    /** The text of a session. */
    stringify(session: Data): string
    /** The session of a text. It may throw; such a row is treated as absent. */
    parse(text: string): Data
  }

  /** What the store writes into the row of a session if nothing is added. */
  interface DefaultFields {
    /** The session as text. */
    data: string
    /** The time at which the session expires. */
    expires: Date
  }

  /** What `extendDefaultFields` returns: the default fields and the extra columns by name. */
  interface ExtendedFields {
    data: string
    expires: Date
    [column: string]: ColumnValue
  }

  /**
   * The value of an extra column. Null and undefined are stored as NULL, `Buffer` and `Uint8Array` as bytes, other objects and arrays
   * as JSON text. PostgreSQL casts a value to the type of the column. On SQLite booleans are stored as 1 and 0, dates as text
   * in UTC. Numbers must be finite; a bigint must fit into 64 bits.
   */
  type ColumnValue = string | number | bigint | boolean | object | null | undefined

  /**
   * The options of a store with their defaults filled in. They are read at every call, so that a change of, for example,
   * `disableTouch` takes effect on a live store. What concerns the database, its table and its connections is read once.
   */
  interface CompleteOptions<Data extends object = SessionData> {
    /** The database as it was given. Not enumerable, so that it is neither inspected nor serialised. */
    db: string | SequelizeInstance
    tableName: string
    modelKey: string
    table?: string | SequelizeModel | undefined
    schema?: string | undefined
    layout?: Layout | undefined
    columns: Columns
    expiration: number
    checkExpirationInterval: number
    extendDefaultFields?: ((defaults: DefaultFields, session: Data) => ExtendedFields) | undefined
    disableTouch: boolean
    touchAfter: number
    createTable: boolean
    serializer: Serializer<Data>
    timezone: string
    preparedStatements: boolean
    pool: {
      max: number
      acquireTimeout: number
      queryTimeout: number
      idleTimeout: number
      maxLifetime: number
    }
    queue: { maxOperations: number; maxBytes: number }
  }

  /** Options of `sync`. */
  interface SyncOptions {
    /**
     * Whether an existing table is dropped, with all its sessions, and made anew.
     * @default false
     */
    force?: boolean | undefined
  }

  /** What a store has done since it was made. Numbers are counts unless something else is said. */
  interface StoreStats {
    /** Calls of `get`. */
    gets: number
    /** Calls of `get` that found a live session. */
    hits: number
    /** Calls of `get` that found none. */
    misses: number
    /** Calls of `set`. */
    sets: number
    /** Calls of `touch`, skipped ones too. */
    touches: number
    /** Calls of `touch` that wrote nothing, because of `disableTouch` or `touchAfter`. */
    touchesSkipped: number
    /** Calls of `destroy`. */
    destroys: number
    /** Batches that were sent to the database. */
    batches: number
    /** The mean number of operations in a batch. */
    operationsPerBatch: number
    /** Statements that were repeated after a failure that passes, such as a busy database. */
    retries: number
    /** Operations that failed. */
    errors: number
    /** Operations that wait at the moment. */
    pending: number
    /** Expired sessions that were removed. */
    pruned: number
    /** Rows that were treated as absent, since they do not hold an object or lack a cookie. */
    unreadable: number
    /** Saves of loaded sessions whose row had been destroyed meanwhile; they wrote nothing. */
    gone: number
    /** The connections to the database. */
    pool: {
      /** Open connections. */
      size: number
      /** Open connections that are not in use. */
      idle: number
    }
  }

  /**
   * What went wrong:
   *
   * - `ERR_SESSION_OPTIONS`: an option is unknown or has a wrong value. Thrown by the constructor.
   * - `ERR_SESSION_CONNECTION`: the database cannot be opened or reached.
   * - `ERR_SESSION_TABLE`: the table is missing and may not be created, cannot hold sessions, or lacks a column.
   * - `ERR_SESSION_TIMEOUT`: the database took too long, or somebody held a lock for too long.
   * - `ERR_SESSION_QUEUE_FULL`: more is pending than the option `queue` allows.
   * - `ERR_SESSION_CLOSED`: the store has been closed.
   * - `ERR_SESSION_DATABASE`: the database refused the statement for another reason, given as `cause`.
   * - `ERR_SESSION_SID`: the session id is not a non-empty string, or holds a NUL character or a lone surrogate.
   * - `ERR_SESSION_DATA`: the session is not an object or cannot be serialised, or `extendDefaultFields` failed or returned a promise.
   * - `ERR_SESSION_INTERNAL`: a defect of this package.
   */
  type SessionStoreErrorCode =
    | 'ERR_SESSION_OPTIONS'
    | 'ERR_SESSION_CONNECTION'
    | 'ERR_SESSION_TABLE'
    | 'ERR_SESSION_TIMEOUT'
    | 'ERR_SESSION_QUEUE_FULL'
    | 'ERR_SESSION_CLOSED'
    | 'ERR_SESSION_DATABASE'
    | 'ERR_SESSION_SID'
    | 'ERR_SESSION_DATA'
    | 'ERR_SESSION_INTERNAL'

  /** Every failure of a store. The constructor throws it; methods give it to the callback or reject with it and never throw it. */
  class SessionStoreError extends Error {
    constructor(code: SessionStoreErrorCode, message: string, cause?: unknown)
    name: 'SessionStoreError'
    /** What went wrong. */
    code: SessionStoreErrorCode
    /** What led to it. For an error of the database an `Error` with the driver's own message and, as `code`, the database's own code. */
    cause?: unknown
  }

  /**
   * Keeps the sessions of express-session in a table of an SQL database.
   *
   * Each method takes a callback as its last argument or, without one, returns a promise. What koa-session gives in addition
   * is accepted and ignored. Where express-session is not installed,
   * the class extends `EventEmitter` instead of express-session's `Store`.
   *
   * @typeParam Data What a session holds; by default express-session's `SessionData`, with what the application adds to it.
   */
  class RustSequelizeStore<Data extends object = SessionData> extends Store {
    constructor(options?: StoreOptions<Data>)

    /**
     * The statement that creates the table of a store with these options, for those who create it themselves.
     *
     * @throws {SessionStoreError} `ERR_SESSION_OPTIONS`
     */
    static ddl(dialect: Dialect, options?: Pick<StoreOptions, 'tableName' | 'schema' | 'columns' | 'layout'>): string

    /** The options with their defaults, read at every call. */
    readonly options: CompleteOptions<Data>

    /**
     * The model of the table where `db` is a Sequelize instance, for queries of the application.
     *
     * @remarks It uses the instance's connections. `any`, since the types of Sequelize are not needed here.
     */
    // biome-ignore lint/suspicious/noExplicitAny: the types of Sequelize are not needed where it is not used
    sessionModel?: any
    /** The timer that removes expired sessions, or null when it does not run. */
    _expirationInterval: NodeJS.Timeout | null

    /**
     * Reads a session: null if there is none, if it has expired, or if its row does not hold an object. In callback style
     * that includes a row without a `cookie`, which express-session cannot use.
     */
    get(sid: string, callback: Callback<(Data & SessionData) | null>): void
    get(sid: string): Promise<Data | null>
    /** As the middlewares of Koa call it. */
    // biome-ignore lint/suspicious/noExplicitAny: each of them has a type of its own for a session
    get(sid: string, lifetime?: Lifetime, context?: object): Promise<any>

    /**
     * Writes a session, as it is at the time of the call. A session that express-session has loaded is only written if its row still
     * exists, so that a slow request does not undo a logout.
     *
     * Where `db` is a Sequelize instance, the row is yielded as an instance of the model.
     *
     * @param ttl The lifetime in milliseconds. Without it the cookie decides and, if it has no `expires`, the option `expiration`.
     */
    set(sid: string, session: Data | session.SessionData | session.Session, callback: RowCallback): void
    set(sid: string, session: Data | session.SessionData | session.Session, ttl: Lifetime, callback: RowCallback): void
    set(sid: string, session: Data | session.SessionData | session.Session, ttl?: Lifetime): Promise<SessionRow>
    set(
      sid: string,
      session: Data | session.SessionData | session.Session,
      callback?: RowCallback
    ): Promise<SessionRow> | undefined

    /** Moves the time at which a session expires. A session that does not exist or has expired is left as it is, without an error. */
    touch(sid: string, session: Data | session.SessionData | session.Session, callback: Callback): void
    touch(sid: string, session: Data | session.SessionData | session.Session): Promise<void>
    touch(sid: string, session: Data | session.SessionData | session.Session, callback?: Callback): Promise<void> | void

    /** Removes a session. A session that does not exist is no error. */
    destroy(sid: string, callback: Callback): void
    destroy(sid: string): Promise<void>
    destroy(sid: string, callback?: Callback): Promise<void> | void

    /** All live sessions by their ids. For a large table use `iterate`. */
    all(callback: Callback<Record<string, Data & SessionData>>): void
    all(): Promise<Record<string, Data>>

    /** The ids of all live sessions. */
    ids(callback: Callback<string[]>): void
    ids(): Promise<string[]>

    /** The live sessions one after another, as pairs of id and session, without holding the whole table in memory. */
    iterate(): AsyncIterableIterator<[sid: string, session: Data]>

    /** The number of live sessions. */
    length(callback: Callback<number>): void
    length(): Promise<number>

    /** Removes all sessions. */
    clear(callback: Callback): void
    clear(): Promise<void>
    clear(callback?: Callback): Promise<void> | void

    /**
     * Creates the table if it is missing. The first operation does the same unless the option `createTable` is false. With the
     * option `table`, the model's own `sync` does it.
     */
    sync(options: SyncOptions | undefined, callback: Callback): void
    sync(callback: Callback): void
    sync(options?: SyncOptions): Promise<void>

    /** Removes the expired sessions and gives the number of those removed. */
    clearExpiredSessions(callback: Callback<number>): void
    clearExpiredSessions(): Promise<number>

    /** Waits for all pending operations and closes the connections. Afterwards every method but `stats` fails with `ERR_SESSION_CLOSED`. */
    close(callback: Callback): void
    close(): Promise<void>

    /**
     * Starts the removal of expired sessions every `checkExpirationInterval` milliseconds. The constructor does so by itself. On a
     * closed store it does nothing.
     */
    startExpiringSessions(): void

    /** Stops the removal of expired sessions. */
    stopExpiringSessions(): void

    /** The time at which a session would expire if it were written now. */
    expiration(session: Data | session.SessionData | session.Session): Date

    /** What the store has done since it was made. */
    stats(): StoreStats
  }
}
