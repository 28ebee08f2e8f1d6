'use strict'

const opened = require('../support/opened')

// What the tests of the options share. Stores are closed after each test.

const db = 'sqlite::memory:'
// Nothing is opened before it is needed, so there need not be a server.
const server = 'postgres://localhost/sessions'
const { closeAll, open: create, refusal } = opened()
afterEach(closeAll)

module.exports = { closeAll, create, db, refusal, server }
