'use strict'

// A table as connect-session-sequelize makes it with Sequelize. Prints JSON.

const { DataTypes, Sequelize } = require('sequelize')
const { args } = require('../run')

async function main() {
  const [storage, task, value] = args()
  const database = new Sequelize({ dialect: 'sqlite', storage, logging: false })
  const Session = database.define('Session', {
    sid: { type: DataTypes.STRING(36), primaryKey: true },
    expires: DataTypes.DATE,
    data: DataTypes.TEXT
  })
  if (task === 'create') {
    await Session.sync()
    const { expires } = value.cookie
    await Session.create({ sid: 'theirs', expires, data: JSON.stringify(value) })
    const [[{ sql }]] = await database.query("SELECT sql FROM sqlite_master WHERE type = 'table'")
    console.log(JSON.stringify({ sql }))
  } else {
    console.log(JSON.stringify(await Session.findByPk(value)))
  }
  await database.close()
}

main()
