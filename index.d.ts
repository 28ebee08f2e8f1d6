/// <reference types="node" />

// @ts-ignore Applications on Koa or Fastify may not have it.
import session = require('express-session')

export = connect

/** Empty where express-session is not installed. */
interface Known extends session.SessionData {}

/** The default type of a session: express-session's `SessionData`, or any object where express-session is not installed. */
// biome-ignore lint/suspicious/noExplicitAny: any object, as documented
type SessionData = keyof Known extends never ? Record<string, any> : session.SessionData

/** The base class: express-session's `Store`, or `EventEmitter` where express-session is not installed. */
declare const Store: keyof Known extends never ? new () => NodeJS.EventEmitter : typeof session.Store

/**
 * Returns the store class for a copy of express-session. It is called in the same way as `connect-session-sequelize`.
 *
 * The same `Store` always gives the same class. For the copy of express-session that `require('express-session')` finds, that is
 * {@link connect.RustSequelizeStore}.
 *
 * @example
 * const session = require('express-session')
 * const RustSequelizeStore = require('rust-sequelize-store')(session.Store)
 *
 * @param store The `Store` class to extend, or a module with the property `Store`.
 */
declare function connect(
  store: connect.StoreConstructor | { Store: connect.StoreConstructor }
): typeof connect.RustSequelizeStore

declare namespace connect {
  /** A class that can be extended: express-session's `Store`, or that of another session middleware. */
  type StoreConstructor = abstract new (...args: never[]) => NodeJS.EventEmitter

  /** The last argument of a method in callback style. It is called exactly once, and only after the method has returned. */
  type Callback<Result = undefined> = [Result] extends [undefined]
    ? (error: SessionStoreError | null) => void
    : (error: SessionStoreError | null, result?: Result) => void

  /** The row of a session as an instance of the Sequelize model; undefined if `db` is a URL. */
  // biome-ignore lint/suspicious/noExplicitAny: the types of Sequelize are not needed where it is not used
  type SessionRow = any

  /** The callback of `set`. */
  type RowCallback = (error: SessionStoreError | null, row?: SessionRow) => void

  /** A database, by a scheme of its URLs. */
  type Dialect = 'sqlite' | 'postgres' | 'postgresql' | 'mysql' | 'mariadb'

  /** What serves the calls of a store: connections of its own, in Rust, or the statements of a Sequelize instance. */
  type EngineName = 'rust' | 'sequelize'

  /** The lifetime of a session in milliseconds, or koa-session's `'session'` for the default lifetime. */
  type Lifetime = number | 'session' | undefined

