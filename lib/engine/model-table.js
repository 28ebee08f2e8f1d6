'use strict'

const { layoutOf } = require('../layouts.js')
const { isUniqueViolation } = require('./failure.js')
const { attributesOf, timestampsOf } = require('../sequelize/instance.js')
const { instantOf, msOf } = require('../sequelize/instants.js')
const { isInTransaction } = require('../sequelize/transaction.js')

/**
 * @typedef {import('../sequelize/instance.js').Model} Model
 * @typedef {import('../binding.js').OutcomeType} OutcomeType
 *
 * The row of a session.
 * @typedef {{ data: string, expires: number }} Saved
 */

/** The number of rows that a step of a removal takes, and that a page of sessions has at most. */
const STEP = 500
const PAGE = 100

/**
 * MySQL and MariaDB: texts are usually equal in whatever case, unless one of them is given as bytes; and an upsert updates
 * the row that it meets in any unique index.
 */
const MYSQL = ['mysql', 'mariadb']

/** The sessions in the table of a Sequelize model, by the statements that Sequelize makes. */
class ModelTable {
  #model
  #names
  #op
  #deletedAt
  #isMysql
  /** Whether the application has code of its own for the expiry; otherwise a touch need not be validated, which takes long. */
  #validates

  /**
   * @param {Model} model
   * @param {import('../layouts.js').LayoutName} [layout] the package whose names the attributes have
   */
  constructor(model, layout) {
    this.#model = model
    this.#names = layoutOf(layout)
    this.#op = model.sequelize.constructor.Op
    this.#deletedAt = timestampsOf(model).deletedAt
    const { set, validate } = attributesOf(model)[this.#names.expires]
    this.#validates = Boolean(set ?? validate)
    this.#isMysql = MYSQL.includes(model.sequelize.dialect.name)
  }

  /** Whether the current call is in a transaction of the application. */
  isInTransaction() {
    return isInTransaction(this.#model.sequelize)
  }

  /** Fails if the table is missing, or lacks a column. */
  async check() {
    // Beside any transaction of the application, which the failure would end.
    await this.#model.findOne({ where: { [this.#names.sid]: '' }, useMaster: true, transaction: null })
  }

  /** @param {boolean} [force] */
  async sync(force = false) {
    await this.#model.sync({ force, transaction: null })
  }

  /**
   * @param {string} sid
   * @returns {Promise<{ data: unknown, expires: number | undefined } | undefined>} expires in ms, NaN if it is no date
   */
  async read(sid) {
    const { sid: id, expires, data } = this.#names
    const attributes = [id, expires, data]
    const row = await this.#model.findOne({ attributes, where: { [id]: sid }, raw: false, useMaster: true })
    // The database may take other ids for equal.
    return row?.get(id) === sid ? this.#stored(row) : undefined
  }

  /**
   * @param {{ get(name: string): unknown }} row
   */
  #stored(row) {
    const data = row.get(this.#names.data)
    return { data: isText(data) ? data : JSON.stringify(data), expires: this.#ms(row) }
  }

  /** @param {{ get(name: string): unknown }} row */
  #ms(row) {
    return msOf(row.get(this.#names.expires), this.#names)
  }

  /**
   * Writes a session, whether or not there is a row.
   * @param {string} sid
   * @param {Saved} saved
   * @param {Record<string, unknown>} extra
   */
  async upsert(sid, saved, extra) {
    const restored = this.#deletedAt === undefined ? {} : { [this.#deletedAt]: null }
    const values = { ...extra, [this.#names.sid]: sid, ...this.#values(saved), ...restored }
    if (this.#isMysql && Object.keys(extra).length > 0) await this.#createOrUpdate(sid, values)
    else await this.#model.upsert(values, { returning: false, raw: false })
  }

  /**
   * Writes a session that has values of the application, which may be unique: in MySQL, an upsert would update the row that
   * has the same one, which is another session's.
   * @param {string} sid
   * @param {Record<string, unknown>} values
   */
  async #createOrUpdate(sid, values) {
    try {
      await this.#model.create(values, { returning: false, raw: false })
    } catch (error) {
      if (!isUniqueViolation(error)) throw error
      const where = this.#where(sid, {})
      const changed = await this.#change(values, sid, {}, { paranoid: false })
      if (!changed && (await this.#model.count({ where, useMaster: true, paranoid: false })) === 0) throw error
    }
  }

  /**
   * Writes a session if there is a row.
   * @param {string} sid
   * @param {Saved} saved
   * @param {Record<string, unknown>} extra
   * @param {boolean} keepLater whether a later expiry of the row stays
   * @returns {Promise<boolean>} whether there is a row
   */
  async update(sid, saved, extra, keepLater) {
    const { expires } = this.#names
    const values = { ...extra, ...this.#values(saved) }
    const { lte } = this.#op
    const earlier = keepLater ? { [expires]: { [lte]: values[expires] } } : {}
    if (await this.#change(values, sid, earlier)) return true
    if (keepLater) {
      const { [expires]: _, ...others } = values
      if (await this.#change(others, sid, {})) return true
    }
    // MySQL counts the rows that have changed.
    return (await this.#model.count({ where: this.#where(sid, {}), useMaster: true })) > 0
  }

  /**
   * Moves the expiry of a live row.
   * @param {string} sid
   * @param {number} ms
   * @param {number} now
   * @param {number | null | undefined} unlessAfter the row is left alone if it expires after this time, but not after `ms`
   */
  async touch(sid, ms, now, unlessAfter) {
    const { and, gt, lte, or } = this.#op
    const { expires } = this.#names
    const live = this.#live(now)
    const due = { [or]: [{ [lte]: this.#instant(unlessAfter ?? ms) }, { [gt]: this.#instant(ms) }, null] }
    const where = typeof unlessAfter === 'number' ? { [and]: [live, { [expires]: due }] } : live
    await this.#change({ [expires]: this.#instant(ms) }, sid, where, { validate: this.#validates })
  }

  /** @param {string} sid */
  async destroy(sid) {
    await this.#model.destroy({ where: this.#where(sid, {}), force: true })
  }

  async clear() {
    await this.#model.destroy({ where: {}, force: true })
  }

  /** @param {number} now */
  async length(now) {
    return this.#model.count({ where: this.#live(now), useMaster: true })
  }

  /**
   * Live sessions after the id `after`, in the order of their ids.
   * @param {string | null | undefined} after
   * @param {number} limit
   * @param {boolean} withData
   * @param {number} now
   */
  async page(after, limit, withData, now) {
    const { sid: id, expires, data } = this.#names
    const most = withData ? Math.min(limit, PAGE) : limit
    const rows = await this.#model.findAll({
      attributes: withData ? [id, expires, data] : [id],
      where: typeof after === 'string' ? { ...this.#live(now), [id]: { [this.#op.gt]: after } } : this.#live(now),
      order: [[id, 'ASC']],
      limit: most,
      raw: false,
      useMaster: true
    })
    const sessions = rows.map((row) => ({
      sid: row.get(id),
      ...(withData ? this.#stored(row) : { data: null, expires: undefined })
    }))
    return { sessions, full: rows.length === most }
  }

  /**
   * Removes some of the expired sessions.
   * @param {number} now
   * @returns {Promise<{ pruned: number, more: boolean }>}
   */
  async prune(now) {
    const { sid: id, expires } = this.#names
    const expired = { [expires]: { [this.#op.lte]: this.#instant(now) } }
    const find = { attributes: [id], where: expired, limit: STEP, raw: false, useMaster: true, paranoid: false }
    const rows = await this.#model.findAll(find)
    if (rows.length === 0) return { pruned: 0, more: false }
    const where = { ...expired, [id]: rows.map((row) => row.get(id)) }
    const pruned = await this.#model.destroy({ where, force: true })
    return { pruned, more: pruned > 0 && rows.length === STEP }
  }

  /**
   * @param {Record<string, unknown>} values
   * @param {string} sid
   * @param {object} where
   * @param {{ paranoid?: boolean, validate?: boolean }} [options] of Sequelize
   */
  async #change(values, sid, where, options = {}) {
    const [changed] = await this.#model.update(values, { where: this.#where(sid, where), ...options })
    return changed > 0
  }

  /**
   * @param {string} sid
   * @param {object} where
   */
  #where(sid, where) {
    const { sid: id } = this.#names
    const named = { ...where, [id]: sid }
    if (!this.#isMysql) return named
    const { cast, col, where: compared } = this.#model.sequelize.constructor
    const { field = id } = attributesOf(this.#model)[id]
    // Not as text, in which Sequelize would look for the numbers of parameters.
    return { [this.#op.and]: [named, compared(cast(col(field), 'binary'), Buffer.from(sid))] }
  }

  /** @param {number} now */
  #live(now) {
    const { gt, or } = this.#op
    return { [this.#names.expires]: { [or]: [null, { [gt]: this.#instant(now) }] } }
  }

  /** @param {Saved} saved */
  #values({ data, expires }) {
    return { [this.#names.data]: data, [this.#names.expires]: this.#instant(expires) }
  }

  /** @param {number} ms */
  #instant(ms) {
    return instantOf(ms, this.#names)
  }
}

/** @param {unknown} data */
function isText(data) {
  return typeof data === 'string' || data === null || data === undefined
}

module.exports = { ModelTable }
