'use strict'

const { Sequelize } = require('sequelize')
// No public method tells where a store connects to.
const { describeConnection } = require('../../lib/sequelize/connection')
const opened = require('../support/opened')
const { startPeers } = require('../support/peers')
const { instance } = require('../support/programs/sequelize-7')
const { onDatabases } = require('../support/suites')
const variants = require('../support/variants')

// What the tests of option `db` as a Sequelize instance share. Stores and instances are closed after each test. What both packages do
// with one table is in parity.test.js.

const { closeAll, keep, open, refusal } = opened(() => peers.reset())
const peers = startPeers()

const sequelize = (...args) => keep(new Sequelize(...args))

/** The URL that a store makes of an instance. */
const urlOf = (instance) => describeConnection(instance).url

/** An instance of Sequelize 7. */
const sequelize7 = (...args) => keep(instance(...args))

/** The Sequelize instance of an application, and what it gives to the store: see support/variants.js. */
function application(...args) {
  const made = variants.application(...args)
  keep(made.sequelize)
  return made
}

afterEach(closeAll)
afterAll(() => peers.end())

/** Registers tests for each database that an application can reach as well, or for those of some dialects. */
const onEachDatabase = (register, dialects = ['sqlite', 'postgres', 'mysql']) =>
  onDatabases(({ name, dialect }) => name !== 'SQLite memory' && dialects.includes(dialect), register, closeAll)

/** Registers tests for each server. */
const onEachServer = (register) => onEachDatabase(register, ['postgres', 'mysql'])

/** The dialect of Sequelize 7 for a database. */
const dialect7 = ({ dialect }) => (dialect === 'mysql' ? 'mariadb' : dialect)

/** A place for Sequelize 7, which takes no parameters of PostgreSQL's in a URL. */
function settings7(place, database) {
  const { dialect } = database
  if (dialect === 'sqlite') return { storage: database.file(place) }
  const { hostname: host, port, username: user, password, pathname } = new URL(place.db)
  return {
    host,
    port: Number(port),
    user,
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    ...(dialect === 'postgres' ? { schema: database.schemaOf(place) } : { timezone: '+02:00' })
  }
}

module.exports = {
  application,
  dialect7,
  onEachDatabase,
  onEachServer,
  open,
  peers,
  refusal,
  sequelize,
  sequelize7,
  settings7,
  urlOf
}
