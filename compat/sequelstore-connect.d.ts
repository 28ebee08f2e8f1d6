/// <reference types="node" />

import rustSequelizeStore = require('../index.js')

export = sequelstoreConnect

/**
 * The class of stores for a copy of express-session, with the options and the models of sequelstore-connect.
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
    /** The Sequelize instance. Its model `ConnectSession`, if there is one, is that of the sessions. */
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
     * The time between two removals of expired sessions, in milliseconds. 0: never.
     * @default 900000 (15 minutes)
     */
    autoRemoveInterval?: number | undefined
    /**
     * Whether the constructor gives a `MemoryStore` of express-session instead.
     * @default false
     */
    fallbackMemory?: boolean | undefined
    /**
     * Turns a session into text. If it gives an object for a text, it is used for reading too, else that is `JSON.parse`.
     * @default JSON.stringify
     */
    // biome-ignore lint/suspicious/noExplicitAny: it may go both ways
    transform?: ((value: any) => any) | undefined
  }

  class SequelStore extends SequelStoreBase {
    /** @throws {SessionStoreError} `ERR_SESSION_OPTIONS` */
    constructor(options: Options | { fallbackMemory: true })

    /** All live sessions. Each has its id as the property `id`, which is not enumerable. */
    all(callback: rustSequelizeStore.Callback<Listed[]>): void
    all(): Promise<Listed[]>
  }

  // biome-ignore lint/suspicious/noExplicitAny: what a session holds is the application's
  type Listed = Record<string, any> & { id: string }
}

/** The methods of the store that are as they are there. */
declare const SequelStoreBase: new (...args: never[]) => Omit<rustSequelizeStore.RustSequelizeStore, 'all'>
