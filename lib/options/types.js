'use strict'

const { LAYOUTS } = require('../layouts.js')
const { isModel } = require('../sequelize/instance.js')
const { isName, isObject } = require('../values.js')
const { isUtcOffset } = require('./utc-offset.js')

/** The largest whole number of 32 bits, which the addon takes for times and counts. */
const MAX_U32 = 2 ** 32 - 1

/**
 * A type of options: what a message expects, and the test. `number`: whether it is a number. `max`: the largest that passes.
 * @typedef {{ expected: string, test: (value: unknown) => boolean, number?: boolean, max?: number }} OptionType
 */

/** @param {unknown} value */
function isFinitePositive(value) {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

/**
 * A whole number from 1 to a bound.
 * @param {number} max
 * @param {string} [unit]
 * @returns {OptionType & { number: true, max: number }}
 */
function whole(max, unit = '') {
  return {
    expected: `a whole number ${unit}from 1 to ${max}`,
    test: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max,
    number: true,
    max
  }
}

/** What can serve the calls of a store: the addon, or the statements of a Sequelize instance. */
const ENGINES = ['rust', 'sequelize']

/** @satisfies {Readonly<Record<string, OptionType>>} */
const TYPES = Object.freeze({
  database: {
    expected: 'a database URL or a Sequelize instance',
    test: (value) => typeof value === 'string' || isObject(value)
  },
  name: { expected: 'a non-empty string of valid Unicode without NUL characters', test: isName },
  model: {
    expected: 'a Sequelize model or the name of one',
    test: (value) => isName(value) || isModel(value)
  },
  layout: {
    expected: `one of ${Object.keys(LAYOUTS).join(', ')}`,
    test: (value) => typeof value === 'string' && Object.hasOwn(LAYOUTS, value)
  },
  engine: { expected: '`rust` or `sequelize`', test: (value) => ENGINES.includes(/** @type {string} */ (value)) },
  boolean: { expected: 'a boolean', test: (value) => typeof value === 'boolean' },
  function: { expected: 'a function', test: (value) => typeof value === 'function' },
  serializer: {
    expected: 'an object with the functions `stringify` and `parse`',
    test: (value) => {
      const { stringify, parse } = /** @type {{ stringify?: unknown, parse?: unknown }} */ (value ?? {})
      return typeof stringify === 'function' && typeof parse === 'function'
    }
  },
  utcOffset: { expected: 'an offset from UTC such as `+05:30`', test: isUtcOffset },
  lifetime: { expected: 'a positive number of milliseconds', test: isFinitePositive, number: true },
  period: {
    expected: 'a number of milliseconds (0 or less: never)',
    test: (value) => typeof value === 'number' && !Number.isNaN(value),
    number: true
  },
  duration: {
    expected: 'a whole number of milliseconds, 0 or more',
    test: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0,
    number: true
  },
  permissions: {
    expected: 'permissions from 0o600 to 0o777 that let the owner read and write',
    test: (value) => Number.isInteger(value) && (Number(value) & 0o600) === 0o600 && Number(value) <= 0o777
  },
  timeout: whole(MAX_U32, 'of milliseconds '),
  count: whole(MAX_U32),
  connections: whole(1000),
  bytes: whole(Number.MAX_SAFE_INTEGER, 'of bytes '),
  column: { expected: 'the name of a column', test: isName },
  optionalColumn: {
    expected: 'the name of a column, or false for none',
    test: (value) => value === false || isName(value)
  }
})

module.exports = { TYPES }