  /**
   * The options of a store. The constructor throws a {@link SessionStoreError} with the code `ERR_SESSION_OPTIONS` for an unknown
   * name, a wrong type or a value out of range. The value `undefined` stands for the default, except for `db`.
   *
   * If `db` is a Sequelize instance, an unknown name is only a warning, numbers may be text, and null stands for the default.
   */
  interface StoreOptions<Data extends object = SessionData> {
    /**
     * The database, as a URL or as a Sequelize instance.
     *
     * URLs:
     *
     * - `sqlite:./file`, `sqlite:///absolute/file` or `sqlite::memory:`
     * - `postgres://user:password@host/database` or `postgresql:…`; with a socket: `postgres:///database?host=/var/run/postgresql`
     * - `mysql://user:password@host/database` or `mariadb:…`; with a socket: `mysql://user@localhost/database?socket=/run/mysqld/mysqld.sock`
     *
     * A URL can have parameters, such as `?synchronous=FULL`, `?sslmode=verify-full` or `?ssl-mode=VERIFY_IDENTITY`; those of other
     * drivers, such as `?ssl=true`, are understood or refused. White space around the URL is ignored. The database is opened when
     * it is first needed.
     *
     * From a Sequelize instance, version 6 or 7, the store reads host, database, credentials, TLS, pool, time zone, schema, and the
     * model's table and column names. It opens connections of its own. The object that a `models` folder exports can be passed
     * too, together with the option `table`.
     *
     * If `db` is present but undefined or empty, the constructor throws, so that a missing environment variable never becomes a
     * local file.
     *
     * @default 'sqlite:./sessions.sqlite', if the key is absent
     */
    db?: string | SequelizeInstance
    /**
     * The name of the table.
     * @default 'Sessions', or the usual name of the given `layout`
     */
    tableName?: string | undefined
    /**
     * The name of the model that the store defines on a Sequelize instance, unless the instance has a model of that name. It does
     * not name the table.
     * @default 'Session'
     */
    modelKey?: string | undefined
    /**
     * What serves the calls. `'sequelize'`: the statements of the Sequelize instance, on its connections, with its hooks, its
     * logging and its transactions; it needs several times as much time. `'rust'`: connections of the store's own; an
     * instance whose database they cannot reach is refused.
     * @default 'rust', unless the database is one that only Sequelize reaches, or the instance has a hook `beforeConnect`
     */
    engine?: EngineName | undefined
    /**
     * A model of the Sequelize instance, or its name. The store uses its table and columns, and does not create the table by
     * itself: `sync()` lets the model do it. Refused if `db` is a URL; use `tableName` there.
     * @default undefined
     */
    table?: string | SequelizeModel | undefined
    /**
     * The package that the table belongs to. It determines the names of the columns and the format of dates and sessions.
     * @default detected from the table; `'sequelize'` for a new table
     */
    layout?: Layout | undefined
    /**
     * The schema of the table on PostgreSQL, or its database on MySQL and MariaDB. Refused on SQLite.
     * @default that of the connection
     */
    schema?: string | undefined
    /**
     * The names of the columns, if they differ from `sid`, `expires`, `data`, `createdAt`, `updatedAt` and `deletedAt`.
     * @default detected from the table
     */
    columns?: Columns | undefined
    /**
     * The lifetime of a session whose cookie has no `expires`, in milliseconds.
     * @default 86400000 (24 hours)
     */
    expiration?: number | undefined
    /**
     * The time between removals of expired sessions, in milliseconds. Each wait is chosen at random between half and one and a
     * half times this value. If it is 0 or less, this store never removes expired sessions by itself.
     * @default 900000 (15 minutes)
     */
    checkExpirationInterval?: number | undefined
    /**
     * Adds columns to the row of a session. The store calls it at every `set`. It returns the default fields, changed or not, and
     * the values of the extra columns by name; it must not return a promise. A column that the table does not have is an error.
     * @default undefined
     */
    extendDefaultFields?: ((defaults: DefaultFields, session: Data) => ExtendedFields) | undefined
    /**
     * Whether `touch` writes nothing, so that only `set` extends a session.
     * @default false
     */
    disableTouch?: boolean | undefined
    /**
     * Skips a `touch` that would extend the session by less than this many milliseconds, and by less than half of its remaining
     * lifetime.
     * @default 0
     */
    touchAfter?: number | undefined
    /**
     * Whether the store creates the table if it is missing.
     * @default true
     */
    createTable?: boolean | undefined
    /**
     * Converts sessions to text and back.
     * @default JSON
     */
    serializer?: Serializer<Data> | undefined
    /**
     * The offset from UTC of dates in columns without a time zone, such as `'+05:30'`: `DATETIME` on MySQL and MariaDB,
     * `timestamp` on PostgreSQL. Use the value that Sequelize's option `timezone` had when it wrote the table. Refused on SQLite.
     * @default '+00:00'
     */
    timezone?: string | undefined
    /**
     * The permissions of a new SQLite file, its log and its shared memory, from `0o600` to `0o777`. An existing file keeps its
     * own. Refused on other databases.
     * @default 0o600
     */
    fileMode?: number | undefined
    /**
     * Whether connections keep prepared statements. Set it to false for a connection pooler in transaction mode. Refused on
     * SQLite.
     * @default true
     */
    preparedStatements?: boolean | undefined
    /**
     * Whether reads wait for the writes of the other members of a Galera cluster (`wsrep_sync_wait`) or of a replication group
     * with several primaries (`group_replication_consistency`). Without effect on other servers of MySQL and MariaDB. Refused
     * on other databases.
     * @default true
     */
    causalReads?: boolean | undefined
    /**
     * The connection pool.
     * @default { max: 5, acquireTimeout: 10000, queryTimeout: 30000, idleTimeout: 60000, maxLifetime: 1800000 }; on SQLite
     * `max` is 4 and `acquireTimeout` is 30000
     */
    pool?: PoolOptions | undefined
    /**
     * Limits on pending operations. A call that exceeds them fails at once with `ERR_SESSION_QUEUE_FULL`.
     * @default { maxOperations: 100000, maxBytes: 268435456 }
     */
    queue?: QueueOptions | undefined
  }

