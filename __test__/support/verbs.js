'use strict'

const { session } = require('./sessions')

/** Each method that takes a callback, called with or without one. `close` comes last. */
module.exports = {
  get: (store, ...callback) => store.get('ada', ...callback),
  set: (store, ...callback) => store.set('ada', session({ user: 'ada' }), ...callback),
  touch: (store, ...callback) => store.touch('ada', session({ user: 'ada' }), ...callback),
  destroy: (store, ...callback) => store.destroy('ada', ...callback),
  all: (store, ...callback) => store.all(...callback),
  ids: (store, ...callback) => store.ids(...callback),
  length: (store, ...callback) => store.length(...callback),
  clear: (store, ...callback) => store.clear(...callback),
  sync: (store, ...callback) => store.sync(...callback),
  clearExpiredSessions: (store, ...callback) => store.clearExpiredSessions(...callback),
  close: (store, ...callback) => store.close(...callback)
}
