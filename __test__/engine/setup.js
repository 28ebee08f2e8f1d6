'use strict'

const { Sequelize } = require('sequelize')
const opened = require('../support/opened')

// What the tests of the engine share. Stores and instances are closed after each test.

const { closeAll, keep, open, refusal } = opened()

const sequelize = (...args) => keep(new Sequelize(...args))

/** A Sequelize instance in memory. */
const memory = (settings) => sequelize({ dialect: 'sqlite', storage: ':memory:', logging: false, ...settings })

/** A Sequelize instance of SQL Server without a server: it yields what `answer` gives for each statement. */
function sqlServer(answer = () => []) {
  const dialectModule = { Connection: class {}, TYPES: {} }
  const instance = new Sequelize({ dialect: 'mssql', dialectModule, host: 'db', logging: false })
  const statements = []
  instance.query = async (sql, options) => {
    const text = typeof sql === 'string' ? sql : sql.query
    statements.push(text)
    return answer(text, options)
  }
  return { instance, statements }
}

/** The warnings during a function. */
function warningsOf(action) {
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
  try {
    const result = action()
    return { result, warnings: emit.mock.calls.map(([message, { code }]) => ({ message, code })) }
  } finally {
    emit.mockRestore()
  }
}

afterEach(closeAll)

module.exports = { closeAll, keep, memory, open, refusal, sequelize, sqlServer, warningsOf }
