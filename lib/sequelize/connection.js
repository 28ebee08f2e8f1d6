'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { isDeepStrictEqual } = require('node:util')

const { DATABASES, SEQUELIZE_DIALECTS, databaseOfDialect } = require('../databases.js')
const { SessionStoreError } = require('../error.js')
const { optionsError } = require('../options/error.js')
const { GROUPS } = require('../options/schema.js')
const { TYPES } = require('../options/types.js')
const { typeName } = require('../values.js')
const { hasHook } = require('./instance.js')
const { utcOffsetOf } = require('./timezone.js')
const { hasDefaultIdentityCheck, tlsParameters } = require('./tls.js')

/** The flags of node-sqlite3 for opening a file. */
const SQLITE_OPEN = Object.freeze({ readWrite: 2, create: 4 })

/** The dialectOptions that the PostgreSQL driver passes on to the server as settings of the session. */
const POSTGRES_SETTINGS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']

/** The bounds of the option `pool`. */
const POOL = GROUPS.pool.members

/**
 * @typedef {import('./instance.js').ConnectionSettings} ConnectionSettings
 *
 * What an instance says about its connection: a URL, and the options of the store that follow from its own.
 * @typedef {{ url: string, timezone?: string, pool?: Record<string, number> }} Connection
 *
 * How the store reaches the database of an instance. `onlySequelize` is there if only the instance is to reach it, and
 * has a reason if the application could change that.
 * @typedef {Connection & { onlySequelize?: { reason?: string } }} Reached
 */

/**
 * How each database is described.
 *
 * - `settings`: of the connection. `driver`: the driver's own options. `options`: of the instance.
 * - `timezone`: the option of the store, which comes before the instance's own.
 *
 * @type {Record<import('../databases.js').DatabaseName, (instance: {
 *   dialect: string, settings: ConnectionSettings, driver: Record<string, unknown>,
 *   options: import('./instance.js').Settings, timezone: string | undefined
 * }) => Connection>}
 */
const CONNECTIONS = {
  sqlite: ({ settings, driver, options }) => ({
    // Without a cipher, SQLite ignores the password that Sequelize sends it.
    url: sqliteUrl(settings.storage ?? options.storage ?? options.host, driver)
  }),
  postgres: ({ settings, driver, options }) => ({
    url: postgresUrl(settings, driver),
    pool: poolOptions(options.pool, driver.query_timeout)
  }),
  mysql: ({ dialect, settings, driver, options, timezone }) => ({
    url: mysqlUrl(dialect, { ...settings, ssl: undefined, ...driver }),
    timezone: timezone ?? utcOffsetOf(options.timezone ?? '+00:00'),
    pool: poolOptions(options.pool)
  })
}

/**
 * How the store reaches the database of an instance, by the option `engine` or by what it finds.
 * @param {import('./instance.js').Sequelize} sequelize
 * @param {{ engine?: unknown, timezone?: string }} options of the store
 * @returns {Reached}
 */
function reach(sequelize, { engine, timezone }) {
  if (engine === 'sequelize') return { url: '', onlySequelize: {} }
  if (engine === undefined && needsSequelize(sequelize)) return { url: '', onlySequelize: {} }
  try {
    return describeConnection(sequelize, timezone)
  } catch (error) {
    if (engine === 'rust' || !SessionStoreError.is(error)) throw error
    return { url: '', onlySequelize: { reason: error.message } }
  }
}

/**
 * Whether only the instance reaches its database, or has a hook that may change how it does.
 * @param {import('./instance.js').Sequelize} sequelize
 */
function needsSequelize(sequelize) {
  const { dialect, settings } = settingsOf(sequelize)
  const database = databaseOfDialect(dialect)
  if (!database) return true
  const { storage } = settings
  const inMemory =
    DATABASES[database].isFile && !isFileName(storage ?? sequelize.options.storage ?? sequelize.options.host)
  return inMemory || hasHook(sequelize, 'beforeConnect')
}

/** @param {import('./instance.js').Sequelize} sequelize */
function settingsOf(sequelize) {
  const { options } = sequelize
  const dialect = String(options.dialect ?? sequelize.dialect?.name)
  // Version 7 has the settings of the connection in `replication.write`, with replication and without.
  const write = options.replication ? options.replication.write : undefined
  /** @type {ConnectionSettings} */
  const settings = { ...sequelize.config, ...(Array.isArray(write) ? oneOf(write) : write) }
  // Version 6 has the driver's options apart and ignores others; in version 7 they are among the settings.
  const driver = 'dialectOptions' in settings ? (settings.dialectOptions ?? {}) : settings
  return { dialect, settings, driver }
}

/**
 * What a Sequelize instance says about its connection.
 * @param {import('./instance.js').Sequelize} sequelize
 * @param {string} [timezone] the option of the store
 * @returns {Connection}
 */
function describeConnection(sequelize, timezone) {
  const { dialect, settings, driver } = settingsOf(sequelize)
  const database = databaseOfDialect(dialect)
  if (!database) {
    throw optionsError(
      `unsupported dialect \`${dialect}\` of the Sequelize instance; supported: ${SEQUELIZE_DIALECTS.join(', ')}`
    )
  }
  return CONNECTIONS[database]({ dialect, settings, driver, options: sequelize.options, timezone })
}

/**
 * Whether SQLite takes the name for that of a file.
 * @param {unknown} storage
 * @returns {storage is string}
 */
function isFileName(storage) {
  return typeof storage === 'string' && storage !== '' && !storage.includes(':memory:') && !storage.startsWith('file:')
}

/**
 * The settings of several servers as those of one, whose `host` and `port` list them all.
 * @param {ConnectionSettings[]} servers
 * @returns {ConnectionSettings}
 */
