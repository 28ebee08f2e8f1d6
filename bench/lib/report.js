'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { describe } = require('./environment')
const { bench } = require('./options')
const { ratio } = require('./summary')

/** @param {any} result of run.js */
function report(result) {
  const { environment, settings, databases, versions } = result
  const lines = [
    `# Benchmark ${result.name}`,
    '',
    `${describe(environment)}.`,
    '',
    `Sessions of ${settings.size} bytes, ${settings.rows} in the table, ${settings.rounds} rounds of ${settings.seconds} s after ${settings.warmup} s of warm-up, ${settings.processes} process${settings.processes > 1 ? 'es' : ''} at a time, ${settings.pool ? `${settings.pool} connections` : "each store's own number of connections"}.`,
    '',
    ...Object.values(databases).map((one) => `- ${settingsText(one)}`),
    `- ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    ''
  ]
  for (const [heading, cells] of groupBy(result.cells, title)) {
    lines.push(...section(heading, cells, settings))
  }
  lines.push(...notes(result))
  return `${lines.join('\n').trimEnd()}\n`
}

function groupBy(items, key) {
  const groups = new Map()
  for (const item of items) {
    groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  }
  return groups
}

function title({ database, durability, workload }) {
  const names = { sqlite: 'SQLite', postgres: 'PostgreSQL', mysql: 'MariaDB' }
  const how = database === 'sqlite' ? `, WAL, synchronous=${durability.toUpperCase()}` : ''
  return `${names[database]}${how}: ${workload}`
}

function settingsText({ database, ...settings }) {
  const text = Object.entries(settings).map(([key, value]) => `${key} ${value}`)
  return text.length > 0 ? `${database} (${text.join(', ')})` : database
}

function section(heading, cells, settings) {
  const lines = [
    `## ${heading}`,
    '',
    `| Callers | Store | Operations/s | ${settings.base} is … times as fast | p50 µs | p99 µs | CPU µs/op, main thread | CPU µs/op, process | Loop delay p99 / max ms | RSS MB | Spread |`,
    '| --: | :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: |'
  ]
  for (const cell of cells) {
    if (cell.error) {
      const reason = cell.error.split('\n')[0].replaceAll('|', '\\|')
      lines.push(`| ${cell.callers} | ${cell.name} | failed: ${reason} | | | | | | | | |`)
      continue
    }
    const base = cells.find((one) => one.peer === settings.base && one.callers === cell.callers)
    lines.push(
      `| ${[
        cell.callers,
        cell.name,
        count(cell.rate),
        times(cell, base, settings.spread),
        digits(cell.p50),
        digits(cell.p99),
        digits(cell.mainCpu),
        digits(cell.processCpu),
        `${digits(cell.loopDelayP99)} / ${digits(cell.loopDelayMax)}`,
        count(cell.rss / 2 ** 20),
        cell.spread.toFixed(2) + (cell.spread > settings.spread ? ' †' : '')
      ].join(' | ')} |`
    )
  }
  return [...lines, '']
}

function times(cell, base, limit) {
  if (!base || base === cell) return ''
  return ratio(base, cell, limit)?.toFixed(2) ?? 'no conclusion'
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
  if (settings.rounds < 2) {
    lines.push('One round only: no conclusion is drawn.', '')
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

function count(value) {
  return Math.round(value).toLocaleString('en-US')
}

function digits(value) {
  if (value === null || value === undefined) return ''
  if (value >= 100) return count(value)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** Writes a result as JSON and its table as Markdown, and shows the table. */
function saveResult(name, result, table) {
  const file = path.join(bench, 'results', name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(`${file}.json`, `${JSON.stringify(result, null, 2)}\n`)
  fs.writeFileSync(`${file}.md`, table)
  const shown = path.relative(process.cwd(), file)
  process.stdout.write(`${table}\nWritten to ${shown}.{json,md}\n`)
}

module.exports = { report, count, digits, saveResult }

// node bench/lib/report.js result.json prints the table of a result again.
if (require.main === module) {
  for (const file of process.argv.slice(2)) {
    process.stdout.write(report(JSON.parse(fs.readFileSync(file, 'utf8'))))
  }
}
