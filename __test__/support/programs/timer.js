'use strict'

// A timer that fails a few times, for want of a table, and then succeeds. Prints JSON.

const { RustSequelizeStore } = require('../../..')
const { args } = require('../run')
const { until } = require('../time')

const [options] = args()
const thrown = []
const rejections = []
const warnings = []
process.on('uncaughtException', (error) => thrown.push(`${error}`))
process.on('unhandledRejection', (error) => rejections.push(`${error}`))
process.on('warning', (warning) => warnings.push(`${warning}`))

async function main() {
  const store = new RustSequelizeStore(options)
  await until(() => store.stats().errors >= 3)
  await store.sync()
  const expires = new Date(0)
  await store.set('ada', { cookie: { expires } })
  await until(() => store.stats().pruned === 1)
  const { errors, pruned } = store.stats()
  await store.close()
  console.log(JSON.stringify({ errors, pruned, thrown, rejections, warnings }))
}

main()
