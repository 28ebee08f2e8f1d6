'use strict'

const { EventEmitter } = require('node:events')

const { SessionStoreError } = require('./lib/error.js')
const { optionsError } = require('./lib/options/error.js')
const { storeClass } = require('./lib/store.js')
const { typeName } = require('./lib/values.js')

/** @typedef {import('./lib/store.js').StoreBase} StoreBase */

/**
 * The classes by the Store that they extend.
 * @type {WeakMap<StoreBase, ReturnType<typeof storeClass>>}
 */
const classes = new WeakMap()

/**
 * The store class for a Store: `connect(session.Store)`, or `connect(session)`.
 * @param {unknown} Store
 */
function connect(Store) {
  const inner = /** @type {{ Store?: unknown } | null | undefined} */ (Store)?.Store
  const base = typeof inner === 'function' ? inner : Store
  if (typeof base !== 'function') {
    throw optionsError(
      `expected the \`Store\` class of express-session, got ${typeName(base)}; ` +
        "call it as require('rust-sequelize-store')(session.Store)"
    )
  }
  const key = /** @type {StoreBase} */ (base)
  const cached = classes.get(key)
  if (cached) return cached
  const made = storeClass(key)
  classes.set(key, made)
  return made
}

function defaultStore() {
  try {
    require.resolve('express-session')
  } catch {
    // Koa and Fastify applications do not have express-session, and need only the events of a store.
    return EventEmitter
  }
  return require('express-session').Store
}

module.exports = connect
module.exports.RustSequelizeStore = connect(defaultStore())
module.exports.SessionStoreError = SessionStoreError
