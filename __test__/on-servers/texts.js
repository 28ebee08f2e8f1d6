'use strict'

const { HOUR } = require('../support/time')

const iso = (ms) => new Date(Date.now() + ms).toISOString()
const quoted = (text) => `'${text}'`

/** Texts in a column of expiries, as literals. */
const TEXTS = {
  live: [
    quoted(iso(HOUR)),
    quoted(iso(HOUR).replace('T', ' ').replace('Z', ' +00:00')),
    quoted(iso(HOUR).slice(0, 19)),
    quoted(iso(48 * HOUR).slice(0, 10)),
    "'9999-12-31 23:59:59.999 +00:00'",
    "'2096-02-29 00:00'",
    'NULL'
  ],
  dead: [
    quoted(iso(-HOUR)),
    quoted(iso(-HOUR).replace('T', ' ').replace('Z', ' +00:00')),
    quoted(iso(-HOUR).slice(0, 19)),
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

/** Texts of instants that have passed, on clocks of other zones on which they have not. */
const ZONED = ['+02:00', '+0200', '+02'].map((zone) => quoted(`${iso(HOUR).slice(0, 19)} ${zone}`))

module.exports = { TEXTS, ZONED }
