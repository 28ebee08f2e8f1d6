/// <reference types="node" />

import { EventEmitter } from 'node:events'

import rustSequelizeStore = require('../index.js')

export = SequelizeStore

/**
 * A store for koa-generic-session with the constructor, the methods and the table of koa-generic-session-sequelize.
 *
 * It emits `connect` when the table exists.
 *
 * @example
 * const SequelizeStore = require('rust-sequelize-store/compat/koa-generic-session-sequelize')
 *
 * app.use(session({ store: new SequelizeStore(sequelize) }))
 */
declare class SequelizeStore extends EventEmitter {
  /**
   * @param sequelize The Sequelize instance that the store reads its settings from. The store opens connections of its own.
   * @throws {SessionStoreError} `ERR_SESSION_OPTIONS`
   */
  constructor(sequelize: rustSequelizeStore.SequelizeInstance, options?: SequelizeStore.Settings)

  readonly sequelize: rustSequelizeStore.SequelizeInstance
  /** The options, completed with their defaults. */
  readonly options: Required<SequelizeStore.Settings>
  /** The model of the table, for the application's own queries. */
  // biome-ignore lint/suspicious/noExplicitAny: the types of Sequelize are not needed here
  readonly Model: any
  /** Whether the table exists. Always true if option `sync` is false. */
  readonly synced: boolean

  /** Reads a session. The result is null if there is none or it has expired. */
  // biome-ignore lint/suspicious/noExplicitAny: the application decides what a session holds
  get(sid: string): Promise<any>

  /**
   * Writes a session. The result is its row, an instance of the model.
   *
   * @param ttl The lifetime in milliseconds. Without it the cookie's `maxAge` decides or, if there is none, option
   * `browserSessionLifetime`.
   */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  set(sid: string, session: object, ttl?: number): Promise<any>

  /** Removes a session. Succeeds if the session does not exist. */
  destroy(sid: string): Promise<void>

  /** Removes the expired sessions. The result is their number. */
  gc(): Promise<number>

  /** Waits for all pending operations and closes the store's own connections. */
  close(): Promise<void>
}

declare namespace SequelizeStore {
  interface Settings {
    /**
     * The name of the table.
     * @default 'Sessions'
     */
    tableName?: string | undefined
    /**
     * The name of the model that the store defines on the Sequelize instance. If the application has a model of that name for
     * another table, the name of this table is appended.
     * @default 'Session'
     */
    modelName?: string | undefined
    /**
     * Whether the store creates the table if it is missing.
     * @default true
     */
    sync?: boolean | undefined
    /**
     * How long a call waits for the table, in milliseconds.
     * @default 3000
     */
    syncTimeout?: number | undefined
    /**
     * Expired sessions are removed about once in this many calls of `get`. 0: never.
     * @default 10000
     */
    gcFrequency?: number | undefined
    /**
     * Whether the table has the columns `createdAt` and `updatedAt`.
     * @default false
     */
    timestamps?: boolean | undefined
    /**
     * The lifetime of a session that has none of its own, in milliseconds.
     * @default 86400000 (24 hours)
     */
    browserSessionLifetime?: number | undefined
  }
}
