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
        'To build one, install Rust, run `npm run build` and `npm pack` in the source repository, ' +
        'and install the resulting tarball.',
      cause
    )
  }
}

module.exports = load()
