'use strict'

const { LAYOUTS, layoutOf } = require('../layouts.js')
const { utcOffsetMinutes } = require('./utc-offset.js')

/**
 * Everything there is to know of an option. The checks, the defaults and the options of the addon follow from it.
 *
 * - `type`: one of `types.js`.
 * - `default`: absent if there is none. Those of `pool` may differ by database: `databases.js`.
 * - `live`: whether the store reads it at every call from `store.options`, so that changes take effect; if not, it is read
 *   once by the constructor.
 * - `sequelizeOnly`: whether it means something only where `db` is a Sequelize instance. With a URL it is ignored; if
 *   `withUrl` names the option to use instead, it is refused.
 * - `addon`: where its value stands in the options of the addon (`StoreOptions` of `binding.d.ts`), and by which function it
 *   gets there, if not as it is.
 *
 * The databases that refuse an option are in `databases.js`.
 *
 * @typedef {{
 *   type: keyof typeof import('./types.js').TYPES, default?: unknown, live: boolean, sequelizeOnly?: boolean,
 *   withUrl?: string, addon?: string, toAddon?: (value: never) => unknown
 * }} Descriptor
 */

/** @satisfies {Record<string, Descriptor>} */
const OPTIONS = {
  db: { type: 'database', default: 'sqlite:./sessions.sqlite', live: false },
  tableName: { type: 'name', default: layoutOf().tableName, live: false, addon: 'table.name' },
  modelKey: { type: 'name', default: 'Session', live: false, sequelizeOnly: true },
  engine: { type: 'engine', live: false, sequelizeOnly: true },
  table: { type: 'model', live: false, sequelizeOnly: true, withUrl: 'tableName' },
  layout: { type: 'layout', live: false, addon: 'table.layouts', toAddon: possibleLayouts },
  expiration: { type: 'lifetime', default: 24 * 60 * 60 * 1000, live: true },
  checkExpirationInterval: { type: 'period', default: 15 * 60 * 1000, live: true },
  extendDefaultFields: { type: 'function', live: true },
  disableTouch: { type: 'boolean', default: false, live: true },
  touchAfter: { type: 'duration', default: 0, live: true },
  createTable: { type: 'boolean', default: true, live: false, addon: 'table.create' },
  serializer: { type: 'serializer', default: JSON, live: true },
  schema: { type: 'name', live: false, addon: 'table.schema' },
  timezone: {
    type: 'utcOffset',
    default: '+00:00',
    live: false,
    addon: 'table.utcOffsetMinutes',
    toAddon: utcOffsetMinutes
  },
  preparedStatements: { type: 'boolean', default: true, live: false, addon: 'preparedStatements' },
  causalReads: { type: 'boolean', default: true, live: false, addon: 'causalReads' },
  fileMode: { type: 'permissions', default: 0o600, live: false, addon: 'fileMode' }
}

/**
 * The options that are objects, by their names in the addon's options. Their members are read once.
 * @satisfies {Record<string, { addon: string, members: Record<string, Pick<Descriptor, 'type' | 'default'>> }>}
 */
const GROUPS = {
  columns: {
    addon: 'table.columns',
    members: {
      sid: { type: 'column' },
      expires: { type: 'column' },
      data: { type: 'column' },
      createdAt: { type: 'optionalColumn' },
      updatedAt: { type: 'optionalColumn' },
      deletedAt: { type: 'optionalColumn' }
    }
  },
  pool: {
    addon: 'pool',
    members: {
      max: { type: 'connections', default: 5 },
      acquireTimeout: { type: 'timeout', default: 10_000 },
      queryTimeout: { type: 'timeout', default: 30_000 },
      idleTimeout: { type: 'timeout', default: 60_000 },
      maxLifetime: { type: 'timeout', default: 30 * 60 * 1000 }
    }
  },
  queue: {
    addon: 'queue',
    members: {
      maxOperations: { type: 'count', default: 100_000 },
      maxBytes: { type: 'bytes', default: 256 * 1024 * 1024 }
    }
  }
}

/**
 * The layouts that the table may have: the named one, or any.
 * @param {import('../layouts.js').LayoutName} [name]
 */
function possibleLayouts(name) {
  return name === undefined ? Object.values(LAYOUTS) : [LAYOUTS[name]]
}

module.exports = { GROUPS, OPTIONS }
