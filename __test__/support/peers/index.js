'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { asker } = require('../children')

/**
 * Other session stores, which run in a process of their own: see programs/peers.js. `open(name, settings)` gives one of them, as an object
 * with the functions `sync get set touch destroy prune`, which take sessions as `session()` makes them; `reset()` closes them.
 */
function startPeers() {
  const open = []
  let child = null
  let ask
  let last = 0

  function send(request) {
    if (child === null) {
      child = fork(path.join(__dirname, '../programs/peers.js'), { serialization: 'advanced' })
      ask = asker(child)
    }
    return ask(request)
  }

  return {
    async open(name, settings) {
      const peer = ++last
      await send({ open: name, peer, args: [settings] })
      open.push(peer)
      const verbs = ['sync', 'get', 'set', 'touch', 'destroy', 'length', 'prune']
      return Object.fromEntries(verbs.map((verb) => [verb, (...args) => send({ peer, verb, args })]))
    },

    async reset() {
      await Promise.all(open.splice(0).map((peer) => send({ peer, verb: 'end', args: [] })))
    },

    async end() {
      if (child === null) return
      const exited = once(child, 'exit')
      child.disconnect()
      child = null
      await exited
    }
  }
}

module.exports = { startPeers }
