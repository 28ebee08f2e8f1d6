/// <reference types="node" />

import { EventEmitter } from 'node:events'

import rustSequelizeStore = require('../index.js')

export = SequelizeStore

/**
 * A store of koa-generic-session with the constructor, the methods and the table of koa-generic-session-sequelize.
 *
 * It emits `connect` when the table is there.
 *
 * @example
 * const SequelizeStore = require('rust-sequelize-store/compat/koa-generic-session-sequelize')
 *
 * app.use(session({ store: new SequelizeStore(sequelize) }))
 */
declare class SequelizeStore extends EventEmitter {
  /**
   * @param sequelize A Sequelize instance, from which place and credentials are taken. The store has connections of its own.
   * @throws {SessionStoreError} `ERR_SESSION_OPTIONS`
   */
  constructor(sequelize: rustSequelizeStore.SequelizeInstance, options?: SequelizeStore.Settings)

  readonly sequelize: rustSequelizeStore.SequelizeInstance
  /** The options with their defaults. */
  readonly options: Required<SequelizeStore.Settings>
  /** The model of the table, for queries of the application. */
  // biome-ignore lint/suspicious/noExplicitAny: the types of Sequelize are not needed here
  readonly Model: any
  /** Whether the table is there, or was said to be. */
  readonly synced: boolean

  /** Reads a session: null if there is none or it has expired. */
  // biome-ignore lint/suspicious/noExplicitAny: what a session holds is the application's
  get(sid: string): Promise<any>

  /**
   * Writes a session and yields its row, an instance of the model.
   *
   * @param ttl The lifetime in milliseconds. Without it the cookie's `maxAge` decides, then `browserSessionLifetime`.
   */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  set(sid: string, session: object, ttl?: number): Promise<any>

  /** Removes a session. A session that does not exist is no error. */
  destroy(sid: string): Promise<void>

  /** Removes the expired sessions and gives the number of those removed. */
  gc(): Promise<number>

  /** Waits for what is pending and closes the store's own connections. */
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
     * The name of the model that is defined on the Sequelize instance. If the application has given the name to another
     * table, it is followed by that of this one.
     * @default 'Session'
     */
    modelName?: string | undefined
    /**
     * Whether the table is created if it is missing.
     * @default true
     */
    sync?: boolean | undefined
    /**
     * How long a call waits for the table, in milliseconds.
     * @default 3000
     */
    syncTimeout?: number | undefined
    /**
     * Expired sessions are removed once in about so many calls of `get`. 0: never.
     * @default 10000
     */
    gcFrequency?: number | undefined
    /**
     * Whether the table has the columns `createdAt` and `updatedAt`.
     * @default false
     */
    timestamps?: boolean | undefined
    /**
     * The lifetime of a session without one of its own, in milliseconds.
     * @default 86400000 (24 hours)
     */
    browserSessionLifetime?: number | undefined
  }
}
