'use strict'

const { SessionStoreError } = require('../error.js')
const { attributesOf, tableNameOf } = require('../sequelize/instance.js')
const { reasonOf } = require('../values.js')

/**
 * An error of Sequelize. `parent` is the driver's.
 * @typedef {Error & {
 *   parent?: DriverError, original?: DriverError, sql?: unknown, parameters?: unknown, errors?: unknown,
 *   cause?: unknown, fields?: Record<string, unknown>, code?: unknown
 * }} SequelizeError
 * @typedef {Error & {
 *   code?: unknown, errno?: unknown, number?: unknown, sqlState?: unknown, sql?: unknown, parameters?: unknown, constraint?: unknown
 * }} DriverError
 * @typedef {import('../error.js').Code} Code
 */

/** What drivers say if a table, and if a column is missing: PostgreSQL, MySQL, SQL Server, Oracle and Db2, and the texts of SQLite. */
const MISSING_TABLE = new Set([
  '42P01',
  '3F000',
  'ER_NO_SUCH_TABLE',
  'ER_BAD_DB_ERROR',
  'SQLSERVER_208',
  'ORA-00942',
  'SQL0204N'
])
const MISSING_COLUMN = new Set(['42703', 'ER_BAD_FIELD_ERROR', 'SQLSERVER_207', 'ORA-00904', 'SQL0206N'])
const MISSING = {
  table: /\bno such table\b|\btable .* doesn't exist\b/i,
  column: /\bno such column\b|\bhas no column named\b|\bunknown column\b/i
}

/** Deadlocks and failures to serialize: the database has rolled back, and the statement may be repeated. */
const CONFLICTS = new Set([
  '40001',
  '40P01',
  'ER_LOCK_DEADLOCK',
  'ER_CHECKREAD',
  'SQLSERVER_1205',
  'SQLSERVER_3960',
  'ORA-00060',
  'ORA-08177'
])

const TIMEOUTS = new Set([
  '57014',
  '55P03',
  '25P03',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_QUERY_TIMEOUT',
  'ER_STATEMENT_TIMEOUT',
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
  'ETIMEOUT',
  'SQLSERVER_1222'
])

/** A connection that broke while it was used. */
const LOST =
  /^(57P0[123]|08\w{3}|E(CONNRESET|PIPE|SOCKET|CLOSE|CONNCLOSED)|PROTOCOL_CONNECTION_LOST|ER_(SOCKET|CMD)\w*|ER_CONNECTION_KILLED|ER_SERVER_SHUTDOWN)$/
const LOST_TEXT = /^(Connection terminated|Connection lost)|socket has (been closed|unexpectedly been closed)/i

/** @param {unknown} error */
const named = (error) => String(/** @type {Error | undefined} */ (error)?.name).replace(/^Sequelize/, '')

/**
 * The error of the driver, which version 7 has as the cause.
 * @param {unknown} error
 * @returns {DriverError | undefined}
 */
function driverErrorOf(error) {
  if (!(error instanceof Error)) return undefined
  return Object.hasOwn(error, 'parent')
    ? /** @type {SequelizeError} */ (error).parent
    : /** @type {DriverError | undefined} */ (error.cause)
}

/**
 * The driver's code.
 * @param {unknown} error
 */
function codeOf(error) {
  const { code } = /** @type {SequelizeError} */ (error ?? {})
  const driver = driverErrorOf(error)
  if (typeof driver?.number === 'number') return `SQLSERVER_${driver.number}`
  const given = driver?.code ?? code
  return typeof given === 'string' ? (/^(ORA-\d+|SQL\d+N)/.exec(String(driver?.message))?.[0] ?? given) : ''
}

/**
 * What the database says, without the statement that a driver adds to it.
 * @param {unknown} error
 */
function textOf(error) {
  return reasonOf(error).split('\nsql: ')[0]
}

/**
 * Whether the table is not there.
 * @param {unknown} error
 */
function isMissingTable(error) {
  return MISSING_TABLE.has(codeOf(error)) || MISSING.table.test(textOf(error))
}

/** @param {unknown} error */
function isMissingColumn(error) {
  return MISSING_COLUMN.has(codeOf(error)) || MISSING.column.test(textOf(error))
}

/** @param {unknown} error */
function isLost(error) {
  return LOST.test(codeOf(error)) || LOST_TEXT.test(textOf(error))
}

/**
 * Whether the statement may succeed if it is repeated. Where an upsert is a MERGE, two of them may both insert, and one
 * of them fails; a second failure is one of the application's own unique columns.
 * @param {unknown} error
 * @param {number} tries
 */
