'use strict'

// Requests to Express 5 with express-session, from another process.

const { count, digits, failure, flag, grouped, heading, ratio, table } = require('../lib/report')
const { serve } = require('../lib/serve')
const { summarize } = require('../lib/summary')

const dimensions = ['database', 'durability', 'size', 'request', 'connections']

function usable(peer) {
  return peer.alias !== 'nothing'
}

/** What keeps its sessions elsewhere is measured once, and not for each database. */
function own(peer) {
  return peer.service ? { database: '', durability: '' } : {}
}

async function* measure(cells, _round, { databases, settings }) {
  for (const cell of cells) {
    const load = { ...cell, path: `/${cell.request}`, pool: settings.pool }
    const trial = await serve(cell, load, databases).catch((error) => ({ error: error.message }))
    yield [cell, { ...trial, samples: undefined }]
  }
}

function report(cells, settings) {
  const title = ({ request, connections }) => `Express: requests that ${request}, ${connections} connections`
  return grouped(cells, title).flatMap(([name, group]) => [`## ${name}`, '', ...rows(group, settings), ''])
}

function rows(cells, settings) {
  const head = [
    '>Database',
    '>Store',
    'Requests/s',
    'of MemoryStore’s',
    'p50 ms',
    'p99 ms',
    'CPU µs/request, main thread',
    'CPU µs/request, process',
    'Loop delay p99 / max ms',
    'RSS MB',
    'Errors',
    'Spread'
  ]
  const memory = cells.find((cell) => cell.peer === 'memory')
  return table(
    head,
    cells.map((cell) => {
      const database = cell.database && heading(cell)
      if (cell.error) return [database, cell.name, failure(cell)]
      const share = memory && ratio(cell, memory, settings.spread)
      return [
        database,
        cell.name,
        count(cell.rate),
        share ? `${Math.round(share * 100)} %` : share === null ? 'no conclusion' : '',
        digits(cell.p50),
        digits(cell.p99),
        digits(cell.mainCpu),
        digits(cell.processCpu),
        `${digits(cell.loopDelayP99)} / ${digits(cell.loopDelayMax)}`,
        count(cell.rss / 2 ** 20),
        flag(cell),
        cell.spread.toFixed(2) + (cell.spread > settings.spread ? ' †' : '')
      ]
    })
  )
}

module.exports = { dimensions, usable, own, measure, summarize, report }
