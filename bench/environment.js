'use strict'

const { createHash } = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

/** When, where and with what a result was made, without which its figures say nothing. */
function environment(against) {
  const { packages } = require('./node_modules/.package-lock.json')
  const names = Object.keys(require('./package.json').dependencies)
  const memory = Math.round(os.totalmem() / 2 ** 30)
  const cpus = `${os.cpus()[0]?.model.trim()}, ${os.availableParallelism()} cores`
  return {
    date: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    machine: `${cpus}, ${memory} GB, ${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    packages: names.map((name) => `${name} ${packages[`node_modules/${name}`].version}`),
    builds: builds(against)
  }
}

/** The hash of an addon differs from build to build. */
function builds(against) {
  return [path.join(__dirname, '..'), against].filter(Boolean).map((folder, index) => {
    const library = path.join(folder, 'lib')
    const addon = fs.readdirSync(library).find((file) => file.endsWith('.node'))
    if (!addon) throw new Error(`no addon in ${library}: build it with \`npm run build\``)
    const hash = createHash('sha256')
      .update(fs.readFileSync(path.join(library, addon)))
      .digest('hex')
    const { name, version } = require(path.join(folder, 'package.json'))
    return `${index === 0 ? name : 'the other build'} ${version} (addon ${hash.slice(0, 8)})`
  })
}

module.exports = { environment, builds }
