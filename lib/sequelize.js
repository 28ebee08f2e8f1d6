'use strict'

const fs = require('node:fs')
const path = require('node:path')

const { SessionStoreError } = require('./error.js')
const { layoutOf } = require('./layouts.js')
const { isObject, kindOf } = require('./session.js')

/** The largest pool that the option `pool.max` takes. */
const MAX_CONNECTIONS = 1000

/** The longest time that the option `pool` takes, in ms. */
const MAX_TIME_MS = 2 ** 32 - 1

/** The flags of node-sqlite3 for opening a file. */
const SQLITE_OPEN = Object.freeze({ readWrite: 2, create: 4 })

/** The options of TLS that Node.js takes and a URL can say too. The others would be lost, and with them their safety. */
const TLS_OPTIONS = ['require', 'rejectUnauthorized', 'ca', 'cert', 'key', 'checkServerIdentity', 'verifyIdentity']

/** What PostgreSQL's driver hands on to the server as settings of the session. */
const SETTINGS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']

/**
 * Whether the value is a Sequelize instance: of version 6, or of version 7 (`@sequelize/core`).
 * @param {any} db
 */
function isSequelize(db) {
  return isObject(db) && typeof db.define === 'function' && isObject(db.options) && isObject(db.models)
}

/**
 * What a Sequelize instance says about its database: a URL, and the options of ours that follow from its own.
 * @param {any} sequelize
 * @param {string} [timezone] the caller's own word
 * @returns {{ url: string, timezone?: string, pool?: Record<string, number> }}
 */
function describeDatabase(sequelize, timezone) {
  const { options } = sequelize
  const dialect = options.dialect ?? sequelize.dialect?.name
  // Version 7 keeps the settings of the connection in `replication.write`, whether there is replication or not.
  const config = { ...sequelize.config, ...options.replication?.write }
  // Version 6 keeps the driver's options apart, and heeds no others; in version 7 they are among the rest.
  const dialectOptions = 'dialectOptions' in config ? (config.dialectOptions ?? {}) : config
  switch (dialect) {
    case 'sqlite':
    case 'sqlite3':
      return { url: sqliteUrl(config.storage ?? options.storage ?? options.host, config.password, dialectOptions) }
    case 'postgres':
      return { url: postgresUrl(config, dialectOptions), pool: pool(options.pool, dialectOptions.query_timeout) }
    case 'mysql':
    case 'mariadb':
      return {
        url: mysqlUrl(dialect, { ...config, ssl: undefined, ...dialectOptions }),
        timezone: timezone ?? offset(options.timezone ?? '+00:00'),
        pool: pool(options.pool)
      }
    default:
      throw refused(`the Sequelize instance is on ${dialect}; this store knows sqlite, postgres, mysql and mariadb`)
  }
}

/**
 * @param {unknown} storage
 * @param {unknown} password
 * @param {any} dialectOptions
 */
function sqliteUrl(storage, password, dialectOptions) {
  if (typeof storage !== 'string' || storage === '' || storage.includes(':memory:') || storage.startsWith('file:')) {
    throw refused(
      'the Sequelize instance keeps its SQLite database in memory, where nothing else can reach it; ' +
        "give the instance a file as `storage`, or the store a database of its own: `db: 'sqlite::memory:'`"
    )
  }
  if (password) throw refused('the Sequelize instance opens an encrypted SQLite file, which this store cannot')
  const { mode = SQLITE_OPEN.readWrite | SQLITE_OPEN.create } = dialectOptions
  const file = path.resolve(storage)
  if (mode & SQLITE_OPEN.create) makeFolder(path.dirname(file))
  const access = mode & SQLITE_OPEN.create ? 'rwc' : mode & SQLITE_OPEN.readWrite ? 'rw' : 'ro'
  return `sqlite:${encodeURI(file).replace(/[?#]/g, encodeURIComponent)}?mode=${access}&journal_mode=keep`
}

/**
 * As Sequelize does for its files.
 * @param {string} folder
 */
function makeFolder(folder) {
  try {
    fs.mkdirSync(folder, { recursive: true })
  } catch {
    // Opening the file fails too then, and says why.
  }
}

/**
 * @param {any} config
 * @param {any} dialectOptions
 */
