'use strict'

/** Names, below Jest's own summary, what was not tested for want of a program. With CI=true that fails the run. */
class Skipped {
  #names = []

  onRunComplete() {
    // Not before the servers have been looked for.
    const servers = require('./servers').map(({ own }) => own)
    const needs = Object.values(require('./servers/needs')).filter((need) => typeof need === 'object')
    const all = [...require('./databases'), ...servers, ...needs]
    this.#names = all.filter(({ enabled }) => !enabled).map(({ name, skipped }) => `${name} (${skipped})`)
    // Jest prints its summary after every reporter.
    process.once('exit', () => {
      for (const name of this.#names) console.error(`Not tested: ${name}`)
    })
  }

  getLastError() {
    if (this.#names.length === 0 || process.env.CI !== 'true') return
    return new Error(`not tested: ${this.#names.join(', ')}`)
  }
}

module.exports = Skipped
