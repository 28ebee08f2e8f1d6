'use strict'

/**
 * The parameters of a URL that set up TLS, and the values of the first one.
 *
 * - `off`: TLS without verification. `chain`: the server's certificate is verified. `full`: its host name too.
 *
 * @typedef {{
 *   mode: string, modes: { off: string, chain: string, full: string }, ca: string, cert: string, key: string
 * }} TlsParameters
 */

/**
 * What JavaScript knows of a database.
 *
 * - `title`: its name in messages.
 * - `schemes`: the schemes of its URLs, which are also the dialects that `ddl` takes. The first is the usual one.
 * - `sequelizeDialects`: the names that Sequelize 6 and 7 have for it.
 * - `isFile`: whether a database is a file of this machine, which others in this process may have open too.
 * - `pool`: the defaults of the option `pool` that differ from those in `options/schema.js`.
 * - `refusedOptions`: the options that mean nothing to it. Setting one is a mistake, so the store refuses it.
 * - `tls`: the parameters of its URLs that set up TLS.
 * - `columns`: the types of a table's columns in Sequelize, if they are not those of other databases. They are those of the
 *   addon's DDL (`ddl`): `sync({ alter: true })` gives an existing column the type of the model.
 *
 * @typedef {{
 *   title: string, schemes: readonly string[], sequelizeDialects: readonly string[], isFile: boolean,
 *   pool: Readonly<Partial<import('../index.js').CompleteOptions['pool']>>, refusedOptions: readonly string[],
 *   tls?: TlsParameters, columns?: (types: import('./sequelize/instance.js').DataTypes) => Partial<ColumnTypes>
 * }} Database
 *
 * The types of the columns; `stamp` is that of the dates that Sequelize adds.
 * @typedef {{ sid: unknown, expires: unknown, data: unknown, stamp: unknown }} ColumnTypes
 */

/** @typedef {'sqlite' | 'postgres' | 'mysql'} DatabaseName */

/**
 * Every database that the store supports. Its counterpart in Rust is the list in `src/store.rs`.
 * @satisfies {Readonly<Record<DatabaseName, Database>>}
 */
const DATABASES = Object.freeze({
  sqlite: {
    title: 'SQLite',
    schemes: ['sqlite'],
    sequelizeDialects: ['sqlite', 'sqlite3'],
    isFile: true,
    // Opening a file takes no time, except for the locks of other processes.
    pool: { max: 4, acquireTimeout: 30_000 },
    columns: ({ STRING }) => ({ sid: STRING(36) }),
    refusedOptions: ['schema', 'timezone', 'preparedStatements', 'causalReads']
  },
  postgres: {
    title: 'PostgreSQL',
    schemes: ['postgres', 'postgresql'],
    sequelizeDialects: ['postgres'],
    isFile: false,
    pool: {},
    refusedOptions: ['fileMode', 'causalReads'],
    tls: {
      mode: 'sslmode',
      modes: { off: 'require', chain: 'verify-ca', full: 'verify-full' },
      ca: 'sslrootcert',
      cert: 'sslcert',
      key: 'sslkey'
    }
  },
  mysql: {
    title: 'MySQL and MariaDB',
    schemes: ['mysql', 'mariadb'],
    sequelizeDialects: ['mysql', 'mariadb'],
    isFile: false,
    pool: {},
    refusedOptions: ['fileMode'],
    tls: {
      mode: 'ssl-mode',
      modes: { off: 'REQUIRED', chain: 'VERIFY_CA', full: 'VERIFY_IDENTITY' },
      ca: 'ssl-ca',
      cert: 'ssl-cert',
      key: 'ssl-key'
    },
    // As text, because Sequelize has no type with a character set, and that of the table may be any.
    columns: ({ DATE }) => ({
      sid: 'VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
      expires: DATE(3),
      data: 'MEDIUMTEXT CHARACTER SET utf8mb4',
      stamp: DATE(3)
    })
  }
})

const ENTRIES = /** @type {[DatabaseName, Database][]} */ (Object.entries(DATABASES))

/** Every scheme of a URL, and so every dialect that `ddl` takes. */
const SCHEMES = ENTRIES.flatMap(([, { schemes }]) => schemes)

/** Every name that Sequelize has for a supported database. */
const SEQUELIZE_DIALECTS = ENTRIES.flatMap(([, { sequelizeDialects }]) => sequelizeDialects)

/**
 * The database of a URL, or undefined if its scheme is not supported. Schemes ignore case.
 * @param {string} url
 */
function databaseOfUrl(url) {
  const scheme = url.slice(0, url.indexOf(':')).toLowerCase()
  return ENTRIES.find(([, { schemes }]) => schemes.includes(scheme))?.[1]
}

/**
 * The name of the database that Sequelize calls by this name, or undefined if it is not supported.
 * @param {string} dialect
 */
function databaseOfDialect(dialect) {
  return ENTRIES.find(([, { sequelizeDialects }]) => sequelizeDialects.includes(dialect))?.[0]
}

/**
 * The types of the columns of a new table, for any dialect of Sequelize.
 * @param {string} dialect
 * @param {import('./sequelize/instance.js').DataTypes} types
 * @returns {ColumnTypes}
 */
function columnTypes(dialect, types) {
  const { STRING, DATE, TEXT } = types
  const database = databaseOfDialect(dialect)
  /** @type {Database | undefined} */
  const known = database && DATABASES[database]
  return { sid: STRING(128), expires: DATE, data: TEXT, stamp: DATE, ...known?.columns?.(types) }
}

module.exports = { columnTypes, DATABASES, SCHEMES, SEQUELIZE_DIALECTS, databaseOfDialect, databaseOfUrl }
