'use strict'

// Questions about values of any type, even one that throws when it is asked, such as a revoked proxy. None of them throws.

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !isArray(value)
}

/** @param {unknown} value */
function isArray(value) {
  try {
    return Array.isArray(value)
  } catch {
    // A revoked proxy. Reading from it fails later.
    return false
  }
}

/**
 * Whether the value is a promise or can be awaited like one.
 * @param {unknown} value
 * @returns {value is PromiseLike<unknown>}
 */
function isPromise(value) {
  try {
    return isObject(value) && typeof value.then === 'function'
  } catch {
    return false
  }
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
  if (isArray(value)) return 'an array'
  if (isPromise(value)) return 'a promise'
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
  try {
    const reason = error instanceof Error ? error.message : error
    return String(reason)
  } catch {
    return `${typeName(error)} that has no text`
  }
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

module.exports = { isName, isObject, isPromise, isWellFormed, present, reasonOf, typeName }
