'use strict'

const { key } = require('./plan')

/** One line that is overwritten on a terminal; elsewhere, a line for each trial. */
class Progress {
  constructor(/** @type {import('./plan').Cell[]} */ plan) {
    this.total = plan.reduce((sum, cell) => sum + cell.rounds, 0)
    this.planned = plan.reduce((sum, cell) => sum + cell.rounds * duration(cell), 0)
    this.done = 0
    this.spent = 0
    this.begin = Date.now()
  }

  /** What came before, such as filling tables, says nothing about the time that trials take. */
  start() {
    this.begin = Date.now()
  }

  line(/** @type {string} */ text) {
    const terminal = process.stderr.isTTY
    process.stderr.write(terminal ? `\r\x1b[2K${text}` : `${text}\n`)
  }

  trial(cell, round, trial) {
    this.done++
    this.spent += duration(cell)
    const pace = (Date.now() - this.begin) / 60000 / this.spent
    const left = Math.ceil(pace * (this.planned - this.spent))
    const where = Object.entries(key(cell))
      .filter(([name, value]) => name !== 'kind' && name !== 'peer' && value !== '')
      .map(([, value]) => value)
    const outcome = trial.error ? `failed: ${trial.error}` : `${Math.round(trial.rate).toLocaleString('en-US')}/s`
    this.line(
      `[${this.done}/${this.total}, ${left} min left] round ${round}, ${cell.kind} ${where.join(' ')}, ${cell.peer}: ${outcome}`
    )
  }

  end() {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K')
  }
}

/** About how many seconds a trial takes, with the start of its processes. */
function duration({ kind, seconds, warmup, minutes, expired }) {
  // All cells of memory are measured at once; there are three of them at most, as a rule.
  if (kind === 'memory') return minutes * 20
  if (kind === 'prune') return 3 * seconds + warmup + expired / 10000
  return seconds + warmup + (kind === 'express' ? 1.5 : 0.6)
}

module.exports = { Progress }
