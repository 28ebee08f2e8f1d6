'use strict'

const { RustSequelizeStore } = require('../..')
const { endCallers, lostWrites, startCallers } = require('../support/callers')
const { startHaproxy } = require('../support/servers/haproxy')
const { startHealth } = require('../support/servers/health')
const { until } = require('../support/time')

// What the tests of failover share.

/** Things that are ended after a test, the last first. `add(starting)` resolves with what has been started. */
function endings() {
  const ends = []

  async function add(starting) {
    const thing = await starting
    ends.push(() => thing.end())
    return thing
  }

  function open(db, options) {
    const store = new RustSequelizeStore({ db, checkExpirationInterval: 0, ...options })
    ends.push(() => store.close())
    return store
  }

  async function end() {
    await endCallers()
    for (const each of ends.splice(0).reverse()) await each()
  }

  return { add, open, end }
}

/** HAProxy in front of servers, which goes by what `isReady(server)` resolves with. The servers after the first may be backups. */
async function balance({ add }, servers, isReady, { backups = false } = {}) {
  const healths = await Promise.all(servers.map((server) => add(startHealth(() => isReady(server)))))
  const haproxy = await add(
    startHaproxy(servers.map(({ port }, i) => ({ port, health: healths[i].port, backup: backups && i > 0 })))
  )
  // It takes all servers for ready until it has asked twice.
  await until(() => healths.every(({ answered }) => answered() > 2))
  return haproxy
}

/** A URL that leads to another port. */
function onPort(url, port) {
  const changed = new URL(url)
  changed.port = port
  return changed.href
}

/**
 * What becomes of the calls to a store while something is done to its servers, and for some time afterwards. No acknowledged write may
 * be missing in `direct()`, a store that asks the servers themselves. Prints the figures, for docs/high-availability.md.
 */
async function callsDuring(what, store, act, direct) {
  const callers = startCallers(store)
  await callers.more(500)
  callers.measure()
  await act()
  await callers.more(1000)
  const { writes, reads, errors, wrong, pause } = await callers.end()
  const kinds = [...new Set(errors)].slice(0, 3).map((message) => `\n  ${message}`)
  process.stdout.write(
    `${what}: ${writes} writes acknowledged, ${reads} reads, ${wrong.length} of them wrong, ` +
      `${errors.length} errors, pause ${(pause / 1000).toFixed(1)} s${kinds.join('')}\n`
  )
  expect(await lostWrites(direct(), callers)).toEqual([])
  expect(wrong).toEqual([])
  return callers
}

module.exports = { balance, callsDuring, endings, onPort }
