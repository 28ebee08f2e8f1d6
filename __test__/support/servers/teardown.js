'use strict'

module.exports = () => Promise.all(globalThis.cleanups.map((cleanup) => cleanup()))
