'use strict'

const { DataTypes, Sequelize } = require('sequelize')
const servers = require('../servers')
const { attributes } = require('../variants')
const { common, missing } = require('./common')
const { mysql } = require('./mysql')
const { postgres } = require('./postgres')
const { sqliteFile, sqliteMemory } = require('./sqlite')

/** What the extra columns of the tests are in a model. */
const TYPES = {
  string: DataTypes.STRING,
  integer: DataTypes.INTEGER,
  boolean: DataTypes.BOOLEAN,
  date: DataTypes.DATE,
  blob: DataTypes.BLOB
}

/** The Sequelize instance of an application that has its data at a place. */
function instance({ db: url }, settings) {
  if (url.startsWith('mssql:')) {
    return new Sequelize(url, { dialectOptions: { options: { trustServerCertificate: true } }, ...settings })
  }
  if (!url.startsWith('sqlite:')) return new Sequelize(url, settings)
  const storage = url.replace(/^sqlite:(\/\/)?/, '').split('?')[0]
  const sequelize = new Sequelize({ dialect: 'sqlite', storage, ...settings })
  // The tests need no file that survives a power failure, and most of their time would be that of the disk.
  sequelize.query('PRAGMA synchronous = OFF').catch(() => {})
  return sequelize
}

/** A way to open stores whose calls are statements of Sequelize. */
function throughSequelize() {
  const instances = new Set()
  const columns = new WeakMap()

  return {
    name: ' through Sequelize',

    /** Tells of the extra columns of the table at a place, which the application then has in its model. */
    declare: (where, extra) => columns.set(where, extra),

    optionsOf(where, options) {
      const sequelize = instance(where, { logging: false, pool: { max: options.pool?.max ?? 5 } })
      instances.add(sequelize)
      const extra = Object.entries(columns.get(where) ?? {}).map(([name, type]) => [name, TYPES[type]])
      const { tableName = where.tableName ?? 'Sessions' } = options
      if (extra.length > 0) {
        sequelize.define('Session', { ...attributes(), ...Object.fromEntries(extra) }, { tableName })
      }
      return { engine: 'sequelize', tableName, ...options, db: sequelize }
    },

    async closeAll() {
      const all = [...instances]
      instances.clear()
      await Promise.all(all.map((sequelize) => sequelize.close()))
    }
  }
}

function through(create, ...args) {
  const way = throughSequelize()
  const database = create(...args, way)
  const { createTable } = database
  return {
    ...database,
    name: `${database.name}${way.name}`,
    supports: { ...database.supports, model: true },
    createTable(target, extraColumns) {
      if (extraColumns) way.declare(database.placeOf(target), extraColumns)
      return createTable(target, extraColumns)
    }
  }
}

const onServer = { mysql, postgres }

/** The databases under test, served by the statements of Sequelize instead of ours. */
/** SQL Server, which only Sequelize reaches: a table for each place, and no client besides. */
function sqlServer(url, way) {
  if (!url) return missing('SQL Server through Sequelize', 'mssql', 'there is no TEST_MSSQL_URL')
  let tables = 0
  const base = common(() => ({ db: url, tableName: `Sessions_${process.pid}_${++tables}` }), way)
  const supports = {
    ...{ otherClient: false, secondStore: true, anyLength: false, anyName: false, trailingSpaces: false },
    ...{ precision: 1, mebibytes: 16, stores: 12, model: true }
  }
  return {
    ...base,
    ...{ name: 'SQL Server through Sequelize', dialect: 'mssql', enabled: true, skipped: null, supports },
    async reset() {
      const sequelize = instance({ db: url }, { logging: false })
      await base.closeAll()
      for (; tables > 0; tables--) await sequelize.getQueryInterface().dropTable(`Sessions_${process.pid}_${tables}`)
      await sequelize.close()
    },
    end: async () => {}
  }
}

const databases = [
  through(sqliteFile),
  through(sqliteMemory),
  ...servers.map((server) => through(onServer[server.dialect], server)),
  sqlServer(process.env.TEST_MSSQL_URL, throughSequelize())
]

module.exports = { databases, instance }
