'use strict'

/**
 * The servers under test, a line each. Each has
 *
 * - `name`, `dialect`; `variable`, with which the names of its environment variables begin: `…_URL` leads to a server that is there,
 *   and setup.js tells the tests by `…_URL`, `…_SERVER` (what it is) and `…_SKIPPED` (why there is none) what it has found;
 * - `own`, whether a test can start and stop one, as needs.js has it; `create()`, which makes one without starting it;
 * - `probe(url)`, which resolves with what a server is; `usual`, URLs at which one may answer on this machine;
 * - `execute(url, sql)` for several statements, and the statements `make(name)` and `drop(name)` of a place.
 */
module.exports = [require('./postgres'), require('./mysql-or-mariadb'), require('./mysql-oracle')]
