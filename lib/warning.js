'use strict'

/**
 * The warnings that were emitted.
 * @type {Set<string>}
 */
const emitted = new Set()

/**
 * Emits a warning, once in the life of the process.
 * @param {'SESSION_ENGINE' | 'SESSION_UNKNOWN_FIELD' | 'SESSION_UNKNOWN_OPTION'} code
 * @param {string} message
 */
function warnOnce(code, message) {
  if (emitted.has(message)) return
  emitted.add(message)
  process.emitWarning(message, { code })
}

module.exports = { warnOnce }
