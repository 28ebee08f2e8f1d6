'use strict'

const { TITLES } = require('./databases')
const { findPeer } = require('./peers')
const { suites } = require('./suites')

/** One line that is overwritten on a terminal; elsewhere one line for each trial. */
class Progress {
  constructor(/** @type {any[]} */ cells, /** @type {any[]} */ trials) {
    this.total = cells.reduce((sum, cell) => sum + cell.rounds, 0)
    this.done = trials.length
    this.left = cells.reduce((sum, cell) => sum + cell.rounds * duration(cell), 0)
    for (const trial of trials) this.left -= duration(trial)
  }

  trial(cell, round, { rate, error }) {
    this.done++
    this.left -= duration(cell)
    const minutes = Math.max(0, Math.ceil(this.left / 60))
    const where = `${TITLES[cell.database]}, ${cell.suite}: ${cell.workload} × ${cell.callers}`
    const outcome = error ? `failed: ${error.split('\n')[0]}` : `${Math.round(rate).toLocaleString('en-US')}/s`
    this.say(
      `[${this.done}/${this.total}, ${minutes} min left] round ${round}, ${where}, ${findPeer(cell.peer).name}: ${outcome}`
    )
  }

  say(/** @type {string} */ text) {
    const { isTTY, columns } = process.stderr
    process.stderr.write(isTTY ? `\r\x1b[2K${text.slice(0, columns - 1)}` : `${text}\n`)
  }

  end() {
    if (process.stderr.isTTY) this.say('')
  }
}

/** Seconds that a trial takes, about. */
function duration({ suite, seconds, warmup }) {
  return seconds + warmup + suites[suite].overhead
}

module.exports = { Progress }
