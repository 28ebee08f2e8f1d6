'use strict'

/** Names, below Jest's own summary, the databases that were not tested. With CI=true such a database fails the run. */
class SkippedDatabases {
  #names = []

  onRunComplete() {
    // Not before the servers have been looked for.
    const databases = require('./databases')
    this.#names = databases.filter(({ enabled }) => !enabled).map(({ name, skipped }) => `${name} (${skipped})`)
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

module.exports = SkippedDatabases
