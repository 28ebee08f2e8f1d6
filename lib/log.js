'use strict'

const createDebug = require('debug')

/** Prints for those who set `DEBUG=rust-sequelize-store`. */
const debug = createDebug('rust-sequelize-store')

/**
 * @param {string} verb
 * @param {unknown} sid
 */
function logCall(verb, sid) {
  if (debug.enabled) debug('%s %s', verb, shortSid(sid))
}

/**
 * Enough of a session id to follow it through a log, and too little to use it.
 * @param {unknown} sid
 */
function shortSid(sid) {
  return typeof sid === 'string' ? `${sid.slice(0, 6)}…` : typeof sid
}

module.exports = { debug, logCall, shortSid }
