'use strict'

const databases = require('./databases')
const servers = require('./servers')
const needs = require('./servers/needs')

/** A suite that is there, and skipped, where what it needs is not. */
function suite(name, { enabled, skipped }, register) {
  if (enabled) describe(name, register)
  else describe.skip(`${name} (${skipped})`, () => test('is not tested', () => {}))
}

/**
 * Registers tests for each of the databases under test that `matches`. `close` closes what a test has opened besides its stores, before
 * the tables are removed.
 */
function onDatabases(matches, register, close = async () => {}, all = databases) {
  for (const database of all.filter(matches)) {
    suite(database.name, database, () => {
      afterEach(async () => {
        await close()
        await database.reset()
      })
      afterAll(() => database.end())
      register(database)
    })
  }
}

/** Registers tests that start and stop a server of their own, for each server of a dialect. */
function onOwnServers(dialect, register) {
  for (const server of servers.filter((each) => each.dialect === dialect)) {
    suite(`${server.name}, a server of its own,`, server.own, () => register(server))
  }
}

/** Registers tests for what not every machine has: see servers/needs.js. */
const needing = (need, register) => suite(needs[need].name, needs[need], register)

module.exports = { needing, onDatabases, onOwnServers }
