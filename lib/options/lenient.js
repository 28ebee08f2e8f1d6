'use strict'

const { isObject } = require('../values.js')
const { warnOnce } = require('../warning.js')
const { NAMES, unknownOption } = require('./check.js')
const { GROUPS, OPTIONS } = require('./schema.js')
const { TYPES } = require('./types.js')

/** A number as text, for example of an environment variable. */
const NUMBER = /^\s*[+-]?\d+(\.\d+)?\s*$/

/**
 * Whether the options are for a Sequelize instance, and may be those of connect-session-sequelize, which checks none.
 * @param {unknown} given
 * @returns {given is Record<string, unknown>}
 */
function ofInstance(given) {
  return isObject(given) && isObject(given.db)
}

/**
 * The options as connect-session-sequelize takes them: numbers may be text, null stands for a value that is not given, and
 * an unknown name is only a warning.
 * @param {Record<string, unknown>} given
 */
function lenient(given) {
  const options = known(given, OPTIONS, NAMES, '')
  for (const [group, { members }] of Object.entries(GROUPS)) {
    const value = options[group]
    if (isObject(value)) options[group] = known(value, members, Object.keys(members), `${group}.`)
  }
  return options
}

/**
 * @param {Record<string, unknown>} given
 * @param {import('./check.js').Descriptors} descriptors
 * @param {readonly string[]} names
 * @param {string} prefix
 */
function known(given, descriptors, names, prefix) {
  /** @type {Record<string, unknown>} */
  const options = {}
  for (const [name, value] of Object.entries(given)) {
    if (!names.includes(name)) warnOnce('SESSION_UNKNOWN_OPTION', unknownOption(name, names, prefix))
    else if (value !== null) options[name] = numberOf(value, descriptors[name]?.type)
  }
  return options
}

/**
 * @param {unknown} value
 * @param {keyof typeof TYPES} [type]
 */
function numberOf(value, type) {
  const { number } = /** @type {import('./types.js').OptionType} */ (type === undefined ? {} : TYPES[type])
  return number && typeof value === 'string' && NUMBER.test(value) ? Number(value) : value
}

module.exports = { lenient, ofInstance }
