// @ts-check
'use strict'

// npm run fuzz -- [--database sqlite|postgres|mysql] [--seconds 600] [--seed 1]
//
// Plays random calls against a model, for a time on each kind of store of each database: see __test__/fuzz/model.js. A run that fails
// prints its seed.

const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { parseArgs } = require('node:util')

const { values } = parseArgs({
  options: { database: { type: 'string' }, seconds: { type: 'string', default: '60' }, seed: { type: 'string' } }
})
const { database, seconds, seed } = values
for (const [name, value] of Object.entries({ seconds, seed })) {
  if (value !== undefined && !Number.isInteger(Number(value))) {
    throw new Error(`expected --${name} to be an integer, got ${value}`)
  }
}

const variables = { FUZZ_DATABASE: database, FUZZ_SECONDS: seconds, FUZZ_SEED: seed }
const given = Object.entries(variables).filter(([, value]) => value !== undefined)
const jest = path.join(path.dirname(require.resolve('jest/package.json')), 'bin', 'jest.js')
const { status } = spawnSync(
  process.execPath,
  [jest, '--runInBand', '--testPathPatterns', '__test__/fuzz\\.test\\.js$'],
  {
    cwd: path.join(__dirname, '..'),
    env: { ...process.env, ...Object.fromEntries(given) },
    stdio: 'inherit'
  }
)
process.exit(status ?? 1)
