'use strict'

// What this package means to reach, and whether a result shows it.

const { heading, settled, table } = require('./lib/report')

const MB = 2 ** 20
const NAMES = { get: 'get', 'set-new': 'set (new)', 'set-existing': 'set (existing)', touch: 'touch', mix: 'mix' }
const SETS = ['set-new', 'set-existing']
const DRIVERS = { postgres: 'driver-pg', mysql: 'driver-mysql' }
const DATABASES = ['sqlite', 'postgres', 'mysql']

const usual = { kind: 'store', rows: 10000, processes: 1, callers: 128 }
const sqlite = { ...usual, database: 'sqlite', durability: 'normal' }
const postgres = { ...usual, database: 'postgres' }
const mysql = { ...usual, database: 'mysql' }
const served = { kind: 'express', connections: 64 }

/**
 * A goal names one cell of ours, and either another one that it is compared to, or a limit.
 *
 * @typedef {object} Goal
 * @property {string} area
 * @property {string} text
 * @property {Record<string, any>} cell what the cell must have; the peer is ours
 * @property {Record<string, any>} [other] in what the other cell differs
 * @property {(cell: any, other: any) => number} value
 * @property {number} [least]
 * @property {number} [most]
 * @property {(value: number) => string} show
 * @property {(cell: any) => string} [doubt] why nothing can be concluded from the cell, beside its spread
 */

const times = (value) => `${value.toFixed(2)} ×`
const unit = (name) => (value) => `${value.toFixed(value < 100 ? 1 : 0)} ${name}`
const rates = (cell, other) => cell.rate / other.rate

/** @returns {Goal} */
function faster(area, cell, peer, least, name) {
  const text = `${NAMES[cell.workload] ?? cell.request}${cell.callers ? ` × ${cell.callers}` : ''} ≥ ${least} × ${name}`
  return { area, text, cell, other: { peer }, value: rates, least, show: times }
}

/** @type {Goal[]} */
const GOALS = [
  ...inPostgres('PostgreSQL'),
  ...['get', ...SETS, 'mix'].map((workload) =>
    faster('MariaDB', { ...mysql, workload }, 'driver-mysql', 4, 'the bare driver')
  ),
  ...[16, 128].flatMap((callers) =>
    Object.keys(NAMES).flatMap((workload) => {
      const cell = { ...sqlite, workload, callers }
      const area = 'SQLite, WAL + NORMAL'
      return [
        faster(area, cell, 'bs3', 1, 'better-sqlite3-session-store'),
        limit(area, `${NAMES[workload]} × ${callers}: loop delay p99`, cell, (one) => one.loopDelayP99, 2, 'ms')
      ]
    })
  ),
  ...SETS.map((workload) =>
    faster('SQLite, WAL + FULL', { ...sqlite, durability: 'full', workload }, 'bs3', 10, 'better-sqlite3-session-store')
  ),
  ...['postgres', 'mysql'].flatMap((database) =>
    ['get', 'set-existing', 'touch'].map((workload) => ({
      area: 'One caller',
      text: `${heading({ database })} ${NAMES[workload]}: p50 ≤ 1.25 × the bare driver's`,
      cell: { ...usual, database, workload, callers: 1 },
      other: { peer: DRIVERS[database] },
      value: (cell, other) => cell.p50 / other.p50,
      most: 1.25,
      show: times
    }))
  ),
  limit('One caller', 'SQLite get: p50', { ...sqlite, workload: 'get', callers: 1 }, (cell) => cell.p50, 60, 'µs'),
  ...DATABASES.flatMap((database) =>
    ['get', ...SETS, 'touch'].map((workload) => {
      const cell = database === 'sqlite' ? { ...sqlite, workload } : { ...usual, database, workload }
      const text = `${heading({ database })} ${NAMES[workload]}`
      return limit('CPU of the main thread, 128 callers', text, cell, (one) => one.mainCpu, 8, 'µs/op')
    })
  ),
  ...DATABASES.flatMap((database) =>
    ['read', 'write'].flatMap((request) => {
      const area = `Express, ${heading({ database })}`
      const cell = { ...served, database, request }
      const share = database === 'sqlite' ? 0.9 : 0.75
      return [
        {
          ...faster(area, cell, 'memory', share, 'MemoryStore'),
          other: { peer: 'memory', database: '' }
        },
        faster(area, cell, 'css', 4, 'connect-session-sequelize')
      ]
    })
  ),
  ...DATABASES.flatMap(million),
  {
    area: 'Four processes on one PostgreSQL',
    text: 'mix × 64: in all ≥ 1.5 × one process, no error',
    cell: { ...postgres, workload: 'mix', callers: 64, processes: 4 },
    other: { peer: 'ours', processes: 1 },
    value: rates,
    least: 1.5,
    show: times
  },
  ...DATABASES.flatMap(inMemory)
]

