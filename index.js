'use strict'

const { EventEmitter } = require('node:events')

const { SessionStoreError } = require('./lib/error.js')
const { storeClass } = require('./lib/store.js')

/** @type {WeakMap<object, any>} */
const classes = new WeakMap()

/**
 * The store class for a Store: `connect(session.Store)`, or `connect(session)`.
 * @param {any} Store
 */
function connect(Store) {
  const base = typeof Store?.Store === 'function' ? Store.Store : Store
  if (typeof base !== 'function') {
    throw new SessionStoreError(
      'ERR_SESSION_OPTIONS',
      "expected the Store of express-session: require('rust-sequelize-store')(session.Store)"
    )
  }
  let known = classes.get(base)
  if (!known) {
    known = storeClass(base)
    classes.set(base, known)
  }
  return known
}

function defaultStore() {
  try {
    require.resolve('express-session')
  } catch {
    // Koa and Fastify applications have no express-session, and need no more of a store than its events.
    return EventEmitter
  }
  return require('express-session').Store
}

module.exports = connect
module.exports.RustSequelizeStore = connect(defaultStore())
module.exports.SessionStoreError = SessionStoreError
