'use strict'

const { PAGE_STRIDE } = require('./addon.js')
const { hasCookie } = require('./session.js')

/** The number of sessions in memory at a time during `all` and `iterate`, and of ids during `ids`. */
const PAGE_SESSIONS = 500
const PAGE_IDS = 10_000

/**
 * A page of live sessions in the order of their ids: `PAGE_STRIDE` values for each, which are its id, data, and when it
 * expires in ms; and where the next page begins, unless there is none.
 * @typedef {{ rows: any[], next: Buffer | undefined }} Page
 * @typedef {(after: Buffer | undefined, limit: number, withData: boolean) => Promise<Page>} ReadPage
 * @typedef {import('./session.js').Session} Session
 */

/**
 * @param {ReadPage} readPage
 * @param {number} limit
 * @param {boolean} withData
 */
async function* pages(readPage, limit, withData) {
  /** @type {Buffer | undefined} */
  let after
  do {
    const { rows, next } = await readPage(after, limit, withData)
    yield rows
    after = next
  } while (after !== undefined)
}

/**
 * The live sessions one after another.
 * @param {ReadPage} readPage
 * @param {(sid: string, data: string | null, expires: number | undefined) => Session | undefined} readRow
 * @returns {AsyncGenerator<[string, Session], void, void>}
 */
async function* listSessions(readPage, readRow) {
  for await (const rows of pages(readPage, PAGE_SESSIONS, true)) {
    for (let at = 0; at < rows.length; at += PAGE_STRIDE) {
      const sid = String(rows[at])
      const session = readRow(sid, rows[at + 1], rows[at + 2])
      if (session !== undefined) yield [sid, session]
    }
  }
}

/**
 * The live sessions by their ids.
 * @param {AsyncGenerator<[string, Session], void, void>} sessions
 * @param {boolean} needsCookie whether sessions without a cookie are left out
 */
async function collectSessions(sessions, needsCookie) {
  /** @type {[string, Session][]} */
  const entries = []
  for await (const entry of sessions) {
    if (!needsCookie || hasCookie(entry[1])) entries.push(entry)
  }
  // It defines each property. An assignment would not for the sid `__proto__`.
  return Object.fromEntries(entries)
}

/**
 * The ids of the live sessions.
 * @param {ReadPage} readPage
 */
async function listIds(readPage) {
  /** @type {string[]} */
  const sids = []
  for await (const rows of pages(readPage, PAGE_IDS, false)) {
    for (let at = 0; at < rows.length; at += PAGE_STRIDE) sids.push(String(rows[at]))
  }
  return sids
}

module.exports = { collectSessions, listIds, listSessions }
