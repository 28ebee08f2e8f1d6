'use strict'

const { Store } = require('express-session')

/** A session as express-session gives it to a store, of the data of one. */
const expressSession = (sid, data) =>
  new Store().createSession({ sessionID: sid }, { ...data, cookie: { ...data.cookie } })

module.exports = { expressSession }