function postgresUrl(config, dialectOptions) {
  const parameters = tlsParameters(dialectOptions.ssl, checksName, {
    mode: 'sslmode',
    modes: { off: 'require', chain: 'verify-ca', full: 'verify-full' },
    ca: 'sslrootcert',
    cert: 'sslcert',
    key: 'sslkey'
  })
  for (const name of SETTINGS) {
    const value = dialectOptions[name]
    if (value !== undefined && value !== null && value !== false) parameters.append(`options[${name}]`, String(value))
  }
  for (const name of ['application_name', 'options']) {
    if (typeof dialectOptions[name] === 'string') parameters.append(name, dialectOptions[name])
  }
  const socket = typeof config.host === 'string' && config.host.startsWith('/')
  if (socket) parameters.append('host', config.host)
  return serverUrl('postgres', { ...config, host: socket ? undefined : config.host }, parameters)
}

/**
 * @param {string} dialect
 * @param {any} config
 */
function mysqlUrl(dialect, config) {
  // mysql2 looks at the name in the certificate only if it is told to.
  const named = dialect === 'mysql' ? (/** @type {any} */ tls) => tls.verifyIdentity === true : checksName
  const parameters = tlsParameters(config.ssl, named, {
    mode: 'ssl-mode',
    modes: { off: 'REQUIRED', chain: 'VERIFY_CA', full: 'VERIFY_IDENTITY' },
    ca: 'ssl-ca',
    cert: 'ssl-cert',
    key: 'ssl-key'
  })
  if (config.socketPath) parameters.append('socket', config.socketPath)
  return serverUrl(dialect, config, parameters)
}

/**
 * @param {string} scheme
 * @param {any} config
 * @param {URLSearchParams} parameters
 */
function serverUrl(scheme, config, parameters) {
  const { port, database, password } = config
  const host = config.host ?? 'localhost'
  const user = config.username ?? config.user
  if (password !== undefined && password !== null && typeof password !== 'string') {
    throw refused(`expected the password of the Sequelize instance to be a string, got ${kindOf(password)}`)
  }
  const secret = password ? `:${encodeURIComponent(password)}` : ''
  const authority = user || secret ? `${encodeURIComponent(user ?? '')}${secret}@` : ''
  const place = `${host.includes(':') ? `[${host}]` : host}${port ? `:${port}` : ''}`
  const query = parameters.toString()
  return `${scheme}://${authority}${place}/${encodeURIComponent(database ?? '')}${query && `?${query}`}`
}

/**
 * TLS as Node.js' drivers are told of it, in the words of a URL. As there, the server's certificate is verified unless
 * `rejectUnauthorized` is false.
 * @param {any} ssl
 * @param {(tls: any) => boolean} named whether the name in the certificate is verified too
 * @param {{
 *   mode: string, modes: { off: string, chain: string, full: string }, ca: string, cert: string, key: string
 * }} names
 */
function tlsParameters(ssl, named, names) {
  const parameters = new URLSearchParams()
  if (ssl === undefined || ssl === null || ssl === false || ssl === 'false') return parameters
  const tls = isObject(ssl) ? ssl : {}
  if (typeof ssl === 'string' && ssl !== 'true') {
    throw refused(
      `the Sequelize instance names the TLS profile \`${ssl}\`; give the certificates in \`ssl.ca\` instead`
    )
  }
  for (const name of Object.keys(tls)) {
    if (!TLS_OPTIONS.includes(name)) {
      throw refused(
        `option \`dialectOptions.ssl.${name}\` of the Sequelize instance cannot be followed; ` +
          `known are ${TLS_OPTIONS.join(', ')}; a URL as \`db\` can say more`
      )
    }
  }
  const { off, chain, full } = names.modes
  const verified = named(tls) ? full : chain
  parameters.append(names.mode, tls.rejectUnauthorized === false ? off : verified)
  for (const part of /** @type {const} */ (['ca', 'cert', 'key'])) {
    if (tls[part] !== undefined) parameters.append(names[part], pem(part, tls[part]))
  }
  return parameters
}

/**
 * As Node.js does unless the application has a check of its own.
 * @param {any} tls
 */
function checksName(tls) {
  return tls.checkServerIdentity === undefined
}

/**
 * The certificates or the key without what may stand between them: the driver would take the whole for a path.
 * @param {string} part
 * @param {unknown} value text or bytes, or an array of such
 */
