'use strict'

// A store whose model makes the table, in the process that queries the model. Prints JSON.

const { RustSequelizeStore } = require('../../..')
const { args } = require('../run')
const { application } = require('../variants')

async function main() {
  const [url] = args()
  const { sequelize, options } = application(url, 'with columns of its own')
  const store = new RustSequelizeStore(options)
  const missing = await store.set('ada', { cookie: {} }).catch(({ code }) => code)
  await store.sync()
  await store.set('ada', { cookie: {}, user: 'ada' })
  const columns = Object.keys(await sequelize.models.Login.findOne({ raw: true }))
  const { user } = await store.get('ada')
  await store.sync({ force: true })
  const length = await store.length()
  await store.close()
  await sequelize.close()
  console.log(JSON.stringify({ missing, columns, user, length }))
}

main()
