'use strict'

const { createHash } = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

/** The machine and the programs, without which a figure says nothing. */
function environment() {
  return {
    date: new Date().toISOString(),
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version
  }
}

/**
 * @param {string[]} packages names, or folders
 * @returns {Record<string, string>}
 */
function versions(packages) {
  return Object.fromEntries(
    packages.map((name) => {
      const folder = path.isAbsolute(name) ? name : path.join(__dirname, '../node_modules', name)
      const file = path.join(folder, 'package.json')
      const manifest = JSON.parse(fs.readFileSync(file, 'utf8'))
      return [manifest.name, manifest.version + addon(name, folder)]
    })
  )
}

/** Tells one build of the package from another. */
function addon(name, folder) {
  if (!path.isAbsolute(name)) return ''
  const library = path.join(folder, 'lib')
  const file = fs.readdirSync(library).find((one) => one.endsWith('.node'))
  if (!file) return ''
  const content = fs.readFileSync(path.join(library, file))
  return ` (addon ${createHash('sha256').update(content).digest('hex').slice(0, 8)})`
}

/** @param {Record<string, any>} env */
function describe({ date, cpu, cores, memoryGB, system, node }) {
  return `${date.slice(0, 16).replace('T', ' ')} UTC, ${cpu}, ${cores} cores, ${memoryGB} GB, ${system}, Node.js ${node}`
}

module.exports = { environment, versions, describe }
