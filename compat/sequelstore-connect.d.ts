/// <reference types="node" />

import rustSequelizeStore = require('../index.js')

export = sequelstoreConnect

/**
 * Returns the store class for a copy of express-session, with the options and the models of sequelstore-connect.
 *
 * @example
 * const session = require('express-session')
 * const SequelStore = require('rust-sequelize-store/compat/sequelstore-connect')(session)
 *
 * app.use(session({ store: new SequelStore({ database: sequelize }), secret }))
 */
declare function sequelstoreConnect(session: {
  Store: rustSequelizeStore.StoreConstructor
  MemoryStore?: unknown
}): typeof sequelstoreConnect.SequelStore

declare namespace sequelstoreConnect {
  interface Options {
    /** The Sequelize instance. If it has a model `ConnectSession`, the store uses it for the sessions. */
    database: rustSequelizeStore.SequelizeInstance
    /**
     * The model of the sessions, with the attributes `sid`, `expires` and `data`.
     * @default a model `DefaultSession`, whose table is created if it is missing
     */
    sessionModel?: rustSequelizeStore.SequelizeModel | undefined
    /**
     * The lifetime of a session whose cookie has none, in seconds.
     * @default 1209600 (14 days)
     */
    ttl?: number | undefined
    /**
     * The time between removals of expired sessions, in milliseconds. 0: never.
     * @default 900000 (15 minutes)
     */
    autoRemoveInterval?: number | undefined
    /**
     * Whether the constructor returns a `MemoryStore` of express-session instead.
     * @default false
     */
    fallbackMemory?: boolean | undefined
    /**
     * Converts a session to text. If it also returns an object for a text, the store uses it to read sessions too; otherwise it
     * reads them with `JSON.parse`.
     * @default JSON.stringify
     */
    // biome-ignore lint/suspicious/noExplicitAny: it may convert both ways
    transform?: ((value: any) => any) | undefined
  }

  class SequelStore extends SequelStoreBase {
    /** @throws {SessionStoreError} `ERR_SESSION_OPTIONS` */
    constructor(options: Options | { fallbackMemory: true })

    /** Reads all live sessions. Each has its id as the property `id`, which is not enumerable. */
    all(callback: rustSequelizeStore.Callback<Listed[]>): void
    all(): Promise<Listed[]>
  }

  // biome-ignore lint/suspicious/noExplicitAny: the application decides what a session holds
  type Listed = Record<string, any> & { id: string }
}

/** The methods that are the same as in `RustSequelizeStore`. */
declare const SequelStoreBase: new (...args: never[]) => Omit<rustSequelizeStore.RustSequelizeStore, 'all'>
