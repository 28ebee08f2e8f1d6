'use strict'

// Writes until files may not grow any more, and again when they may. Prints JSON.

const { spawnSync } = require('node:child_process')
const { RustSequelizeStore } = require('../../..')
const { args } = require('../run')
const { session } = require('../sessions')

const codeOf = (promise) =>
  promise.then(
    () => null,
    ({ code }) => code
  )

async function main() {
  const [place] = args()
  const store = new RustSequelizeStore(place)
  await store.set('ada', session({ user: 'ada' }))
  const text = 'x'.repeat(20_000)
  const codes = []
  for (let i = 0; i < 200; i++) {
    codes.push(await codeOf(store.set(`sid-${i}`, session({ text }))))
  }
  const failed = codes.filter((code) => code !== null)
  const { user } = await store.get('ada')
  const { status } = spawnSync('prlimit', [`--pid=${process.pid}`, '--fsize=unlimited'])
  const after = await codeOf(store.set('after', session({ text })))
  console.log(
    JSON.stringify({
      failed: failed.length,
      codes: [...new Set(failed)],
      user,
      raised: status === 0,
      after
    })
  )
}

main()
