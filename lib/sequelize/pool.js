'use strict'

/**
 * The number of connections of an instance now. Sequelize has no pool for SQLite.
 * @param {import('./instance.js').Sequelize} sequelize
 * @returns {{ size: number, idle: number }}
 */
function poolSizes(sequelize) {
  // Version 7 has it at the instance. With replication, there is a pool for the primary.
  const pool = sequelize.pool ?? sequelize.connectionManager?.pool
  const { size, available } = pool?.write ?? pool ?? {}
  return { size: size ?? 0, idle: available ?? 0 }
}

module.exports = { poolSizes }
