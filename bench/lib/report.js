'use strict'

const NAMES = { sqlite: 'SQLite', postgres: 'PostgreSQL', mysql: 'MariaDB' }

/** @param {{ database: string, durability?: string }} cell */
function heading({ database, durability }) {
  return database === 'sqlite' && durability ? `SQLite, WAL, synchronous=${durability.toUpperCase()}` : NAMES[database]
}

/** @returns {[string, any[]][]} in the order in which they come */
function grouped(items, key) {
  const groups = new Map()
  for (const item of items) {
    groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  }
  return [...groups]
}

/**
 * A table in Markdown. Columns are aligned to the right, those whose head begins with > to the left.
 *
 * @param {string[]} head
 * @param {any[][]} rows a short one is filled up
 */
function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [
    line(head.map((text) => text.replace(/^>/, ''))),
    line(head.map((text) => (text.startsWith('>') ? ':--' : '--:'))),
    ...rows.map((row) => line([...row, ...Array(head.length - row.length).fill('')]))
  ]
}

function failure({ error }) {
  return `failed: ${error.split('\n')[0].replaceAll('|', '\\|')}`
}

/** What went wrong in a cell that has figures all the same, empty if nothing did. */
function flag({ errors, rounds, failures }) {
  const parts = [errors > 0 ? count(errors) : '', failures > 0 ? `${failures} of ${rounds + failures} rounds` : '']
  return parts.filter(Boolean).join(', ')
}

function times(cell, base, limit) {
  if (base === cell || base.error) return ''
  return ratio(base, cell, limit)?.toFixed(2) ?? 'no conclusion'
}

/** How many times faster `one` is than `other`, or null if the rounds do not allow to say. */
function ratio(one, other, limit) {
  return settled(one, limit) && settled(other, limit) ? one.rate / other.rate : null
}

/** Whether something can be concluded from a cell. */
function settled(cell, limit) {
  return !cell.error && cell.rounds > 1 && cell.failures === 0 && cell.errors === 0 && cell.spread <= limit
}

function count(value) {
  return Math.round(value).toLocaleString('en-US')
}

function bytes(value) {
  return value >= 1000 ? `${value / 1000} KB` : `${value} bytes`
}

function digits(value) {
  if (value === null || value === undefined) return ''
  if (value >= 100) return count(value)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

module.exports = { heading, grouped, table, failure, flag, times, ratio, settled, count, bytes, digits }
