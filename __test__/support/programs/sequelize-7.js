'use strict'

// A table as Sequelize 7 makes it of the model of connect-session-sequelize. Prints JSON.

const { DataTypes, Sequelize } = require('@sequelize/core')
const { args } = require('../run')

const DIALECTS = {
  sqlite: () => require('@sequelize/sqlite3').SqliteDialect,
  postgres: () => require('@sequelize/postgres').PostgresDialect,
  mariadb: () => require('@sequelize/mariadb').MariaDbDialect
}

/** The Sequelize instance of an application. */
function instance(dialect, settings) {
  return new Sequelize({ dialect: DIALECTS[dialect](), logging: false, ...settings })
}

async function main() {
  const [dialect, settings, task, value] = args()
  const sequelize = instance(dialect, settings)
  const Session = sequelize.define(
    'Session',
    { sid: { type: DataTypes.STRING(36), primaryKey: true }, expires: DataTypes.DATE, data: DataTypes.TEXT },
    { tableName: 'Sessions' }
  )
  if (task === 'create') {
    await Session.sync()
    const { expires } = value.cookie
    await Session.create({ sid: 'theirs', expires, data: JSON.stringify(value) })
  }
  console.log(JSON.stringify(await Session.findAll({ order: ['sid'] })))
  await sequelize.close()
}

if (require.main === module) main()

module.exports = { instance }
