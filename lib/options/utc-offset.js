'use strict'

/**
 * Whether the value is an offset from UTC such as `+05:30`.
 * @param {unknown} value
 */
function isUtcOffset(value) {
  return typeof value === 'string' && /^[+-](0\d|1[0-4]):[0-5]\d$/.test(value)
}

/**
 * The minutes east of UTC.
 * @param {string} offset such as `-03:30`
 */
function utcOffsetMinutes(offset) {
  const [hours, minutes] = offset.slice(1).split(':').map(Number)
  return (offset[0] === '-' ? -1 : 1) * (hours * 60 + minutes)
}

module.exports = { isUtcOffset, utcOffsetMinutes }