function oneOf(servers) {
  const [first, ...others] = servers.map(({ host, port, ...rest }) => ({ host, port, rest }))
  for (const { rest } of others) {
    if (isDeepStrictEqual(rest, first.rest)) continue
    throw optionsError(
      'expected all servers in `replication.write` of the Sequelize instance to differ in `host` and `port` only; the store ' +
        'uses one user, password and database for all'
    )
  }
  if (first === undefined) return {}
  const all = [first, ...others]
  return {
    ...first.rest,
    host: all.map(({ host }) => host ?? 'localhost').join(','),
    port: all.map(({ port }) => port ?? '').join(',')
  }
}

/**
 * @param {unknown} storage
 * @param {Record<string, unknown>} driver
 */
function sqliteUrl(storage, driver) {
  if (!isFileName(storage)) {
    throw optionsError(
      'expected the SQLite database of the Sequelize instance to be a file, got a database in memory, which only that ' +
        "instance can reach; set option `storage` of the instance to a file, or give the store a database of its own: `db: 'sqlite::memory:'`"
    )
  }
  const { mode = SQLITE_OPEN.readWrite | SQLITE_OPEN.create } = /** @type {{ mode?: number }} */ (driver)
  const file = path.resolve(storage)
  if (mode & SQLITE_OPEN.create) makeFolder(path.dirname(file))
  const access = mode & SQLITE_OPEN.create ? 'rwc' : mode & SQLITE_OPEN.readWrite ? 'rw' : 'ro'
  return `sqlite:${encodeURI(file).replace(/[?#]/g, encodeURIComponent)}?mode=${access}&journal_mode=keep`
}

/**
 * Makes the folder of a file, as Sequelize does.
 * @param {string} folder
 */
function makeFolder(folder) {
  try {
    fs.mkdirSync(folder, { recursive: true })
  } catch {
    // Then opening the file fails too, and says why.
  }
}

/**
 * @param {ConnectionSettings} settings
 * @param {Record<string, unknown>} driver
 */
function postgresUrl(settings, driver) {
  const parameters = tlsParameters(driver.ssl, hasDefaultIdentityCheck, DATABASES.postgres.tls)
  for (const name of POSTGRES_SETTINGS) {
    const value = driver[name]
    if (value !== undefined && value !== null && value !== false) parameters.append(`options[${name}]`, String(value))
  }
  for (const name of ['application_name', 'options']) {
    const value = driver[name]
    if (typeof value === 'string') parameters.append(name, value)
  }
  const socket = settings.host?.startsWith('/') ? settings.host : undefined
  if (socket !== undefined) parameters.append('host', socket)
  return serverUrl('postgres', socket === undefined ? settings : { ...settings, host: undefined }, parameters)
}

/**
 * @param {string} scheme
 * @param {ConnectionSettings} settings
 */
function mysqlUrl(scheme, settings) {
  // mysql2 verifies the host name only if `verifyIdentity` asks for it.
  const verifiesHostName =
    scheme === 'mysql'
      ? (/** @type {Record<string, unknown>} */ tls) => tls.verifyIdentity === true
      : hasDefaultIdentityCheck
  const parameters = tlsParameters(settings.ssl, verifiesHostName, DATABASES.mysql.tls)
  if (settings.socketPath) parameters.append('socket', settings.socketPath)
  return serverUrl(scheme, settings, parameters)
}

/**
 * @param {string} scheme
 * @param {ConnectionSettings} settings
 * @param {URLSearchParams} parameters
 */
function serverUrl(scheme, { port, password, database, ...settings }, parameters) {
  if (password !== undefined && password !== null && !['string', 'number'].includes(typeof password)) {
    throw optionsError(`expected the password of the Sequelize instance to be a string, got ${typeName(password)}`)
  }
  const name = encodeURIComponent(settings.username ?? settings.user ?? '')
  const secret = password || password === 0 ? `:${encodeURIComponent(String(password))}` : ''
  const credentials = name || secret ? `${name}${secret}@` : ''
  const address = addresses(settings.host ?? 'localhost', String(port ?? ''))
  const query = parameters.toString()
  return `${scheme}://${credentials}${address}/${encodeURIComponent(database ?? '')}${query && `?${query}`}`
}

/**
 * The addresses of one or several servers for a URL. Hosts and ports may be lists, as libpq has them: as many ports as hosts, or
 * one for all.
 * @param {string} hosts
 * @param {string} ports
 */
function addresses(hosts, ports) {
  const all = ports.split(',')
  const each = hosts.split(',').map((text, index) => {
    // An IPv6 address may have the brackets that it needs in a URL.
    const host = text.trim().replace(/^\[(.*)\]$/, '$1')
    const port = (all.length === 1 ? all[0] : (all[index] ?? '')).trim()
    const written = host.includes(':') ? `[${host}]` : encodeURIComponent(host)
    return `${written}${port && `:${port}`}`
  })
  return each.join(',')
}

/**
 * The option `pool` of an instance as that of the store.
 * @param {import('./instance.js').PoolSettings} [settings]
 * @param {unknown} [queryTimeout] in ms
 */
function poolOptions(settings, queryTimeout) {
  const { max, acquire, idle } = settings ?? {}
  /** @type {Record<keyof typeof POOL, unknown>} */
  const given = { max, acquireTimeout: acquire, idleTimeout: idle, queryTimeout, maxLifetime: undefined }
  /** @type {Record<string, number>} */
  const options = {}
  for (const [name, { type }] of Object.entries(POOL)) {
    const value = Number(given[/** @type {keyof typeof POOL} */ (name)])
    // A number as Sequelize takes it, brought to what the option of the store allows.
    if (value > 0) options[name] = Math.max(1, Math.trunc(Math.min(value, TYPES[type].max)))
  }
  return options
}

module.exports = { describeConnection, reach }
