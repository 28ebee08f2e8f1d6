'use strict'

const { createHash } = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { findPeer } = require('./peers')

/** When and where a result was made, without which its figures say nothing. */
function environment() {
  const cpu = os.cpus()[0]?.model.trim() ?? 'unknown processor'
  const memory = Math.round(os.totalmem() / 2 ** 30)
  return {
    date: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    machine: `${cpu}, ${os.availableParallelism()} cores, ${memory} GB, ${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version
  }
}

/** @returns {Record<string, string>} of all packages that are measured or measure */
function versions(/** @type {import('./suites').Cell[]} */ cells, /** @type {string | undefined} */ against) {
  const packages = cells.flatMap(({ peer, database }) => findPeer(peer).packages(database))
  return {
    'rust-sequelize-store': build(path.join(__dirname, '..')),
    ...(against && { 'the other build': build(against) }),
    ...Object.fromEntries(
      [...new Set([...packages, 'express-session', 'express', 'autocannon'])].map((name) => [
        name,
        version(path.join(__dirname, 'node_modules', name))
      ])
    )
  }
}

function version(folder) {
  return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).version
}

/** The version and a hash of the addon, which differs from build to build. */
function build(folder) {
  const library = path.join(folder, 'lib')
  const addon = fs.readdirSync(library).find((file) => file.endsWith('.node'))
  if (!addon) throw new Error(`no addon in ${library}: build it with \`npm run build\``)
  const hash = createHash('sha256')
    .update(fs.readFileSync(path.join(library, addon)))
    .digest('hex')
  return `${version(folder)} (addon ${hash.slice(0, 8)})`
}

module.exports = { environment, versions }
