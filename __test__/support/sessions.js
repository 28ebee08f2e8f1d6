'use strict'

const { Store } = require('express-session')
const { DAY } = require('./time')

/** A session as express-session gives it to `set`, but a plain object. It expires `maxAge` milliseconds from now. */
function session(data = {}, maxAge = DAY) {
  return {
    cookie: {
      originalMaxAge: maxAge,
      expires: new Date(Date.now() + maxAge),
      httpOnly: true,
      path: '/'
    },
    ...data
  }
}

/** A session whose cookie ends with the browser. */
function browserSession(data = {}) {
  return {
    cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' },
    ...data
  }
}

/** A session after it was written to a row and read back. */
const stored = (value) => JSON.parse(JSON.stringify(value))

/** A session as express-session makes it of what `get` found. */
function loaded(store, sid, data) {
  return store.createSession({ sessionID: sid }, stored(data))
}

/** A session of this data, as express-session gives it to a store. */
const expressSession = (sid, data) =>
  new Store().createSession({ sessionID: sid }, { ...data, cookie: { ...data.cookie } })

module.exports = { browserSession, expressSession, loaded, session, stored }
