'use strict'

const { inspect } = require('node:util')
const { RustSequelizeStore } = require('../..')

/**
 * Stores that the tests of a file open, and what else has to be closed: all are closed by `closeAll`. `between` runs when the stores are
 * closed, and the rest is not.
 */
module.exports = (between = async () => {}) => {
  const stores = []
  const others = []

  function open(...args) {
    const store = new RustSequelizeStore(...args)
    stores.push(store)
    return store
  }

  /** Closes something else after the stores, such as a Sequelize instance. */
  function keep(other) {
    others.push(other)
    return other
  }

  /** The error with which the constructor refuses its arguments. */
  function refusal(...args) {
    try {
      open(...args)
    } catch (error) {
      return error
    }
    throw new Error(`accepted ${inspect(args)}`)
  }

  async function closeAll() {
    await Promise.all(stores.splice(0).map((store) => store.close()))
    await between()
    await Promise.all(others.splice(0).map((other) => other.close()))
  }

  return { closeAll, keep, open, refusal }
}
