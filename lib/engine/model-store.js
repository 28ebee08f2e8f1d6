'use strict'

const { OutcomeType } = require('../addon.js')
const { SessionStoreError } = require('../error.js')
const { poolSizes } = require('../sequelize/pool.js')
const { CallOrder } = require('./call-order.js')
const { failureOf, isMissingTable, isTemporary } = require('./failure.js')
const { ModelTable } = require('./model-table.js')

/** @typedef {[type: OutcomeType, value?: unknown, detail?: unknown]} Outcome */

/** How often a statement is repeated after a temporary failure, and the first wait before that, in ms. */
const RETRIES = 5
const WAIT_MS = 5

/** The bytes that a call has in memory beside its texts. */
const CALL_BYTES = 200

/** The outcomes that wait for their callers, as `NativeOutcomes` of the addon. */
class ModelOutcomes {
  /** @type {unknown[]} */
  #outcomes = []

  /**
   * @param {number} ticket
   * @param {Outcome} outcome
   * @returns {boolean} whether it is the only one
   */
  add(ticket, [type, value, detail]) {
    return this.#outcomes.push(ticket, type, value, detail) === 4
  }

  /** @returns {any[] | null} */
  take() {
    if (this.#outcomes.length === 0) return null
    const outcomes = this.#outcomes
    this.#outcomes = []
    return outcomes
  }
}

/**
 * What `NativeStore` of the addon does, by statements of a Sequelize instance: on its connections, with its hooks, its
 * logging and its transactions.
 */
class ModelStore {
  #table
  #model
  #queue
  #createTable
  #outcomes
  #arrived
  #order
  #counts = { batches: 0, operations: 0, retries: 0, pruned: 0, gone: 0 }
  #pending = 0
  #bytes = 0
  #closed = false
  /**
   * The check of the table, which is made once.
   * @type {Promise<void> | undefined}
   */
  #checked
  /** The table was there. If it is missing after that, it is not created: that would turn an outage into logouts. */
  #found = false

  /**
   * @param {{
   *   model: import('../sequelize/instance.js').Model, layout?: import('../layouts.js').LayoutName, createTable: boolean,
   *   queue: { maxOperations: number, maxBytes: number }
   * }} options
   * @param {ModelOutcomes} outcomes
   * @param {() => void} arrived is called when outcomes are there
   */
  constructor({ model, layout, createTable, queue }, outcomes, arrived) {
    this.#model = model
    this.#table = new ModelTable(model, layout)
    this.#queue = queue
    this.#createTable = createTable
    this.#outcomes = outcomes
    this.#arrived = arrived
    this.#order = new CallOrder(() => this.#table.isInTransaction())
  }

