// @ts-check
'use strict'

// Runs every check, also after one has failed, and names those that failed at the end. `npm run check` puts the tools on the PATH.

const { spawnSync } = require('node:child_process')
const path = require('node:path')

/** @type {{ name: string, command: string, env?: Record<string, string> }[]} */
const CHECKS = [
  { name: 'biome', command: 'biome check --error-on-warnings' },
  { name: 'tsc', command: 'tsc --noEmit' },
  {
    name: 'type coverage',
    // The binding is generated, and the types of Express are `any` in places.
    command: 'type-coverage --strict --ignore-files "lib/binding.*" --ignore-files "examples/**" --at-least 97'
  },
  { name: 'cspell', command: 'cspell --no-progress --no-summary "**/*.{md,js,ts,cts,mts,rs}"' },
  { name: 'knip', command: 'knip' },
  { name: 'publint', command: 'publint --strict' },
  { name: 'vendored crate', command: 'node scripts/check-vendor.js' },
  { name: 'cargo fmt', command: 'cargo fmt --check' },
  {
    name: 'cargo clippy',
    command: 'cargo clippy --all-targets -- -D warnings'
  },
  {
    name: 'cargo doc',
    command: 'cargo doc --no-deps --document-private-items',
    env: { RUSTDOCFLAGS: '-D warnings' }
  },
  { name: 'cargo test', command: 'cargo test' }
]

const failed = CHECKS.filter(({ name, command, env }) => {
  console.log(`\n── ${name}: ${command}`)
  const { status } = spawnSync(command, {
    cwd: path.join(__dirname, '..'),
    env: { ...process.env, ...env },
    shell: true,
    stdio: 'inherit'
  })
  return status !== 0
})

if (failed.length === 0) {
  console.log(`\nAll ${CHECKS.length} checks passed.`)
} else {
  const names = failed.map(({ name }) => name).join(', ')
  console.error(`\n${failed.length} of ${CHECKS.length} failed: ${names}`)
  process.exitCode = 1
}