function pem(part, value) {
  const text = [value].flat().map(String).join('\n')
  const blocks = text.match(/-----BEGIN ([^-]+)-----.*?-----END \1-----/gs)
  if (!blocks) throw refused(`expected \`dialectOptions.ssl.${part}\` of the Sequelize instance to be in PEM`)
  return blocks.join('\n')
}

/**
 * @param {any} given
 * @param {unknown} [queryTimeout] in ms
 */
function pool(given, queryTimeout) {
  const { max, acquire, idle } = given ?? {}
  /** @type {Record<string, number>} */
  const pool = {}
  if (max > 0) pool.max = whole(max, MAX_CONNECTIONS)
  if (acquire > 0) pool.acquireTimeout = whole(acquire, MAX_TIME_MS)
  if (idle > 0) pool.idleTimeout = whole(idle, MAX_TIME_MS)
  if (Number(queryTimeout) > 0) pool.queryTimeout = whole(queryTimeout, MAX_TIME_MS)
  return pool
}

/**
 * A number as Sequelize takes it, brought to what the options of the store allow.
 * @param {unknown} value
 * @param {number} most
 */
function whole(value, most) {
  return Math.max(1, Math.trunc(Math.min(Number(value), most)))
}

/**
 * A time zone of Sequelize as an offset from UTC.
 * @param {string} timezone offset, or a name such as `Asia/Kolkata`
 */
function offset(timezone) {
  if (timezone === 'Z') return '+00:00'
  if (/^[+-]\d\d:\d\d$/.test(timezone)) return timezone
  const year = new Date().getUTCFullYear()
  const offsets = [0, 3, 6, 9].map((month) => offsetAt(timezone, new Date(Date.UTC(year, month, 1))))
  if (new Set(offsets).size > 1) {
    throw refused(
      `the Sequelize instance keeps dates in the zone \`${timezone}\`, whose offset from UTC changes in the year; ` +
        'set the option `timezone` of the store to an offset, or keep sessions in a database that is written in UTC'
    )
  }
  return offsets[0]
}

/**
 * @param {string} timezone
 * @param {Date} date
 */
function offsetAt(timezone, date) {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' })
    const name = format.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value
    return name?.replace('GMT', '') || '+00:00'
  } catch (cause) {
    throw refused(`the Sequelize instance has the unknown time zone \`${timezone}\``, cause)
  }
}

/**
 * The Sequelize instance of an object that has models, as the `models` folder of Sequelize's generator exports it.
 * @param {any} db
 * @param {any} table the model of the sessions or its name, if there is one
 */
function sequelizeOf(db, table) {
  if (isSequelize(db)) return db
  const model = typeof table === 'string' ? db[table] : table
  return isModel(model) && isSequelize(model.sequelize) ? model.sequelize : undefined
}

/**
 * The model of the sessions: the one that the option `table` gives or names, or one like the incumbent's.
 * @param {any} db a Sequelize instance, or an object of models
 * @param {{ table?: any, modelKey: string, tableName: string, schema?: string }} options
 * @returns {any}
 */
function sessionModel(db, { table, modelKey, tableName, schema }) {
  if (isModel(table)) {
    if (isSequelize(db) && table.sequelize !== db) {
      throw refused(`option \`table\` is the model \`${table.name}\` of another Sequelize instance than \`db\``)
    }
    return table
  }
  if (table !== undefined) {
    const model = modelOf(db, table) ?? db[table]
    if (isModel(model)) return model
    const known = modelNames(db)
    const hint = known.length > 0 ? `it has ${known.map((name) => `\`${name}\``).join(', ')}` : 'it has no models'
    throw refused(`option \`table\` names the model \`${table}\`, which the Sequelize instance does not have; ${hint}`)
  }
  return defineModel(
    db,
    modelKey,
    ({ STRING, DATE, TEXT }) => ({ sid: { type: STRING(36), primaryKey: true }, expires: DATE, data: TEXT }),
    schema !== undefined && hasSchemas(db) ? { tableName, schema } : { tableName }
  )
}

/**
 * A model for this table: defined, unless it is there already. A model of the application is never replaced: where it has
 * the name, the new one has a longer name.
 * @param {any} db
 * @param {string} name
 * @param {(types: any) => Record<string, any>} attributes the first of them is the primary key
 * @param {{ tableName: string, [option: string]: any }} options
 * @returns {any}
 */
