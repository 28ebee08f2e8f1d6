'use strict'

const { optionsError } = require('../options/error.js')

/**
 * A time zone of Sequelize as an offset from UTC, the same for the whole year.
 * @param {string} timezone offset, or a name such as `Asia/Kolkata`
 */
function utcOffsetOf(timezone) {
  if (timezone === 'Z') return '+00:00'
  if (/^[+-]\d\d:\d\d$/.test(timezone)) return timezone
  const year = new Date().getUTCFullYear()
  const offsets = [0, 3, 6, 9].map((month) => utcOffsetAt(timezone, new Date(Date.UTC(year, month, 1))))
  if (new Set(offsets).size > 1) {
    throw optionsError(
      `expected the time zone of the Sequelize instance to have one offset from UTC, got \`${timezone}\`, whose offset ` +
        'changes in the year; set option `timezone` of the store to an offset, or keep sessions in a database that is written in UTC'
    )
  }
  return offsets[0]
}

/**
 * @param {string} timezone
 * @param {Date} date
 */
function utcOffsetAt(timezone, date) {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' })
    const name = format.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value
    return name?.replace('GMT', '') || '+00:00'
  } catch (cause) {
    throw optionsError(
      `unknown time zone \`${timezone}\` of the Sequelize instance; set its option \`timezone\` to an offset such as \`+05:30\``,
      cause
    )
  }
}

module.exports = { utcOffsetOf }
