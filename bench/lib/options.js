'use strict'

const path = require('node:path')
const { parseArgs } = require('node:util')

const bench = path.join(__dirname, '..')

/**
 * @param {Record<string, [string, string]>} known option → [default, meaning]
 * @param {string} usage
 * @returns {Record<string, string>}
 */
function readOptions(known, usage) {
  const config = Object.fromEntries(Object.keys(known).map((name) => [name, { type: 'string' }]))
  let values
  try {
    values = parseArgs({
      options: { ...config, help: { type: 'boolean' } }
    }).values
  } catch (error) {
    console.error(error.message)
    process.exit(2)
  }
  if (values.help) {
    console.log(`${usage}\n`)
    for (const [name, [value, meaning]] of Object.entries(known)) {
      console.log(`  --${name.padEnd(11)} ${meaning}${value ? ` (${value})` : ''}`)
    }
    process.exit(0)
  }
  return Object.fromEntries(
    Object.entries(known).map(([name, [value]]) => [name, /** @type {string} */ (values[name] ?? value)])
  )
}

/** @param {string} text words with commas between them */
function list(text) {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean)
}

/**
 * @param {Record<string, string>} options
 * @param {string} name
 */
function number(options, name) {
  const value = Number(options[name])
  if (!(value > 0)) {
    throw new Error(`expected --${name} to be above 0, got ${options[name]}`)
  }
  return value
}

/**
 * @param {string[]} words
 * @param {string[]} known
 * @param {string} name of the option
 */
function among(words, known, name) {
  for (const word of words) {
    if (!known.includes(word)) {
      throw new Error(`expected --${name} to be of ${known.join(', ')}, got ${word}`)
    }
  }
  return words
}

module.exports = { bench, readOptions, list, number, among }
