'use strict'

const { HOUR } = require('../support/time')

const iso = (ms) => new Date(Date.now() + ms).toISOString()
const quoted = (text) => `'${text}'`

/** Texts of an instant on clocks of zones to the east, or with `-` to the west. */
const zoned = (ms, sign) => {
  const clock = iso(ms).slice(0, 23)
  return [
    `${clock}${sign}02:00`,
    `${clock.replace('T', ' ')} ${sign}02:00`,
    `${clock.slice(0, 19)} ${sign}0200`,
    `${clock.slice(0, 16)}${sign}02`,
    `${clock}000 ${sign}01:30 `
  ].map(quoted)
}

/** Texts in a column of expiries, as literals. */
const TEXTS = {
  live: [
    quoted(iso(HOUR)),
    quoted(iso(HOUR).replace('T', ' ').replace('Z', ' +00:00')),
    quoted(iso(HOUR).slice(0, 19)),
    quoted(iso(48 * HOUR).slice(0, 10)),
    quoted(`${iso(HOUR).slice(0, 19)}z`),
    // On clocks on which they have passed.
    ...zoned(-HOUR, '-'),
    "'9999-12-31 23:59:59.999 +00:00'",
    "'2096-02-29 00:00'",
    'NULL'
  ],
  dead: [
    quoted(iso(-HOUR)),
    quoted(iso(-HOUR).replace('T', ' ').replace('Z', ' +00:00')),
    quoted(iso(-HOUR).slice(0, 19)),
    quoted(`${iso(-HOUR).slice(0, 19)}z`),
    // On clocks on which they have not passed.
    ...zoned(HOUR, '+'),
    "'0001-01-01 00:00:00'",
    "'2024-02-29'"
  ],
  unreadable: [
    "''",
    "'soon'",
    "'NaN'",
    "'Infinity'",
    "'infinity'",
    "'now'",
    "'tomorrow'",
    "'12:00'",
    "'2460000.5'",
    "'1893553445678'",
    "'9223372036854775807'",
    "'0000-00-00 00:00:00'",
    "'2095-02-29 00:00:00'",
    "'2090-02-30 00:00:00'",
    "'2090-04-31'",
    "'2090-13-01'",
    "'2090-01-01 24:00:00'",
    "'2090-01-01 00:60'",
    "'2090-01-01 00:00:00 +15:00'",
    "'2090-01-01 00:00:00 EST'",
    "' 2090-01-01'",
    "'-2090-01-01'",
    "'12090-01-01'",
    "'2090-01-01é00:00'"
  ]
}

/**
 * Expiries of rows in hours from now, each with the zone of its text, and what remains after a session that says two hours is loaded and
 * saved: the later of both.
 */
const KEPT = [
  [1, '+09:00', 2],
  [3, '-09:00', 3],
  [1, '-09:00', 2],
  [3, '+09:00', 3]
]

/** The text of a row of `KEPT`. */
function textOf([hours, zone]) {
  const minutes = Number(`${zone[0]}${Number(zone.slice(1, 3)) * 60}`)
  return `${iso(hours * HOUR + minutes * 60_000).slice(0, 19)} ${zone}`
}

module.exports = { KEPT, TEXTS, textOf }
