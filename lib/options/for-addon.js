'use strict'

const { SCHEMES, databaseOfUrl } = require('../databases.js')
const { layoutOf } = require('../layouts.js')
const { reasonOf, typeName } = require('../values.js')
const { complete } = require('./complete.js')
const { optionsError } = require('./error.js')
const { GROUPS, OPTIONS } = require('./schema.js')

/**
 * @typedef {import('../binding.js').StoreOptions} StoreOptions
 * @typedef {import('../binding.js').TableOptions} TableOptions
 */

/**
 * The options of the addon.
 * @param {import('./complete.js').Completed} completed
 * @returns {StoreOptions}
 */
function forAddon({ options, url, json }) {
  // Schemes ignore case, and the drivers do not.
  const lowerCase = url.replace(/^[^:]+/, (scheme) => scheme.toLowerCase())
  const sharedFile = typeof options.db !== 'string' && databaseOfUrl(url)?.isFile === true
  const addon = /** @type {StoreOptions} */ (
    /** @type {unknown} */ ({ url: lowerCase, sharedFile, ...placed(options) })
  )
  if (json) addon.table.layouts = [{ ...layoutOf(options.layout), json: 'strings' }]
  return addon
}

/**
 * The table for which the addon makes the DDL.
 * @param {unknown} dialect
 * @param {unknown} given
 * @returns {TableOptions}
 */
function forDdl(dialect, given) {
  if (typeof dialect !== 'string' || !SCHEMES.includes(dialect)) {
    // The value is not in the message: a URL would show its password.
    const got = typeof dialect === 'string' ? 'another string' : typeName(dialect)
    throw optionsError(`expected the dialect to be one of ${SCHEMES.join(', ')}, got ${got}`)
  }
  return forAddon(complete(copyOf(given, { db: `${dialect}:` }))).table
}

/**
 * The options with some of them replaced.
 * @param {unknown} given
 * @param {object} replaced
 */
function copyOf(given, replaced) {
  try {
    return { .../** @type {object} */ (given), ...replaced }
  } catch (cause) {
    throw optionsError(`the options cannot be read: ${reasonOf(cause)}`, cause)
  }
}

/**
 * The places of the options in those of the addon.
 * @type {[name: string, descriptor: { addon?: string, toAddon?: (value: unknown) => unknown }][]}
 */
const PLACES = Object.entries(/** @type {object} */ ({ ...OPTIONS, ...GROUPS }))

/**
 * The options in their places.
 * @param {import('./complete.js').CompleteOptions} options
 */
function placed(options) {
  /** @type {Record<string, unknown>} */
  const addon = {}
  const values = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (options))
  for (const [name, { addon: place, toAddon }] of PLACES) {
    if (place === undefined) continue
    const value = toAddon ? toAddon(values[name]) : values[name]
    const [outer, inner] = place.split('.')
    addon[outer] = inner === undefined ? value : { .../** @type {object | undefined} */ (addon[outer]), [inner]: value }
  }
  return addon
}

module.exports = { forAddon, forDdl }