function isTemporary(error, tries) {
  if (CONFLICTS.has(codeOf(error))) return true
  return tries === 0 && (isUniqueViolation(error) || (isLost(error) && !isConnecting(error)))
}

/** @param {unknown} error */
function isUniqueViolation(error) {
  return named(error) === 'UniqueConstraintError'
}

/** @param {unknown} error */
function isConnecting(error) {
  const name = named(error)
  return /Connection|^HostNot|^AccessDenied/.test(name) || /connection manager was closed/.test(textOf(error))
}

/**
 * @param {unknown} error
 * @returns {Code}
 */
function kindOf(error) {
  if (isMissingTable(error) || isMissingColumn(error)) return 'ERR_SESSION_TABLE'
  if (isConnecting(error) || isLost(error)) return 'ERR_SESSION_CONNECTION'
  if (named(error) === 'TimeoutError' || TIMEOUTS.has(codeOf(error)) || CONFLICTS.has(codeOf(error)))
    return 'ERR_SESSION_TIMEOUT'
  return 'ERR_SESSION_DATABASE'
}

/** The kinds whose messages are about names, and quote no values. */
const TOLD = ['ERR_SESSION_TABLE', 'ERR_SESSION_CONNECTION', 'ERR_SESSION_TIMEOUT']

/**
 * The store's error for one of Sequelize, which is its cause: without the statement and what could quote values, which may
 * be those of a session.
 * @param {unknown} thrown
 * @param {import('../sequelize/instance.js').Model} model
 */
function failureOf(thrown, model) {
  if (SessionStoreError.is(thrown)) return thrown
  const kind = kindOf(thrown)
  const table = kind === 'ERR_SESSION_TABLE' ? `table \`${tableNameOf(model).tableName}\`: ` : ''
  if (!isOfDatabase(thrown)) return new SessionStoreError(kind, `${table}${reasonOf(thrown)}`, thrown)
  const code = codeOf(thrown)
  const told = TOLD.includes(kind) ? textOf(thrown) : refusal(thrown, code, model)
  conceal(thrown, code, told)
  return new SessionStoreError(kind, `${table}${told}`, thrown)
}

/**
 * Whether it is an error of Sequelize or of a driver, and not one of a hook or a setter of the application.
 * @param {unknown} error
 * @returns {error is SequelizeError}
 */
function isOfDatabase(error) {
  return error instanceof Error && (error.name.startsWith('Sequelize') || 'sql' in error)
}

/**
 * What can be told of a statement that was refused: which error it is, and the names in it.
 * @param {SequelizeError} error
 * @param {string} code
 * @param {import('../sequelize/instance.js').Model} model
 */
function refusal(error, code, model) {
  const driver = driverErrorOf(error)
  const { constraint } = driver ?? {}
  const fields = Object.values(attributesOf(model)).flatMap(({ field }) => field ?? [])
  const text = `${textOf(error)} ${driver?.message ?? ''}`
  const names = new Set([
    ...Object.keys(error.fields ?? {}),
    ...(typeof constraint === 'string' ? [constraint] : []),
    ...fields.filter((field) => text.includes(field))
  ])
  const about = names.size > 0 ? ` about ${[...names].map((name) => `\`${name}\``).join(', ')}` : ''
  const by = isOfTrigger(error, code) ? ' by a trigger' : ''
  return `the database refused the statement${by}: ${[error.name, code].filter(Boolean).join(' ')}${about}`
}

/**
 * Whether a trigger or a function of the application has raised the error.
 * @param {SequelizeError} error
 * @param {string} code
 */
function isOfTrigger(error, code) {
  if (code === 'SQLITE_CONSTRAINT') return !/constraint failed/.test(textOf(driverErrorOf(error)))
  return code === 'P0001' || code === 'ER_SIGNAL_EXCEPTION'
}

/**
 * Takes out of Sequelize's error what is not to be seen: its statement, its values, and the driver's error, which has both.
 * @param {SequelizeError} error
 * @param {string} code
 * @param {string} told
 */
function conceal(error, code, told) {
  for (const name of ['parent', 'original', 'cause', 'sql', 'parameters', 'errors', 'fields', 'value', 'instance']) {
    Reflect.deleteProperty(error, name)
  }
  const frames = String(error.stack)
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
  const stack = [`${error.name}: ${told}`, ...frames].join('\n')
  Object.defineProperties(error, {
    message: { value: told, configurable: true, writable: true },
    stack: { value: stack, configurable: true, writable: true }
  })
  if (code !== '') error.code = code
}

module.exports = { failureOf, isMissingTable, isTemporary, isUniqueViolation }
