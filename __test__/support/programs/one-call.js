'use strict'

// Reads a session that is not there, in a process that has other environment variables. Prints JSON.

const { RustSequelizeStore } = require('../../..')
const { args } = require('../run')

async function main() {
  const store = new RustSequelizeStore(args()[0])
  try {
    const value = (await store.get('nobody')) ?? null
    console.log(JSON.stringify({ value }))
  } catch (error) {
    console.log(JSON.stringify({ code: error.cause?.code ?? error.code, message: error.message }))
  }
  await store.close()
}

main()
