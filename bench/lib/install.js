'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const folder = path.join(__dirname, '..')

/** Installs the peers if that has not been done. Some of them are compiled, which takes a minute or two. */
function install() {
  if (fs.existsSync(path.join(folder, 'node_modules/.package-lock.json'))) {
    return
  }
  console.error('Installing the peers in bench/node_modules')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { status, error } = spawnSync(npm, ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    // npm run sets these for the package above, and npm would take them for this one.
    env: Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key))),
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32'
  })
  if (status !== 0) {
    console.error(`npm ci in bench/ failed${error ? `: ${error.message}` : ''}`)
    process.exit(1)
  }
}

module.exports = { install }
