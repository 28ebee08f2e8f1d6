'use strict'

const { Store } = require('express-session')

/** The part of a store that a driver does not have: `createSession` of express-session. */
class DriverStore extends Store {}

/** When a session expires, as every store reads it from its cookie. */
function expiry(session) {
  return session.cookie.expires ?? new Date(Date.now() + 86400000)
}

module.exports = { DriverStore, expiry }
