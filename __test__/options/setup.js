'use strict'

const { inspect } = require('node:util')
const { RustSequelizeStore } = require('../..')

// What the tests of the options share. Stores are closed after each test.

const db = 'sqlite::memory:'
// Nothing is opened before it is needed, so there need not be a server.
const server = 'postgres://localhost/sessions'
const stores = []

function create(...args) {
  const store = new RustSequelizeStore(...args)
  stores.push(store)
  return store
}

/** The error with which the constructor refuses its arguments. */
function refusal(...args) {
  try {
    create(...args)
  } catch (error) {
    return error
  }
  throw new Error(`accepted ${inspect(args)}`)
}

const closeAll = () => Promise.all(stores.splice(0).map((store) => store.close()))
afterEach(closeAll)

module.exports = { closeAll, create, db, refusal, server }
