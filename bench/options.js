'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { databases } = require('./databases')
const { workloads } = require('./load')
const { peers } = require('./peers')
const { settings, suites } = require('./suites')

const WORDS = {
  suite: Object.keys(suites),
  database: Object.keys(databases),
  peers: Object.keys(peers),
  workload: [...workloads, 'read', 'write'],
  durability: ['normal', 'full']
}
const NAMES = [...Object.keys({ ...WORDS, ...settings }), 'callers', 'rows', 'expired', 'against', 'name']

/** What was given on the command line, as `args`, and what it means: lists, single settings and the other build. */
function readOptions() {
  const types = Object.fromEntries(NAMES.map((name) => [name, { type: 'string' }]))
  const { help, ...args } = parseArgs({ options: { ...types, help: { type: 'boolean' } } }).values
  const { name: _, against, ...given } = args
  const options = {
    suite: against ? ['store'] : WORDS.suite,
    database: WORDS.database,
    peers: against ? ['ours', 'against'] : WORDS.peers.filter((alias) => alias !== 'against')
  }
  for (const [name, text] of Object.entries(given)) {
    options[name] = name in settings ? read(name, text) : text.split(',').map((part) => read(name, part))
  }
  return { ...options, args, help, against: against && path.resolve(against) }
}

/** A word that is supported, or a number. */
function read(name, text) {
  const words = WORDS[name]
  if (words ? words.includes(text) : Number(text) > 0) return words ? text : Number(text)
  throw new Error(`unsupported value \`${text}\` of --${name}; supported: ${words?.join(', ') ?? 'numbers above 0'}`)
}

/** The options as README.md describes them. */
function usage() {
  const sections = fs.readFileSync(path.join(__dirname, 'README.md'), 'utf8').split(/^## /m)
  return sections.find((section) => section.startsWith('Options')).trim()
}

module.exports = { readOptions, usage }
