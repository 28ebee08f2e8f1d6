'use strict'

const { SessionStoreError } = require('../error.js')

/**
 * The error for an option, or for a setting of a Sequelize instance, that the store cannot work with.
 * @param {string} message
 * @param {unknown} [cause]
 */
function optionsError(message, cause) {
  return new SessionStoreError('ERR_SESSION_OPTIONS', message, cause)
}

module.exports = { optionsError }