function defineModel(db, name, attributes, options) {
  if (!isSequelize(db)) throw refused(`expected a Sequelize instance, got ${kindOf(db)}`)
  const { tableName } = options
  const defined = attributes(db.constructor.DataTypes)
  const [key] = Object.keys(defined)
  const existing = modelOf(db, name)
  if (existing && plainTable(existing).tableName === tableName && attributesOf(existing)[key]) return existing
  const free = existing ? `${name} of ${tableName}` : name
  return modelOf(db, free) ?? db.define(free, defined, options)
}

/**
 * @param {any} db
 * @param {string} name
 */
function modelOf(db, name) {
  return typeof db.models?.get === 'function' ? db.models.get(name) : db.models?.[name]
}

/** @param {any} db */
function modelNames(db) {
  const models = typeof db.models?.get === 'function' ? [...db.models] : Object.values(db.models ?? {})
  return models.map((model) => model.name)
}

/** @param {any} model */
function isModel(model) {
  return typeof model?.getTableName === 'function'
}

/**
 * What a model says about its table.
 * @param {any} model
 * @param {string} [layout] the package whose names the attributes have
 * @returns {{
 *   tableName: string, schema: string | undefined, columns: Record<string, string | false>,
 *   fields: Record<string, string>, json: boolean
 * }}
 */
function describeModel(model, layout) {
  const attributes = attributesOf(model)
  const names = layoutOf(layout)
  for (const name of [names.sid, names.expires, names.data]) {
    if (!attributes[name]) {
      const known = Object.keys(attributes).join(', ')
      throw refused(`the model \`${model.name}\` has no attribute \`${name}\`; it has ${known}`)
    }
  }
  const folded = foldsNames(model.sequelize)
  const fields = Object.fromEntries(
    Object.entries(attributes).map(([name, { field = name }]) => [name, folded ? field.toLowerCase() : field])
  )
  const stamps = model._timestampAttributes ?? model.modelDefinition?.timestampAttributeNames ?? {}
  const stamp = (/** @type {string} */ name) => fields[stamps[name]] ?? false
  const { tableName, schema } = tableOf(model)
  return {
    tableName: folded ? tableName.toLowerCase() : tableName,
    schema: folded ? schema?.toLowerCase() : schema,
    columns: {
      sid: fields[names.sid],
      expires: fields[names.expires],
      data: fields[names.data],
      createdAt: stamp('createdAt'),
      updatedAt: stamp('updatedAt'),
      deletedAt: stamp('deletedAt')
    },
    fields,
    // In version 6 the class of JSON has a name of its own.
    json: ['JSON', 'JSONTYPE', 'JSONB'].includes(attributes[names.data].type?.constructor.name)
  }
}

/**
 * The table as the database knows it.
 * @param {any} model
 * @returns {{ tableName: string, schema: string | undefined }}
 */
function tableOf(model) {
  const { tableName, schema, delimiter } = plainTable(model)
  if (!schema) return { tableName, schema: undefined }
  if (hasSchemas(model.sequelize)) return { tableName, schema }
  return { tableName: `${schema}${delimiter || '.'}${tableName}`, schema: undefined }
}

/**
 * @param {any} model
 * @returns {{ tableName: string, schema?: string, delimiter?: string }}
 */
function plainTable(model) {
  const table = model.getTableName()
  return typeof table === 'string' ? { tableName: table } : table
}

/**
 * Whether a schema is one in the database. Where it is not, Sequelize makes it a part of the table's name.
 * @param {any} sequelize
 */
function hasSchemas(sequelize) {
  const { schemas } = sequelize.dialect.supports
  return Boolean(schemas)
}

/**
 * Whether Sequelize writes names without quotes, so that PostgreSQL takes them in lower case.
 * @param {any} sequelize
 */
function foldsNames(sequelize) {
  return sequelize.options.quoteIdentifiers === false && sequelize.dialect.name === 'postgres'
}

/** @param {any} model */
function attributesOf(model) {
  return model.modelDefinition ? Object.fromEntries(model.modelDefinition.attributes) : model.rawAttributes
}

/**
 * @param {string} message
 * @param {unknown} [cause]
 */
function refused(message, cause) {
  return new SessionStoreError('ERR_SESSION_OPTIONS', message, cause)
}

module.exports = {
  defineModel,
  describeDatabase,
  describeModel,
  isModel,
  isSequelize,
  modelOf,
  plainTable,
  sequelizeOf,
  sessionModel
}
