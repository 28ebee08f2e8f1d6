'use strict'

const { SessionStoreError } = require('./error.js')

/** @returns {typeof import('./binding.js')} */
function load() {
  try {
    return require('./binding.js')
  } catch (cause) {
    const platform = `${process.platform}-${process.arch}`
    throw new SessionStoreError(
      'ERR_SESSION_INTERNAL',
      `rust-sequelize-store has no addon for this platform (${platform}, Node ${process.versions.node}). ` +
        'Build it from the source repository with Rust installed: `npm run build`, then `npm pack`, ' +
        'and install the tarball that this makes.',
      cause
    )
  }
}

module.exports = load()
