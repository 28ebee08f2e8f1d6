'use strict'

/** @typedef {Pick<import('../layouts.js').Layout, 'instants'>} Layout */

/**
 * A time as an attribute of a model has it.
 * @param {number} ms
 * @param {Layout} layout
 */
function instantOf(ms, { instants }) {
  return instants === 'seconds' ? Math.floor(ms / 1000) : new Date(ms)
}

/**
 * @param {unknown} value of an attribute
 * @param {Layout} layout
 * @returns {number | undefined} ms, NaN if the value is no time, undefined if there is none
 */
function msOf(value, { instants }) {
  if (value === null || value === undefined) return undefined
  if (instants === 'seconds') return Number(value) * 1000
  return new Date(/** @type {string | number | Date} */ (value)).getTime()
}

module.exports = { instantOf, msOf }
