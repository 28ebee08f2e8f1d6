'use strict'

const { NativeStore } = require('../addon.js')
const { databaseOfUrl } = require('../databases.js')
const { SessionStoreError, translated } = require('../error.js')
const { Operations, openNative } = require('../operations/index.js')
const { forAddon } = require('../options/for-addon.js')
const { warnOnce } = require('../warning.js')
const { ModelOutcomes, ModelStore } = require('./model-store.js')

/**
 * What serves the calls of a store: the addon, or the model of a Sequelize instance. Both take tickets, and give outcomes.
 *
 * @typedef {Omit<import('../binding.js').NativeStore, 'listen' | 'set'> & {
 *   set(...args: [...Parameters<import('../binding.js').NativeStore['set']>, extra?: [string, unknown][]]): void
 * }} Engine
 * @typedef {import('../error.js').SessionStoreError} Failure
 * @typedef {{ name: import('../../index.js').EngineName, native: Engine, operations: Operations }} Opened
 */

/**
 * Opens what serves the calls of a store.
 * @param {import('../options/complete.js').Completed} completed
 * @param {(error: Failure) => void} failed is called with the error of every call that fails
 * @returns {Opened}
 */
function openEngine(completed, failed) {
  const { options, model, onlySequelize } = completed
  if (onlySequelize) {
    if (onlySequelize.reason) warn(onlySequelize.reason)
    return openModel(completed, failed)
  }
  try {
    return { name: 'rust', ...openNative(forAddon(completed), failed) }
  } catch (error) {
    // What a URL cannot say, Sequelize may be able to do.
    const refused = SessionStoreError.is(error) && error.code === 'ERR_SESSION_OPTIONS'
    if (!refused || !model || options.engine === 'rust') throw error
    // It fails if a name is what cannot be used.
    translated(() => NativeStore.ddl(databaseOfUrl(completed.url)?.schemes[0] ?? '', forAddon(completed).table))
    warn(error.message)
    return openModel(completed, failed)
  }
}

/**
 * @param {import('../options/complete.js').Completed} completed
 * @param {(error: Failure) => void} failed
 * @returns {Opened}
 */
function openModel({ options, model }, failed) {
  const outcomes = new ModelOutcomes()
  const operations = new Operations(
    () => {},
    () => outcomes.take(),
    failed
  )
  const { layout, createTable, queue } = options
  const table = { model: /** @type {import('../sequelize/instance.js').Model} */ (model), layout, createTable, queue }
  return { name: 'sequelize', native: new ModelStore(table, outcomes, () => operations.arrived()), operations }
}

/** @param {string} reason */
function warn(reason) {
  warnOnce(
    'SESSION_ENGINE',
    `the session store works through Sequelize, which takes several times as much time as its own connections: ${reason}`
  )
}

module.exports = { openEngine }
