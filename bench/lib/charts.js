'use strict'

// Which charts are drawn of a result.

const { peers } = require('../peers')
const { barChart } = require('./chart')
const { bytes, count, digits, grouped, heading } = require('./report')

const TITLES = {
  get: 'get',
  'set-new': 'set, a new session',
  'set-existing': 'set, a session that exists',
  touch: 'touch',
  mix: 'mix: get, then touch (4 of 5) or set (1 of 5)',
  read: 'Reading the session',
  write: 'Changing the session'
}

/** @returns {{ name: string, svg: string }[]} */
function charts(/** @type {any} */ result) {
  const cells = result.cells.filter((cell) => cell.error !== 'not run')
  const stores = cells.filter(({ kind, processes, peer }) => kind === 'store' && processes === 1 && peer !== 'nothing')
  return [
    ...places(stores.filter((cell) => cell.callers === 128)).map((place) => operations(place, result)),
    ...places(stores.filter((cell) => cell.callers === 1)).map((place) => latency(place, result)),
    ...requests(
      cells.filter((cell) => cell.kind === 'express'),
      result
    )
  ].filter(Boolean)
}

/** What one chart shows: a database with the same durability, number and size of sessions. Panels of one bar show nothing. */
function places(cells) {
  const id = ({ database, durability, rows, size }) => [database, durability, rows, size].join(' ')
  return grouped(cells, id)
    .map(([, group]) => grouped(group, (cell) => cell.workload).filter(([, bars]) => bars.length > 1))
    .filter((panels) => panels.length > 0)
}

function operations(panels, result) {
  const [cell] = panels[0][1]
  return {
    name: fileName(cell, 'operations', result),
    svg: draw({
      title: `${heading(cell)}: operations per second, 128 callers`,
      unit: `Operations/s, more is better. ${sessions(cell)}. Each panel has its own scale, from 0.`,
      panels,
      value: (one) => one.rate,
      label: (one) => count(one.rate),
      result
    })
  }
}

function latency(panels, result) {
  const [cell] = panels[0][1]
  return {
    name: fileName(cell, 'latency', result),
    svg: draw({
      title: `${heading(cell)}: time of an operation, one caller`,
      unit: `Microseconds, less is better: median (99th percentile). ${sessions(cell)}. Each panel has its own scale, from 0.`,
      panels,
      value: (one) => one.p50,
      label: (one) => `${digits(one.p50)} (${digits(one.p99)})`,
      result
    })
  }
}

/** Express, by database. What has no database, such as MemoryStore, is in the chart of each. */
function requests(cells, result) {
  const databases = [...new Set(cells.map((cell) => cell.database).filter(Boolean))]
  return databases.map((database) => {
    const own = cells.filter((cell) => cell.database === database || cell.database === '')
    const [cell] = own.filter((one) => one.database === database)
    const panels = grouped(own, ({ request }) => request).filter(([, bars]) => bars.length > 1)
    if (panels.length === 0) return null
    return {
      name: fileName({ ...cell, rows: 0 }, 'express', result),
      svg: draw({
        title: `${heading(cell)}: requests to Express per second, ${cell.connections} connections`,
        unit: `Requests/s, more is better. Sessions of ${bytes(cell.size)}. Each panel has its own scale, from 0.`,
        panels,
        value: (one) => one.rate,
        label: (one) => count(one.rate),
        result
      })
    }
  })
}

function draw({ title, unit, panels, value, label, result }) {
  const { environment, settings } = result
  const shown = panels.map(([name, cells]) => ({
    title: TITLES[name],
    bars: inOrder(cells).map((cell) => {
      const doubt = cell.spread > settings.spread ? ' †' : cell.errors > 0 || cell.failures > 0 ? ' ‡' : ''
      return {
        name: cell.name,
        value: cell.error ? null : value(cell),
        label: cell.error ? 'failed' : label(cell) + doubt,
        tone: tone(cell)
      }
    })
  }))
  const bars = shown.flatMap((panel) => panel.bars)
  const marked = (sign) => bars.some((bar) => bar.label.endsWith(sign))
  const { rounds, seconds } = panels[0][1][0].planned
  const notes = [
    bars.some((bar) => bar.tone === 'reference') ? 'Faint: no store on an SQL database, for comparison.' : '',
    marked('†') ? `† The rounds differ by more than ${settings.spread} times: no conclusion.` : '',
    marked('‡') ? '‡ There were errors: no conclusion.' : '',
    `${environment.date.slice(0, 10)}, ${environment.cpu}, ${environment.cores} cores, Node.js ${environment.node}. Median of ${rounds} rounds of ${seconds} s.`
  ]
  return barChart({ title, unit, panels: shown, notes: notes.filter(Boolean) })
}

/** Ours, then other stores, then what is no such store; within these, in the order of peers/index.js. */
function inOrder(cells) {
  const rank = { ours: 0, store: 1, reference: 2 }
  const place = ({ name }) => peers.findIndex((peer) => peer.name === name)
  return [...cells].sort((a, b) => rank[tone(a)] - rank[tone(b)] || place(a) - place(b))
}

function tone({ peer, reference }) {
  if (peer.startsWith('ours')) return 'ours'
  return reference ? 'reference' : 'store'
}

function sessions({ rows, size }) {
  return `${count(rows)} sessions of ${bytes(size)}`
}

/** What all charts of a result have in common is left out of the names. */
function fileName(cell, what, { cells }) {
  const several = (name) => new Set(cells.filter(({ kind }) => kind === cell.kind).map((one) => one[name])).size > 1
  return [
    cell.database,
    cell.durability === 'full' ? 'full' : '',
    cell.rows && several('rows') && cell.rows !== 10000 ? `${cell.rows}-sessions` : '',
    several('size') && cell.size !== 600 ? `${cell.size}-bytes` : '',
    what
  ]
    .filter(Boolean)
    .join('-')
}

module.exports = { charts }
