'use strict'

const fs = require('node:fs')
const { goalsText } = require('../goals')
const { kinds } = require('../kinds')
const { describe } = require('./environment')
const { grouped } = require('./report')

/** A result as Markdown. */
function resultText(/** @type {any} */ result) {
  const { environment, settings, databases, versions, cells } = result
  const lines = [
    `# Benchmark ${result.name}`,
    '',
    `${describe(environment)}.`,
    '',
    `\`${result.command}\``,
    '',
    ...Object.values(databases).map((one) => `- ${settingsText(one)}`),
    `- ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    `- ${settings.pool ? `${settings.pool} connections` : "Each store's own number of connections"}`,
    ...Object.entries(kinds).flatMap(([name]) => plannedText(name, cells)),
    ''
  ]
  if (result.goals.length > 0) lines.push(...goalsText(result.goals))
  lines.push(...notes(result))
  for (const [name, kind] of Object.entries(kinds)) {
    const own = cells.filter((cell) => cell.kind === name)
    if (own.length > 0) lines.push(...kind.report(own, settings))
  }
  return `${lines.join('\n').trimEnd()}\n`
}

function settingsText({ database, ...settings }) {
  const text = Object.entries(settings).map(([key, value]) => `${key} ${value}`)
  return text.length > 0 ? `${database} (${text.join(', ')})` : database
}

/** How long and how often cells of a kind are measured, and what is the same in all of them. */
function plannedText(kind, cells) {
  const own = cells.filter((cell) => cell.kind === kind)
  if (own.length === 0) return []
  const times = grouped(own, ({ planned }) => JSON.stringify(planned)).map(([, [{ planned }]]) => {
    const { rounds, seconds, warmup } = planned
    return `${rounds} round${rounds > 1 ? 's' : ''} of ${seconds} s after ${warmup} s of warm-up`
  })
  const fixed = ['rows', 'size', 'processes'].flatMap((name) => {
    const values = [...new Set(own.map((cell) => cell[name]).filter((value) => value !== undefined))]
    return values.length === 1 ? [`${name} ${values[0]}`] : []
  })
  return [`- ${kind}: ${[...times, ...fixed].join(', ')}`]
}

function notes({ cells, settings, changed }) {
  const lines = []
  if (changed) lines.push('A package was built anew or replaced during the run: its figures are of no use.', '')
  const wide = cells.filter((cell) => cell.spread > settings.spread)
  if (wide.length > 0) {
    lines.push(
      `† In ${wide.length} of ${cells.length} cells the fastest round is more than ${settings.spread} times the slowest. No conclusion is drawn from them.`,
      ''
    )
  }
  if (cells.some((cell) => cell.rounds === 1 && !['prune', 'memory'].includes(cell.kind))) {
    lines.push('No conclusion is drawn from cells that have one round only.', '')
  }
  const flawed = cells.filter((cell) => !cell.error && (cell.errors > 0 || cell.failures > 0))
  if (flawed.length > 0) {
    lines.push(
      `‡ In ${flawed.length} of ${cells.length} cells there were errors. No conclusion is drawn from them:`,
      ''
    )
    for (const { kind, database, workload, request, callers, name, firstError } of flawed) {
      const where = [kind, database, workload ?? request, callers].filter(Boolean).join(' ')
      lines.push(`- ${where}, ${name}: ${String(firstError).split('\n')[0]}`)
    }
    lines.push('')
  }
  const busy = cells.filter((cell) => cell.database === 'sqlite' && !cell.service && cell.otherCores > 0.1)
  if (busy.length > 0) {
    const most = Math.max(...busy.map((cell) => cell.otherCores))
    lines.push(
      `Other programs used the machine during ${busy.length} of ${cells.length} cells, up to ${most.toFixed(2)} cores.`,
      ''
    )
  }
  return lines
}

module.exports = { resultText }

// node bench/lib/result.js result.json prints the tables of a result again.
if (require.main === module) {
  for (const file of process.argv.slice(2)) {
    process.stdout.write(resultText(JSON.parse(fs.readFileSync(file, 'utf8'))))
  }
}
