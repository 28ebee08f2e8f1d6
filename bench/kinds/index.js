'use strict'

/**
 * A kind of measurement: what its cells are, how they are measured, and how their figures are shown.
 *
 * @typedef {import('../lib/plan').Cell} Cell
 *
 * @typedef {object} Kind
 * @property {string[]} dimensions what tells its cells from one another, beside the peer
 * @property {(peer: import('../peers').Peer, cell: Record<string, any>) => boolean} usable
 * @property {(peer: import('../peers').Peer) => Record<string, any>} [own] dimensions that a peer has for itself
 * @property {(cells: Cell[], run: Run) => Promise<void>} [prepare] before the first round
 * @property {(cells: Cell[], round: number, run: Run) => AsyncGenerator<[Cell, any]>} measure one trial of each cell
 * @property {(cells: Cell[], run: Run) => Promise<void>} [clean] after the last round
 * @property {(trials: any[]) => Record<string, any>} summarize the trials of one cell
 * @property {(cells: any[], settings: Settings) => string[]} report lines of Markdown
 *
 * @typedef {object} Settings
 * @property {string} base the alias of the peer to which others are compared, empty for the first of a table
 * @property {number} spread
 * @property {number} [pool]
 * @property {number} [quiet]
 * @property {number} rate
 *
 * @typedef {object} Run
 * @property {import('../lib/databases').Databases} databases
 * @property {Settings} settings
 * @property {(text: string) => void} say
 */

/** @type {Record<string, Kind>} */
const kinds = {
  store: require('./store'),
  express: require('./express'),
  prune: require('./prune'),
  memory: require('./memory')
}

module.exports = { kinds }
