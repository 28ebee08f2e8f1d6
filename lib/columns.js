'use strict'

const { SessionStoreError } = require('./error.js')
const { isObject, isWellFormed, kindOf } = require('./session.js')

const MIN_INTEGER = -(2n ** 63n)
const MAX_INTEGER = 2n ** 63n - 1n

/** The fields that are not the application's. */
const OWN = new Set(['sid', 'data', 'expires'])

/** The fields of which a warning told already. */
const warned = new Set()

/**
 * What is written of a session: its text, when it expires in ms, the text of its extra columns for the addon, and the same
 * by the names that the application gave them.
 * @typedef {{ data: string, expires: number, columns?: string, extra?: [string, any][] }} Row
 */

/**
 * What `extendDefaultFields` makes of a session: data, expiry, and the text of its extra columns for the addon.
 * @param {(defaults: { data: string, expires: Date }, session: any) => any} extend
 * @param {{ data: string, expires: number }} defaults expires in ms
 * @param {any} session
 * @param {Record<string, string>} [fields] the columns by the attributes of the model, if there is one
 * @returns {Row}
 */
function extendFields(extend, { data, expires }, session, fields) {
  const defaults = { data, expires: new Date(expires) }
  let extended
  try {
    extended = extend(defaults, session)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SessionStoreError('ERR_SESSION_DATA', `extendDefaultFields threw: ${reason}`, cause)
  }
  if (!isObject(extended)) {
    throw refused(`expected extendDefaultFields to return an object, got ${kindOf(extended)}`)
  }
  if (typeof extended.then === 'function') {
    throw refused('expected extendDefaultFields to return its fields at once, got a promise')
  }
  const { data: newData = data, expires: newExpires = defaults.expires } = extended
  const extra = Object.entries(extended).filter(([name]) => !OWN.has(name))
  if (typeof newData !== 'string') {
    throw refused(`expected \`data\` of extendDefaultFields to be a string, got ${kindOf(newData)}`)
  }
  const ms = new Date(newExpires).getTime()
  if (Number.isNaN(ms)) {
    throw refused('expected `expires` of extendDefaultFields to be a date')
  }
  const known = fields ? attributesOf(extra, fields) : extra
  const columns = known.map(([name, value]) => {
    const column = fields?.[name] ?? name
    return `${JSON.stringify(column)}:${encode(column, value)}`
  })
  const text = columns.length > 0 ? `{${columns.join(',')}}` : undefined
  return { data: newData, expires: ms, columns: text, extra: known }
}

/**
 * The fields that the model knows. Sequelize leaves out the others without a word, so applications have some.
 * @param {[string, any][]} extra
 * @param {Record<string, string>} fields
 */
function attributesOf(extra, fields) {
  for (const [name] of extra) {
    if (Object.hasOwn(fields, name) || warned.has(name)) continue
    warned.add(name)
    process.emitWarning(
      `extendDefaultFields returns \`${name}\`, which is no attribute of the session model, and is not stored`,
      { code: 'SESSION_UNKNOWN_FIELD' }
    )
  }
  return extra.filter(([name]) => Object.hasOwn(fields, name))
}

/**
 * One value as the addon reads it: a JSON scalar, or a tagged object for what JSON does not know.
 * @param {string} column
 * @param {any} value
 * @returns {string}
 */
function encode(column, value) {
  switch (typeof value) {
    case 'undefined':
      return 'null'
    case 'string':
      if (!isWellFormed(value)) throw refused(`column \`${column}\`: a string is no valid Unicode`)
      return JSON.stringify(value)
    case 'boolean':
      return String(value)
    case 'number':
      if (Number.isFinite(value)) return Number.isInteger(value) ? integer(value) : String(value)
      throw refused(`column \`${column}\`: expected a finite number, got ${value}`)
    case 'bigint':
      if (value < MIN_INTEGER || value > MAX_INTEGER) {
        throw refused(`column \`${column}\`: expected an integer of 64 bits at most`)
      }
      return `{"integer":"${value}"}`
    case 'object':
      return encodeObject(column, value)
    default:
      throw refused(`column \`${column}\`: a ${typeof value} cannot be stored`)
  }
}

/** @param {number} value */
function integer(value) {
  // Beyond 2^53 a number stands for a real one, and is printed with an exponent from 1e21 on.
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
    if (Number.isNaN(ms)) throw refused(`column \`${column}\`: the date is invalid`)
    return `{"date":${ms}}`
  }
  if (value instanceof Uint8Array) {
    return `{"blob":"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"}`
  }
  try {
    return `{"json":${JSON.stringify(JSON.stringify(value))}}`
  } catch (cause) {
    throw new SessionStoreError('ERR_SESSION_DATA', `column \`${column}\`: the value cannot be serialised`, cause)
  }
}

/** @param {string} message */
function refused(message) {
  return new SessionStoreError('ERR_SESSION_DATA', message)
}

module.exports = { extendFields }