  /**
   * @param {number} ticket
   * @param {number} now
   * @param {string} sid
   */
  get(ticket, now, sid) {
    const run = this.#call(ticket, sid.length, async () => {
      const row = await this.#table.read(sid)
      if (row === undefined || Number(row.expires) <= now) return [OutcomeType.Missing]
      const isReadable = typeof row.data === 'string' && !Number.isNaN(row.expires)
      return isReadable ? [OutcomeType.Session, row.data, row.expires] : [OutcomeType.Unreadable]
    })
    this.#order.read(sid, run)
  }

  /**
   * @param {number} ticket
   * @param {number} now
   * @param {string} sid
   * @param {string} data
   * @param {number} expires
   * @param {number | null | undefined} updateUntil
   * @param {boolean} keepLater
   * @param {string} [_columns] for the addon
   * @param {[string, unknown][]} [entries] the application's own values, by the attributes of the model
   */
  set(ticket, now, sid, data, expires, updateUntil, keepLater, _columns, entries = []) {
    const saved = { data, expires }
    const extra = Object.fromEntries(entries.map(([name, value]) => [name, copyOf(value)]))
    const called = Date.now()
    const run = this.#call(ticket, sid.length + data.length, async () => {
      if (typeof updateUntil === 'number') {
        if (await this.#table.update(sid, saved, extra, keepLater)) return [OutcomeType.Done]
        // The time in line counts.
        if (now + Date.now() - called < updateUntil) {
          this.#counts.gone++
          return [OutcomeType.Done]
        }
      }
      await this.#table.upsert(sid, saved, extra)
      return [OutcomeType.Done]
    })
    this.#order.write(sid, run)
  }

  /**
   * @param {number} ticket
   * @param {number} now
   * @param {string} sid
   * @param {number} expires
   * @param {number | null} [unlessAfter]
   */
  touch(ticket, now, sid, expires, unlessAfter) {
    const run = this.#call(ticket, sid.length, async () => {
      await this.#table.touch(sid, expires, now, unlessAfter)
      return [OutcomeType.Done]
    })
    this.#order.write(sid, run)
  }

  /**
   * @param {number} ticket
   * @param {number} _now
   * @param {string} sid
   */
  destroy(ticket, _now, sid) {
    const run = this.#call(ticket, sid.length, async () => {
      await this.#table.destroy(sid)
      return [OutcomeType.Done]
    })
    this.#order.write(sid, run)
  }

  /**
   * @param {number} ticket
   * @param {number} now
   */
  length(ticket, now) {
    this.#order.beside(this.#call(ticket, 0, async () => [OutcomeType.Count, await this.#table.length(now)]))
  }

  /**
   * @param {number} ticket
   * @param {number} now
   * @param {Buffer | null | undefined} after
   * @param {number} limit
   * @param {boolean} withData
   */
  page(ticket, now, after, limit, withData) {
    const run = this.#call(ticket, 0, async () => {
      const { sessions, full } = await this.#table.page(after?.toString(), limit, withData, now)
      const rows = sessions.flatMap(({ sid, data, expires }) => [sid, data, expires])
      const last = full ? sessions.at(-1) : undefined
      return [OutcomeType.Page, rows, last && Buffer.from(String(last.sid))]
    })
    this.#order.beside(run)
  }

  /**
   * @param {number} ticket
   * @param {number} _now
   */
  clear(ticket, _now) {
    const run = this.#call(ticket, 0, async () => {
      await this.#table.clear()
      return [OutcomeType.Done]
    })
    this.#order.alone(run)
  }

  /**
   * Removes expired sessions in steps, between which other calls run.
   * @param {number} ticket
   * @param {number} now
   */
  prune(ticket, now) {
    let removed = 0
    const run = this.#call(ticket, 0, async () => {
      for (let more = true; more && !(this.#closed && removed > 0); ) {
        const step = await this.#table.prune(now)
        more = step.more
        removed += step.pruned
        this.#counts.pruned += step.pruned
      }
      return [OutcomeType.Count, removed]
    })
    this.#order.afterWrites(run)
  }

  /**
   * @param {number} ticket
   * @param {number} _now
   * @param {boolean} force
   */
  sync(ticket, _now, force) {
    const run = this.#call(
      ticket,
      0,
      async () => {
        await (force ? this.#table.sync(true) : this.#create())
        this.#checked = undefined
        this.#found = false
        await this.#check()
        return [OutcomeType.Done]
      },
      false
    )
    this.#order.alone(run)
  }

  /** Every call begins when it is made. */
  submit() {}

  /**
   * Refuses calls from now on. The connections are those of the instance, and stay open.
   * @param {number} ticket
   */
  close(ticket) {
    this.#closed = true
    this.#order.alone(async () => this.#deliver(ticket, [OutcomeType.Done]))
  }

  /** There is nothing to release. */
  release() {}

  stats() {
    const { size, idle } = this.#closed ? { size: 0, idle: 0 } : poolSizes(this.#model.sequelize)
    return { ...this.#counts, pending: this.#pending, poolSize: size, poolIdle: idle }
  }

  takeNote() {
    return null
  }

  /**
   * A call that waits for its turn; it must be given one, and does not fail.
   * @param {number} ticket
   * @param {number} length of its texts
   * @param {() => Promise<Outcome>} statements
   * @param {boolean} [checks] whether the table has to be there
   * @returns {() => Promise<void>}
   */
  #call(ticket, length, statements, checks = true) {
    const bytes = CALL_BYTES + length
    if (this.#closed) throw new SessionStoreError('ERR_SESSION_CLOSED', 'the session store is closed')
    if (this.#pending >= this.#queue.maxOperations || this.#bytes + bytes > this.#queue.maxBytes) {
      throw new SessionStoreError(
        'ERR_SESSION_QUEUE_FULL',
        `${this.#pending} operations are pending, and option \`queue\` does not allow more`
      )
    }
    this.#pending++
    this.#bytes += bytes
    return async () => {
      const outcome = await this.#outcome(checks, statements)
      this.#counts.batches++
      this.#counts.operations++
      this.#pending--
      this.#bytes -= bytes
      this.#deliver(ticket, outcome)
    }
  }

  /**
   * @param {boolean} checks
   * @param {() => Promise<Outcome>} statements
   * @returns {Promise<Outcome>}
   */
  async #outcome(checks, statements) {
    const inTransaction = this.#table.isInTransaction()
    for (let tries = 0; ; tries++) {
      try {
        if (checks && !this.#found) await this.#check()
        return await statements()
      } catch (error) {
        // Within a transaction, only the application can repeat it.
        if (inTransaction || tries === RETRIES || !isTemporary(error, tries)) {
          return [OutcomeType.Failed, failureOf(error, this.#model)]
        }
        this.#counts.retries++
        await new Promise((resolve) => setTimeout(resolve, WAIT_MS * 2 ** tries * (0.5 + Math.random())))
      }
    }
  }

  /** Looks once whether the table can serve, and creates it if it is missing and may be created. */
  async #check() {
    this.#checked ??= this.#inspect().finally(() => {
      this.#checked = undefined
    })
    await this.#checked
  }

  async #inspect() {
    try {
      await this.#table.check()
    } catch (error) {
      if (!this.#createTable || !isMissingTable(error)) throw error
      await this.#create()
    }
    this.#found = true
  }

  async #create() {
    try {
      await this.#table.sync()
    } catch (error) {
      // Another process may have created it meanwhile.
      await this.#table.check().catch(() => {
        throw error
      })
    }
  }

  /**
   * @param {number} ticket
   * @param {Outcome} outcome
   */
  #deliver(ticket, outcome) {
    if (this.#outcomes.add(ticket, outcome)) this.#arrived()
  }
}

/**
 * A value that the application may change after the call.
 * @param {unknown} value
 */
function copyOf(value) {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return Buffer.from(value)
  try {
    return structuredClone(value)
  } catch {
    // It has functions, which no column keeps.
    return value
  }
}

module.exports = { ModelOutcomes, ModelStore }