function inPostgres(area) {
  const get = { ...postgres, workload: 'get' }
  const mix = { ...postgres, workload: 'mix', callers: 64 }
  const sets = SETS.map((workload) => ({ ...postgres, workload }))
  return [
    faster(area, get, 'driver-pg', 4, 'the bare driver'),
    faster(area, get, 'redis', 1, 'connect-redis'),
    ...sets.map((set) => faster(area, set, 'driver-pg', 5, 'the bare driver')),
    faster(area, mix, 'driver-pg', 4, 'the bare driver'),
    faster(area, mix, 'redis', 1, 'connect-redis'),
    ...[...sets, mix].map((cell) => faster(area, cell, 'css', 15, 'connect-session-sequelize'))
  ]
}

/** @returns {Goal} */
function limit(area, text, cell, value, most, name) {
  return { area, text: `${text} ≤ ${most} ${name}`, cell, value, most, show: unit(name) }
}

/** @returns {Goal[]} */
function million(database) {
  const area = '1 million sessions'
  const place = database === 'sqlite' ? sqlite : { ...usual, database }
  const pruned = { kind: 'prune', database, expired: 1000000 }
  return [
    ...['get', 'touch'].map((workload) => ({
      area,
      text: `${heading({ database })} ${NAMES[workload]}: at 10 thousand ≤ 1.3 × as fast`,
      cell: { ...place, workload, rows: 1000000 },
      other: { peer: 'ours', rows: 10000 },
      value: (cell, other) => other.rate / cell.rate,
      most: 1.3,
      show: times
    })),
    limit(
      area,
      `${heading({ database })}, pruning 1 million: loop delay max`,
      pruned,
      (cell) => cell.loopDelayMax,
      5,
      'ms'
    ),
    {
      area,
      text: `${heading({ database })}, pruning 1 million: p99 of get ≤ 2 × that without`,
      cell: pruned,
      value: (cell) => cell.p99 / cell.p99Without,
      most: 2,
      show: times
    }
  ]
}

/** @returns {Goal[]} */
function inMemory(database) {
  const cell = { kind: 'memory', database }
  const area = 'Memory'
  const short = ({ planned: { minutes } }) => (minutes < 10 ? `${minutes} min in place of 10` : '')
  const added = ({ read, write }) => Math.max(read.rss - read.bare, write.rss - write.bare) / MB
  return [
    limit(area, `${heading({ database })}: over a bare Express process`, cell, added, 30, 'MB'),
    {
      // A slope that is no larger than its error is none.
      ...limit(
        area,
        `${heading({ database })}: slope less its error`,
        cell,
        ({ growth }) => (growth.slope - growth.error) / MB,
        0.1,
        'MB/min'
      ),
      show: (value) => `${value.toFixed(2)} MB/min`,
      doubt: short
    }
  ]
}

/** Each goal with what was measured and how it came out. */
function goals({ cells, settings }) {
  const find = (wanted) =>
    cells.find((cell) => Object.entries(wanted).every(([name, value]) => cell[name] === value)) ?? {
      error: 'not measured'
    }
  return GOALS.map(({ area, text, cell: wanted, other: changes, value, least, most, show, doubt }) => {
    const cell = find({ peer: 'ours', ...wanted })
    const other = changes && find({ ...wanted, ...changes })
    const both = other ? [cell, other] : [cell]
    const broken = both.find((one) => one.error)
    if (broken) {
      const missing = broken.error.startsWith('not ')
      return { area, text, measured: '', outcome: missing ? 'not measured' : `failed: ${broken.error.split('\n')[0]}` }
    }
    const found = value(cell, other)
    const measured = show(found)
    const doubts = both.map((one) => doubt?.(one) || doubtful(one, settings.spread)).filter(Boolean)
    if (doubts.length > 0) return { area, text, measured, outcome: `no conclusion: ${doubts.join('; ')}` }
    const reached = least === undefined ? found <= (most ?? Infinity) : found >= least
    return { area, text, measured, outcome: reached ? 'reached' : 'not reached' }
  })
}

function doubtful(cell, spread) {
  if (cell.errors > 0 || cell.failures > 0) return `errors of ${cell.name}`
  if (cell.spread > spread) return `spread ${cell.spread.toFixed(2)} of ${cell.name}`
  // Memory and pruning are compared within one trial.
  if (['memory', 'prune'].includes(cell.kind) || settled(cell, spread)) return ''
  return `one round of ${cell.name}`
}

function goalsText(found) {
  const number = (word) => found.filter(({ outcome }) => outcome.startsWith(word)).length
  const counts = ['reached', 'not reached', 'no conclusion', 'failed', 'not measured'].map(
    (word) => `${number(word)} ${word}`
  )
  return [
    '## Goals',
    '',
    `${found.length} goals: ${counts.join(', ')}.`,
    '',
    ...table(
      ['>Area', '>Goal', 'Measured', '>Outcome'],
      found.map(({ area, text, measured, outcome }) => [
        area,
        text.replaceAll('|', '\\|'),
        measured,
        outcome === 'not reached' ? '**not reached**' : outcome
      ])
    ),
    ''
  ]
}

module.exports = { goals, goalsText }
