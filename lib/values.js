'use strict'

// Questions about values of any type.

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Whether the value can name something in a database.
 * @param {unknown} value
 * @returns {value is string}
 */
function isName(value) {
  return typeof value === 'string' && value !== '' && !value.includes('\0') && isWellFormed(value)
}

/**
 * Whether the text has no lone surrogates. Databases store UTF-8, which cannot hold them.
 * @param {string} text
 */
function isWellFormed(text) {
  // `String.prototype.isWellFormed` is newer than the type library that the oldest supported version of Node.js needs.
  return /** @type {{ isWellFormed(): boolean }} */ (/** @type {unknown} */ (text)).isWellFormed()
}

/**
 * The type of a value with its article, and what a name must not have, for messages. Never the value itself, which may be a
 * secret.
 * @param {unknown} value
 */
function typeName(value) {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value !== 'string') return typeof value === 'object' ? 'an object' : `a ${typeof value}`
  if (value === '') return 'an empty string'
  if (value.includes('\0')) return 'a string with a NUL character'
  return isWellFormed(value) ? 'a string' : 'a string with a lone surrogate'
}

/**
 * The message of whatever was thrown.
 * @param {unknown} error
 */
function reasonOf(error) {
  return error instanceof Error ? error.message : String(error)
}

/**
 * The object without the properties that are undefined, which stand for defaults.
 * @template {object} T
 * @param {T} object
 * @returns {{ [Name in keyof T]?: Exclude<T[Name], undefined> }}
 */
function present(object) {
  const entries = Object.entries(/** @type {Record<string, unknown>} */ (object)).filter(
    ([, value]) => value !== undefined
  )
  return /** @type {{ [Name in keyof T]?: Exclude<T[Name], undefined> }} */ (Object.fromEntries(entries))
}

module.exports = { isName, isObject, isWellFormed, present, reasonOf, typeName }
