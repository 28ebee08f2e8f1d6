'use strict'

const { Sequelize } = require('sequelize')
const { RustSequelizeStore } = require('../..')

// What the tests of the engine share. Stores and instances are closed after each test.

const stores = []
const instances = []

function open(options) {
  const store = new RustSequelizeStore(options)
  stores.push(store)
  return store
}

function keep(instance) {
  instances.push(instance)
  return instance
}

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

/** The error with which the constructor refuses the options. */
function refusal(options) {
  try {
    open(options)
  } catch (error) {
    return error
  }
  throw new Error('not refused')
}

async function closeAll() {
  await Promise.all(stores.splice(0).map((store) => store.close()))
  await Promise.all(instances.splice(0).map((instance) => instance.close()))
}
afterEach(closeAll)

module.exports = { closeAll, keep, memory, open, refusal, sequelize, sqlServer, warningsOf }
