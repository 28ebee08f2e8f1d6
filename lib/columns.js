'use strict'

const { SessionStoreError, dataError } = require('./error.js')
const { promiseError } = require('./session.js')
const { isName, isObject, isPromise, isWellFormed, reasonOf, typeName } = require('./values.js')
const { warnOnce } = require('./warning.js')

const MIN_INTEGER = -(2n ** 63n)
const MAX_INTEGER = 2n ** 63n - 1n

/** The fields of a row that are not extra columns. */
const DEFAULT_FIELDS = new Set(['sid', 'data', 'expires'])

/**
 * What is written of a session: its text, the time at which it expires in ms, its extra columns as text for the addon
 * (`columns`), and the same by the names that the application gave them (`extra`).
 * @typedef {{ data: string, expires: number, columns?: string, extra?: [string, unknown][] }} Row
 */

/**
 * The row of a session with what `extendDefaultFields` changes and adds.
 * @param {(defaults: { data: string, expires: Date }, session: import('./session.js').Session) => unknown} extend
 * @param {{ data: string, expires: number }} defaults expires in ms
 * @param {import('./session.js').Session} session
 * @param {Record<string, string>} [fields] the columns by the attributes of the model, if there is one
 * @returns {Row}
 */
function extendFields(extend, { data, expires }, session, fields) {
  const defaults = { data, expires: new Date(expires) }
  const extended = call(extend, defaults, session)
  const { newData = data, newExpires = defaults.expires, entries } = read(extended)
  if (typeof newData !== 'string') {
    throw dataError(`expected \`data\` of \`extendDefaultFields\` to be a string, got ${typeName(newData)}`)
  }
  const ms = timeOf(newExpires)
  if (Number.isNaN(ms)) {
    const got = newExpires instanceof Date ? 'an invalid date' : typeName(newExpires)
    throw dataError(`expected \`expires\` of \`extendDefaultFields\` to be a date, got ${got}`)
  }
  const extra = fields ? attributesOf(entries, fields) : entries
  const columns = extra.map(([name, value]) => {
    const column = fields?.[name] ?? name
    if (!isName(column)) {
      throw dataError(`expected \`extendDefaultFields\` to return the names of columns, got ${typeName(column)}`)
    }
    return `${JSON.stringify(column)}:${encoded(column, value)}`
  })
  return { data: newData, expires: ms, columns: columns.length > 0 ? `{${columns.join(',')}}` : undefined, extra }
}

/**
 * @param {(defaults: { data: string, expires: Date }, session: import('./session.js').Session) => unknown} extend
 * @param {{ data: string, expires: Date }} defaults
 * @param {import('./session.js').Session} session
 */
function call(extend, defaults, session) {
  /** @type {unknown} */
  let extended
  try {
    extended = extend(defaults, session)
  } catch (cause) {
    throw dataError(`option \`extendDefaultFields\` threw: ${reasonOf(cause)}`, cause)
  }
  if (isPromise(extended)) throw promiseError(extended, 'option `extendDefaultFields`', 'an object')
  if (!isObject(extended)) {
    throw dataError(`expected \`extendDefaultFields\` to return an object, got ${typeName(extended)}`)
  }
  return extended
}

/**
 * The fields of a row, each read once.
 * @param {Record<string, unknown>} extended
 */
function read(extended) {
  try {
    const entries = Object.entries(extended).filter(([name]) => !DEFAULT_FIELDS.has(name))
    return { newData: extended.data, newExpires: extended.expires, entries }
  } catch (cause) {
    throw dataError(`what \`extendDefaultFields\` returned cannot be read: ${reasonOf(cause)}`, cause)
  }
}

/**
 * @param {unknown} date
 * @returns {number} ms since the epoch, or NaN
 */
function timeOf(date) {
  try {
    return new Date(/** @type {Date} */ (date)).getTime()
  } catch (cause) {
    throw dataError(`\`expires\` of \`extendDefaultFields\` cannot be read as a date: ${reasonOf(cause)}`, cause)
  }
}

/**
 * The fields that are attributes of the model. Sequelize silently ignores others, so applications may return some.
 * @param {[string, unknown][]} entries
 * @param {Record<string, string>} fields
 */
function attributesOf(entries, fields) {
  return entries.filter(([name]) => {
    if (Object.hasOwn(fields, name)) return true
    warnOnce(
      'SESSION_UNKNOWN_FIELD',
      `\`extendDefaultFields\` returns \`${name}\`, which is not an attribute of the session model and is not stored`
    )
    return false
  })
}

/**
 * A value as the addon reads it.
 * @param {string} column
 * @param {unknown} value
 * @returns {string}
 */
function encoded(column, value) {
  try {
    return encode(column, value)
  } catch (error) {
    if (SessionStoreError.is(error)) throw error
    throw dataError(`the value of column \`${column}\` cannot be read: ${reasonOf(error)}`, error)
  }
}

/**
 * A value as the addon reads it: a JSON scalar, or a tagged object for what JSON does not have.
 * @param {string} column
 * @param {unknown} value
 * @returns {string}
 */
function encode(column, value) {
  switch (typeof value) {
    case 'undefined':
      return 'null'
    case 'string':
      if (!isWellFormed(value)) throw columnError(column, 'valid Unicode', typeName(value))
      return JSON.stringify(value)
    case 'boolean':
      return String(value)
    case 'number':
      if (!Number.isFinite(value)) throw columnError(column, 'a finite number', String(value))
      return Number.isInteger(value) ? integer(value) : String(value)
    case 'bigint':
      if (value < MIN_INTEGER || value > MAX_INTEGER) {
        throw columnError(column, 'an integer of at most 64 bits', 'a larger bigint')
      }
      return `{"integer":"${value}"}`
    case 'object':
      return encodeObject(column, value)
    default:
      throw columnError(column, 'a value that a database can store', typeName(value))
  }
}

/** @param {number} value */
function integer(value) {
  // Past 2^53 a number is read as a real one. From 1e21 on, `String` would print it with an exponent anyway.
  return Number.isSafeInteger(value) ? String(value) : value.toExponential()
}

/**
 * @param {string} column
 * @param {object | null} value
 */
function encodeObject(column, value) {
  if (value === null) return 'null'
  if (value instanceof Date) {
    const ms = value.getTime()
    if (Number.isNaN(ms)) throw columnError(column, 'a date', 'an invalid date')
    return `{"date":${ms}}`
  }
  if (value instanceof Uint8Array) {
    return `{"blob":"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"}`
  }
  /** @type {string | undefined} */
  let json
  try {
    json = JSON.stringify(value)
  } catch (cause) {
    throw dataError(
      `expected the value of column \`${column}\` to be serializable as JSON, got an object that is not`,
      cause
    )
  }
  // A `toJSON` may give undefined.
  return json === undefined ? 'null' : `{"json":${JSON.stringify(json)}}`
}

/**
 * @param {string} column
 * @param {string} expected
 * @param {string} got
 */
function columnError(column, expected, got) {
  return dataError(`expected the value of column \`${column}\` to be ${expected}, got ${got}`)
}

module.exports = { extendFields }
