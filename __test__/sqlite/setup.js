'use strict'

const databases = require('../support/databases')

// What the tests of an SQLite file share. What each of them opens and makes is gone after it.

const database = databases.find(({ name }) => name === 'SQLite file')
const { file, open, place, query } = database

afterEach(() => database.reset())
afterAll(() => database.end())

/** The DDL of Sequelize 6.37.8 for the model of connect-session-sequelize, as SQLite keeps it. */
const DDL =
  'CREATE TABLE `Sessions` (`sid` VARCHAR(36) PRIMARY KEY, `expires` DATETIME, `data` TEXT, `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL)'

/** A date as Sequelize writes it. */
const DATE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+00:00$/

const sequelizeDate = (date) => date.toISOString().replace('T', ' ').replace('Z', ' +00:00')

/** A place with parameters in its URL. */
const withParameters = (parameters, where = place()) => ({ ...where, db: `${where.db}?${parameters}` })

module.exports = { DATE, DDL, database, file, open, place, query, sequelizeDate, withParameters }
