'use strict'

const { isObject, typeName } = require('../values.js')
const { optionsError } = require('./error.js')
const { GROUPS, OPTIONS } = require('./schema.js')
const { suggestion } = require('./suggestion.js')
const { TYPES } = require('./types.js')

/** @typedef {Record<string, Pick<import('./schema.js').Descriptor, 'type'>>} Descriptors */

/** The names of all options. */
const NAMES = Object.freeze([...Object.keys(OPTIONS), ...Object.keys(GROUPS)])

/**
 * Checks the names and the types of what the caller gave, each option by itself.
 * @param {unknown} given
 * @returns {asserts given is import('./complete.js').Given}
 */
function checkOptions(given) {
  if (!isObject(given)) throw optionsError(`expected the options to be an object, got ${typeName(given)}`)
  checkNames(given, NAMES, '')
  if ('db' in given && (given.db === undefined || given.db === null || given.db === '')) throw noDatabase(given.db)
  checkValues(given, OPTIONS, '')
  for (const [group, { members }] of Object.entries(GROUPS)) {
    const value = given[group]
    if (value === undefined) continue
    if (!isObject(value)) throw optionsError(`expected option \`${group}\` to be an object, got ${typeName(value)}`)
    checkNames(value, Object.keys(members), `${group}.`)
    checkValues(value, members, `${group}.`)
  }
}

/**
 * The error for a `db` that is there but empty. It is a setting that went missing, such as an unset environment variable,
 * and must never silently become a local file.
 * @param {unknown} db
 */
function noDatabase(db) {
  return optionsError(
    `Database connection is required: expected option \`db\` to be ${TYPES.database.expected}, got ${typeName(db)}`
  )
}

/**
 * @param {object} given
 * @param {readonly string[]} supported
 * @param {string} prefix
 */
function checkNames(given, supported, prefix) {
  for (const name of Object.keys(given)) {
    if (!supported.includes(name)) throw optionsError(unknownOption(name, supported, prefix))
  }
}

/**
 * The message for an unknown option.
 * @param {string} name
 * @param {readonly string[]} supported
 * @param {string} prefix
 */
function unknownOption(name, supported, prefix) {
  const meant = suggestion(name, supported)
  const hint = meant === undefined ? `supported: ${supported.join(', ')}` : `did you mean \`${prefix}${meant}\`?`
  return `unknown option \`${prefix}${name}\`; ${hint}`
}

/**
 * @param {Record<string, unknown>} given
 * @param {Descriptors} descriptors
 * @param {string} prefix
 */
function checkValues(given, descriptors, prefix) {
  for (const [name, { type }] of Object.entries(descriptors)) {
    const value = given[name]
    const { expected, test } = TYPES[type]
    if (value === undefined || test(value)) continue
    const got = typeof value === 'number' ? String(value) : typeName(value)
    throw optionsError(`expected option \`${prefix}${name}\` to be ${expected}, got ${got}`)
  }
}

/**
 * Checks that no two columns have one name.
 * @param {import('../../index.js').Columns} columns
 */
function checkColumns(columns) {
  const names = Object.values(/** @type {Record<string, string | false>} */ (columns)).filter((name) => name !== false)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw optionsError(`expected option \`columns\` to name each column once, got \`${twice}\` twice`)
  }
}

module.exports = { NAMES, checkColumns, checkOptions, unknownOption }
