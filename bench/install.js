'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

/** Installs the peers on the first run. The SQLite drivers may have to be compiled, which takes a few minutes. */
function install() {
  if (fs.existsSync(path.join(__dirname, 'node_modules/.package-lock.json'))) return
  console.error('Installing the peers in bench/node_modules')
  const { status, error } = spawnSync('npm ci --no-audit --no-fund', {
    cwd: __dirname,
    // `npm run` sets npm_* for the outer package, and the inner npm would take them for its own.
    env: Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key))),
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: true
  })
  if (status !== 0) throw new Error(`npm ci failed in bench/${error ? `: ${error.message}` : ''}`)
}

module.exports = { install }
