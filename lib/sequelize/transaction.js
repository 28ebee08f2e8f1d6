'use strict'

/**
 * Whether the current call is in a transaction that Sequelize finds by the asynchronous context.
 * @param {import('./instance.js').Sequelize} sequelize
 */
function isInTransaction(sequelize) {
  // Version 7, and version 6 after `Sequelize.useCLS`.
  if (sequelize.getCurrentClsTransaction) return sequelize.getCurrentClsTransaction() !== undefined
  return Boolean(sequelize.constructor._cls?.get('transaction'))
}

module.exports = { isInTransaction }
