'use strict'

const { SessionStoreError } = require('./error.js')
const { isObject, isWellFormed, kindOf } = require('./session.js')

const MIN_INTEGER = -(2n ** 63n)
const MAX_INTEGER = 2n ** 63n - 1n

/**
 * What `extendDefaultFields` makes of a session: data, expiry, and the text of its extra columns for the addon.
 * @param {(defaults: { data: string, expires: Date }, session: any) => any} extend
 * @param {{ data: string, expires: number }} defaults expires in ms
 * @param {any} session
 * @returns {{ data: string, expires: number, columns: string | undefined }}
 */
function extendFields(extend, { data, expires }, session) {
  const defaults = { data, expires: new Date(expires) }
  let fields
  try {
    fields = extend(defaults, session)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new SessionStoreError('ERR_SESSION_DATA', `extendDefaultFields threw: ${reason}`, cause)
  }
  if (!isObject(fields)) {
    throw refused(`expected extendDefaultFields to return an object, got ${kindOf(fields)}`)
  }
  if (typeof fields.then === 'function') {
    throw refused('expected extendDefaultFields to return its fields at once, got a promise')
  }
  const { data: newData = data, expires: newExpires = defaults.expires, sid: _, ...extra } = fields
  if (typeof newData !== 'string') {
    throw refused(`expected \`data\` of extendDefaultFields to be a string, got ${kindOf(newData)}`)
  }
  const ms = new Date(newExpires).getTime()
  if (Number.isNaN(ms)) {
    throw refused('expected `expires` of extendDefaultFields to be a date')
  }
  const columns = Object.entries(extra).map(([column, value]) => `${JSON.stringify(column)}:${encode(column, value)}`)
  return { data: newData, expires: ms, columns: columns.length > 0 ? `{${columns.join(',')}}` : undefined }
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