  /** The packages whose tables the store can use. `sequelize` stands for connect-session-sequelize. */
  type Layout =
    | 'sequelize'
    | 'better-sqlite3-session-store'
    | 'connect-pg-simple'
    | 'connect-session-knex'
    | 'express-mysql-session'
    | 'koa-generic-session-sequelize'

  /** A Sequelize instance, or an object whose properties are models of one. */
  interface SequelizeInstance {
    // biome-ignore lint/suspicious/noExplicitAny: the types of Sequelize are not needed where it is not used
    [property: string]: any
  }

  /** A Sequelize model. */
  interface SequelizeModel {
    getTableName(): unknown
  }

  /** The names of the table's columns, by the names that Sequelize gives them by default. */
  interface Columns {
    /** The id of the session; the primary key. */
    sid?: string | undefined
    /** The time at which the session expires. */
    expires?: string | undefined
    /** The session as text. */
    data?: string | undefined
    /** The time at which the row was created; `false` if the table has no such column. */
    createdAt?: string | false | undefined
    /** The time at which the row was last written; `false` if the table has no such column. */
    updatedAt?: string | false | undefined
    /**
     * The time at which the row was soft-deleted, as with Sequelize's `paranoid`. A row with a value in this column counts as
     * absent. `false` turns this off.
     */
    deletedAt?: string | false | undefined
  }

  /** Options of the connection pool. */
  interface PoolOptions {
    /**
     * The maximum number of connections.
     * @default 5; 4 on SQLite
     */
    max?: number | undefined
    /**
     * How long an operation may wait for a connection, in milliseconds. After that it fails with `ERR_SESSION_CONNECTION`.
     * @default 10000 (10 seconds); 30000 on SQLite
     */
    acquireTimeout?: number | undefined
    /**
     * How long the database may take to read or write sessions, in milliseconds. After that the operation fails with
     * `ERR_SESSION_TIMEOUT`; a write may or may not have taken effect, but takes none after a later call. An operation that
     * waits for others is started within `acquireTimeout` and `queryTimeout` together, or fails in the same way.
     * @default 30000 (30 seconds)
     */
    queryTimeout?: number | undefined
    /**
     * How long an idle connection stays open, in milliseconds.
     * @default 60000 (1 minute)
     */
    idleTimeout?: number | undefined
    /**
     * How long a connection is used before it is replaced, in milliseconds.
     * @default 1800000 (30 minutes)
     */
    maxLifetime?: number | undefined
  }

  /** Limits on the operations that wait for the database. */
  interface QueueOptions {
    /**
     * The maximum number of pending operations.
     * @default 100000
     */
    maxOperations?: number | undefined
    /**
     * The maximum size of pending operations, in bytes.
     * @default 268435456 (256 MiB)
     */
    maxBytes?: number | undefined
  }

  /** Converts sessions to text and back. */
  interface Serializer<Data extends object = SessionData> {
    /** Returns the text of a session. Must not return a promise. */
    stringify(session: Data): string
    /** Returns the session of a text. If it throws, the store treats the row as absent. */
    parse(text: string): Data
  }

  /** The fields of a row that the store writes by default. */
  interface DefaultFields {
    /** The session as text. */
    data: string
    /** The time at which the session expires. */
    expires: Date
  }

  /** The result of `extendDefaultFields`: the default fields, and the extra columns by name. */
  interface ExtendedFields {
    data: string
    expires: Date
    [column: string]: ColumnValue
  }

  /**
   * The value of an extra column. The store writes null and undefined as NULL, `Buffer` and `Uint8Array` as bytes, and other
   * objects and arrays as JSON text. PostgreSQL casts the value to the type of the column. SQLite stores booleans as 1 and 0, and
   * dates as text in UTC. Numbers must be finite; a bigint must fit in 64 bits.
   */
  type ColumnValue = string | number | bigint | boolean | object | null | undefined

  /**
   * The options of a store, completed with their defaults. The store reads `expiration`, `checkExpirationInterval`,
   * `extendDefaultFields`, `disableTouch`, `touchAfter` and `serializer` at every call, so changes to them take effect on a live
   * store. It reads the others, which concern the database, its table and its connections, once.
   */
  interface CompleteOptions<Data extends object = SessionData> {
    /** The database as given. Readable, but hidden from logs and JSON, since it may hold a password. */
    db: string | SequelizeInstance
    tableName: string
    modelKey: string
    /** A model is readable, but hidden like `db`. */
    table?: string | SequelizeModel | undefined
    engine?: EngineName | undefined
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
    fileMode: number
    preparedStatements: boolean
    causalReads: boolean
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
     * Whether to drop an existing table, with all its sessions, and create a new one.
     * @default false
     */
    force?: boolean | undefined
  }

