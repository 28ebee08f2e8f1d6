'use strict'

// Writes sessions one after another. Prints how many.

const { RustSequelizeStore } = require('../../..')
const { args } = require('../run')

async function main() {
  const [place, count] = args()
  const store = new RustSequelizeStore(place)
  for (let i = 0; i < count; i++) {
    await store.set(`sid-${i}`, { cookie: { expires: null }, i })
  }
  console.log(JSON.stringify({ written: await store.length() }))
}

main()
