'use strict'

/** Names, below Jest's own summary, what was not tested for want of a program. With CI=true that fails the run. */
class Skipped {
  #names = []

  onRunComplete() {
    // Not before the servers have been looked for.
    const { openssl, pgbouncer, strace } = require('./servers/needs')
    const all = [...require('./databases'), ...require('./servers').map(({ own }) => own), openssl, pgbouncer, strace]
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