  /** Statistics of a store. Unless stated otherwise, numbers count events since the store was created. */
  interface StoreStats {
    /** What serves the calls: `'sequelize'` if they are statements of the Sequelize instance. */
    engine: EngineName
    /** Calls of `get`. */
    gets: number
    /** Calls of `get` that found a live session. */
    hits: number
    /** Calls of `get` that found no live session. */
    misses: number
    /** Calls of `set`. */
    sets: number
    /** Calls of `touch`, including skipped ones. */
    touches: number
    /** Calls of `touch` that wrote nothing because of `disableTouch` or `touchAfter`. */
    touchesSkipped: number
    /** Calls of `destroy`. */
    destroys: number
    /** Batches sent to the database. With the engine `sequelize`, each operation is one. */
    batches: number
    /** The average number of operations in a batch. */
    operationsPerBatch: number
    /** Statements repeated after a temporary failure, such as a busy database. */
    retries: number
    /** Failed operations. */
    errors: number
    /** Operations that are pending now. */
    pending: number
    /** Expired sessions removed. */
    pruned: number
    /** Rows treated as absent because they do not hold an object, or lack a cookie. */
    unreadable: number
    /** Saves of loaded sessions that wrote nothing because the row had been destroyed meanwhile. */
    gone: number
    /** The connections to the database now. With the engine `sequelize`, those of the instance's pool, which SQLite has not. */
    pool: {
      /** Open connections. */
      size: number
      /** Open connections that are not in use. */
      idle: number
    }
  }

  /**
   * The reason for an error:
   *
   * - `ERR_SESSION_OPTIONS`: an option is unknown or has an invalid value. Thrown by the constructor.
   * - `ERR_SESSION_CONNECTION`: the database cannot be opened or reached.
   * - `ERR_SESSION_TABLE`: the table is missing and may not be created, cannot hold sessions, or lacks a column.
   * - `ERR_SESSION_TIMEOUT`: the database took too long, or a lock was held for too long.
   * - `ERR_SESSION_QUEUE_FULL`: more operations are pending than option `queue` allows.
   * - `ERR_SESSION_CLOSED`: the store is closed.
   * - `ERR_SESSION_DATABASE`: the database refused the statement for another reason; see `cause`.
   * - `ERR_SESSION_SID`: the id given to `set` is not a non-empty string, or contains a NUL character or a lone surrogate.
   * - `ERR_SESSION_DATA`: the session is not an object or cannot be serialized, `serializer` returned a promise, or
   *   `extendDefaultFields` threw or returned an invalid value. What was thrown is the `cause`.
   * - `ERR_SESSION_INTERNAL`: a bug in this package, or a platform without an addon.
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

  /**
   * The class of all errors of a store. The constructor throws them. Methods never throw them: they pass them to the callback, or
   * reject with them.
   */
  class SessionStoreError extends Error {
    constructor(code: SessionStoreErrorCode, message: string, cause?: unknown)
    name: 'SessionStoreError'
    /** The reason for the error. */
    code: SessionStoreErrorCode
    /**
     * The underlying error, if there is one. For an error of the database it is an `Error` with the driver's message and, as
     * `code`, the database's own code; with the engine `sequelize` it is Sequelize's, without the statement and its values.
     */
    cause?: unknown
  }

  /**
   * Stores the sessions of express-session in a table of an SQL database.
   *
   * Asynchronous methods take a callback as their last argument; without one they return a promise. Additional arguments that
   * koa-session passes are accepted and ignored. The class extends express-session's `Store`, or `EventEmitter` where express-session is not
   * installed.
   *
   * @typeParam Data The type of a session. The default is express-session's `SessionData`, including what the application adds to it.
   */
  class RustSequelizeStore<Data extends object = SessionData> extends Store {
    constructor(options?: StoreOptions<Data>)

    /**
     * Returns the statement that creates the table of a store with these options, for applications that create tables by
     * migrations.
     *
     * @throws {SessionStoreError} `ERR_SESSION_OPTIONS`
     */
    static ddl(dialect: Dialect, options?: Pick<StoreOptions, 'tableName' | 'schema' | 'columns' | 'layout'>): string

