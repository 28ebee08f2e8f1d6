'use strict'

const { DriverStore } = require('../lib/driver-store')

// Stores nothing and parses nothing: its CPU time is that of the benchmark itself, which is in every other figure too.
module.exports = {
  name: 'nothing (the benchmark itself)',
  alias: 'nothing',
  databases: ['sqlite', 'postgres', 'mysql'],
  service: 'memory',
  single: true,
  reference: true,
  versions: () => [],
  open: async () => ({ store: new Store(), close() {} })
}

class Store extends DriverStore {
  constructor() {
    super()
    this.destroyed = new Set()
    this.last = null
  }

  get(sid, callback) {
    setImmediate(callback, null, this.destroyed.has(sid) ? null : this.last)
  }

  set(_sid, session, callback) {
    this.last ??= JSON.parse(JSON.stringify(session))
    setImmediate(callback, null)
  }

  touch(_sid, _session, callback) {
    setImmediate(callback, null)
  }

  destroy(sid, callback) {
    this.destroyed.add(sid)
    setImmediate(callback, null)
  }
}
