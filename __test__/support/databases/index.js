'use strict'

const servers = require('../servers')
const { mysql } = require('./mysql')
const { portablePostgres, postgres } = require('./postgres')
const { sqliteFile, sqliteMemory } = require('./sqlite')

/**
 * The databases under test. Each has
 *
 * - `name`, `dialect`, `enabled`, `skipped` (why it is not enabled) and `supports`:
 *   `otherClient` (rows can be looked at by another program), `secondStore` (two stores can share a table),
 *   `anyLength` (session ids and table names may have any length), `anyName` (table names may have any character), `precision` (of dates in our tables, in milliseconds),
 *   `model` (calls are statements of Sequelize, one for each, on the connections of its instance, and `set` yields a row),
 *   `mebibytes` (the size of a session that our tables keep, at least), `stores` (how many may be open at once: a server has only so
 *   many connections, by default 100 on PostgreSQL);
 * - `place()`: the options that lead to a fresh table of its own, fit for JSON, so that other processes can be sent there;
 * - `open(options, place)`: a store, on a fresh place unless one is given; `openAgain(store, options)`: a second one on the same table;
 *   `placeOf(store)`;
 * - an independent client, whose functions take a store or a place: `query(target, sql, params)`, `createTable(target, extraColumns)`,
 *   `dropTable`, `renameTable(target, from, to)`, `renameColumn(target, from, to)`, `tableExists`, `row(target, sid)`, `count(target)`, `insertRow(target, row)`, `updateRow(target, sid, row)`,
 *   `deleteRow(target, sid)`; `lock(target)` keeps all others from writing until the function that it resolves with is called;
 * - on servers: `describe(target)`, the columns; `waiting(target)`, how many statements of stores wait for a lock; `transaction(target)` of another program; `killConnections(target)` of the stores;
 * - `reset()`: closes the stores opened since the last reset and removes their tables; `end()`: leaves nothing behind.
 *
 * Rows are `{ sid, data, expires, createdAt, updatedAt }` with dates as Date or null, and the extra columns as the client reads them.
 */
const onServer = { mysql, postgres }

const databases = [sqliteFile(), sqliteMemory(), ...servers.map((server) => onServer[server.dialect](server))]

/** The same databases in other modes of the store, for the tests of its rules. */
const modes = servers.filter(({ dialect }) => dialect === 'postgres').map(portablePostgres)

module.exports = Object.assign(databases, { modes })