    /** The options, completed with their defaults. Some can be changed: see {@link CompleteOptions}. */
    readonly options: CompleteOptions<Data>

    /**
     * The model of the table if `db` is a Sequelize instance, for the application's own queries.
     *
     * @remarks Its queries use the connections of the instance. The type is `any` because this package does not depend on Sequelize.
     */
    // biome-ignore lint/suspicious/noExplicitAny: the types of Sequelize are not needed where it is not used
    sessionModel?: any
    /** The timer that removes expired sessions, or null if it is stopped. */
    _expirationInterval: NodeJS.Timeout | null

    /**
     * Reads a session. The result is null if there is none, if it has expired, or if its row does not hold an object. In callback
     * style it is also null for a session without a `cookie`, which express-session cannot use.
     */
    get(sid: string, callback: Callback<(Data & SessionData) | null>): void
    get(sid: string): Promise<Data | null>
    /** The form that Koa's middlewares use. */
    // biome-ignore lint/suspicious/noExplicitAny: each of them has a type of its own for a session
    get(sid: string, lifetime?: Lifetime, context?: object): Promise<any>

    /**
     * Writes a session as it is at the time of the call. A session that express-session has loaded is written only if its row
     * still exists, so that a slow request does not undo a logout.
     *
     * If `db` is a Sequelize instance, the result is the row as an instance of the model.
     *
     * @param ttl The lifetime in milliseconds. Without it the cookie decides or, if the cookie has no `expires`, option `expiration`.
     */
    set(sid: string, session: Data | session.SessionData | session.Session, callback: RowCallback): void
    set(sid: string, session: Data | session.SessionData | session.Session, ttl: Lifetime, callback: RowCallback): void
    set(sid: string, session: Data | session.SessionData | session.Session, ttl?: Lifetime): Promise<SessionRow>
    set(
      sid: string,
      session: Data | session.SessionData | session.Session,
      callback?: RowCallback
    ): Promise<SessionRow> | undefined

    /** Changes the time at which a session expires. Does nothing, and succeeds, if the session does not exist or has expired. */
    touch(sid: string, session: Data | session.SessionData | session.Session, callback: Callback): void
    touch(sid: string, session: Data | session.SessionData | session.Session): Promise<void>
    touch(sid: string, session: Data | session.SessionData | session.Session, callback?: Callback): Promise<void> | void

    /** Removes a session. Succeeds if the session does not exist. */
    destroy(sid: string, callback: Callback): void
    destroy(sid: string): Promise<void>
    destroy(sid: string, callback?: Callback): Promise<void> | void

    /** Reads all live sessions, by their ids. For a large table use `iterate`. */
    all(callback: Callback<Record<string, Data & SessionData>>): void
    all(): Promise<Record<string, Data>>

    /** Reads the ids of all live sessions. */
    ids(callback: Callback<string[]>): void
    ids(): Promise<string[]>

    /** Iterates over the live sessions as pairs of id and session, without holding the whole table in memory. */
    iterate(): AsyncIterableIterator<[sid: string, session: Data]>

    /** Counts the live sessions. */
    length(callback: Callback<number>): void
    length(): Promise<number>

    /** Removes all sessions. */
    clear(callback: Callback): void
    clear(): Promise<void>
    clear(callback?: Callback): Promise<void> | void

    /**
     * Creates the table if it is missing. The first operation does the same unless option `createTable` is false. With option
     * `table`, the `sync` of the model creates the table.
     */
    sync(options: SyncOptions | undefined, callback: Callback): void
    sync(callback: Callback): void
    sync(options?: SyncOptions): Promise<void>

    /** Removes the expired sessions. The result is their number. */
    clearExpiredSessions(callback: Callback<number>): void
    clearExpiredSessions(): Promise<number>

    /**
     * Waits for all pending operations and closes the connections. After that every method except `stats` fails with
     * `ERR_SESSION_CLOSED`.
     */
    close(callback: Callback): void
    close(): Promise<void>

    /**
     * Starts removing expired sessions every `checkExpirationInterval` milliseconds. The constructor calls it. Does nothing on a
     * closed store.
     */
    startExpiringSessions(): void

    /** Stops removing expired sessions. */
    stopExpiringSessions(): void

    /** Returns the time at which a session would expire if it were written now. */
    expiration(session: Data | session.SessionData | session.Session): Date

    /** Returns the statistics of the store. */
    stats(): StoreStats
  }
}
