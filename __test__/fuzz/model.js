'use strict'

// Random calls by several callers on one table, and whether the rules of README.md explain what they saw.

const fc = require('fast-check')
const { styles } = require('../support/calls')
const { session } = require('../support/sessions')
const { HOUR, sleep } = require('../support/time')
const { SLACK, linearizable } = require('./linearize')

/** Ids that are easily taken for each other, or not easily quoted. */
const SIDS = ['ada', 'ADA', 'ädä😀', `o'b"r\`\\`]

/** Milliseconds that a session lives. Which of two that end soon is over is for the model to allow, for the clock to say. */
const LIFETIMES = { long: HOUR, longer: 2 * HOUR, over: -HOUR, soon: 30 }

/** How long all calls of one run may take, in ms. */
const PATIENCE = 30_000

/** How long the runs, and then the tries of smaller ones, may take without `seconds`. */
const SECONDS = 60

const weighted = (weights) =>
  fc.oneof(...Object.entries(weights).map(([value, weight]) => ({ arbitrary: fc.constant(value), weight })))

const command = fc.record({
  verb: weighted({
    get: 20,
    set: 12,
    save: 14,
    touch: 10,
    destroy: 10,
    ids: 3,
    all: 3,
    iterate: 3,
    length: 3,
    clearExpiredSessions: 4,
    pause: 3,
    clear: 1,
    sync: 1,
    force: 1
  }),
  sid: fc.constantFrom(...SIDS),
  lifetime: weighted({ long: 6, longer: 2, over: 2, soon: 2 }),
  /** Whether the caller waits for the answer before it goes on. */
  waits: fc.boolean(),
  style: fc.constantFrom('promise', 'callback'),
  text: fc.oneof(
    { arbitrary: fc.string({ unit: 'binary', maxLength: 10 }), weight: 9 },
    { arbitrary: fc.constant('x'.repeat(70_000)), weight: 1 }
  )
})

/** What each of several callers does, with which of the stores, and whether what ends soon is over when they have done it. */
const scenario = (stores) =>
  fc.record({
    callers: fc.array(
      fc.record({
        store: fc.nat({ max: stores - 1 }),
        commands: fc.array(command, { minLength: 1, maxLength: 25, size: 'max' })
      }),
      { minLength: 1, maxLength: 6, size: 'max' }
    ),
    waits: fc.boolean()
  })

/** Notes what is called and what comes of it. */
class History {
  #events = 0
  #values = 0
  /** By value, what the session has beside it. */
  #texts = new Map()
  operations = []
  /** `{ call, ret, from, to, result }` of `length`. */
  lengths = []
  pending = new Set()

  /** A session like no other. */
  value(text) {
    const value = `v${++this.#values}`
    this.#texts.set(value, text)
    return value
  }

  /** The value of a session that was read, which must be as it was written, and when its cookie expires. */
  read(found) {
    if (found === null || found === undefined) return { result: null }
    if (found.text !== this.#texts.get(found.value))
      throw new Error(`the text of ${found.value} is not what was written`)
    return { result: found.value, until: new Date(found.cookie.expires).getTime() }
  }

  /** Notes a call, and with `done` its end; resolves with its result. */
  async record(name, call, done) {
    const times = { call: ++this.#events, from: Date.now() }
    const entry = { name, ...times }
    this.pending.add(entry)
    const result = await call()
    this.pending.delete(entry)
    done(result, { ...times, ret: ++this.#events, to: Date.now() })
    return result
  }

  add(sid, operation) {
    this.operations.push({ sid, ...operation })
  }

  of(sid) {
    return this.operations.filter((op) => op.sid === sid)
  }
}

/** Calls what a command says, and notes it. */
class Caller {
  #store
  #chain
  #history
  /** By sid, the session that this caller has loaded. */
  #held = new Map()

  constructor(store, chain, history) {
    this.#store = store
    this.#chain = chain
    this.#history = history
  }

  async run(commands) {
    const calls = []
    for (const each of commands) {
      const call = this.#start(each)
      // Heard of below.
      call.catch(() => {})
      calls.push(call)
      if (each.waits) await call
    }
    await Promise.all(calls)
  }

  #start({ verb, ...rest }) {
    const lists = { ids: 1, all: 1, iterate: 1 }
    if (verb in lists) return this.#list(verb, rest)
    return this[verb](rest)
  }

  /** A call for one session. */
  #call(verb, sid, style, args, operation, read = () => ({})) {
    return this.#history.record(
      `${verb} ${sid}`,
      () => styles[style](this.#store, verb, sid, ...args),
      (result, times) => {
        this.#history.add(sid, { chain: this.#chain, ...operation, ...times, ...read(result) })
      }
    )
  }

  /** A call for the whole table that removes every session. */
  #remove(verb, style, args) {
    return this.#history.record(
      verb,
      () => styles[style](this.#store, verb, ...args),
      (_result, times) => {
        for (const sid of SIDS) this.#history.add(sid, { chain: this.#chain, type: 'destroy', ...times })
      }
    )
  }

  async get({ sid, style }) {
    const loadedFrom = Date.now()
    const found = await this.#call('get', sid, style, [], { type: 'get' }, (result) => this.#history.read(result))
    if (found === null) this.#held.delete(sid)
    else this.#held.set(sid, { loadedFrom, made: this.#store.createSession({ sessionID: sid }, found) })
  }

  set({ sid, style, lifetime, text }) {
    const value = this.#history.value(text)
    const made = session({ value, text }, LIFETIMES[lifetime])
    return this.#call('set', sid, style, [made], { type: 'set', value, expires: made.cookie.expires.getTime() })
  }

  /** Saves the session that was loaded, at the end of a request; a new one if there is none. */
  save({ sid, style, text, ...rest }) {
    const held = this.#held.get(sid)
    if (held === undefined) return this.set({ sid, style, text, ...rest })
    const { loadedFrom, made } = held
    const value = this.#history.value(text)
    Object.assign(made, { value, text })
    const expires = made.cookie.expires.getTime()
    return this.#call('set', sid, style, [made], { type: 'save', value, expires, loadedFrom })
  }

  touch({ sid, style, lifetime }) {
    const made = session({}, LIFETIMES[lifetime])
    return this.#call('touch', sid, style, [made], { type: 'touch', expires: made.cookie.expires.getTime() })
  }

  destroy({ sid, style }) {
    return this.#call('destroy', sid, style, [], { type: 'destroy' })
  }

  clear({ style }) {
    return this.#remove('clear', style, [])
  }

  force({ style }) {
    return this.#remove('sync', style, [{ force: true }])
  }

  sync({ style }) {
    return this.#history.record(
      'sync',
      () => styles[style](this.#store, 'sync'),
      () => {}
    )
  }

  clearExpiredSessions({ style }) {
    return this.#history.record(
      'clearExpiredSessions',
      () => styles[style](this.#store, 'clearExpiredSessions'),
      (removed) => {
        if (!(removed >= 0 && removed <= SIDS.length)) throw new Error(`${removed} sessions were pruned`)
      }
    )
  }

  #list(verb, { style }) {
    const calls = {
      ids: async () => {
        const ids = await styles[style](this.#store, 'ids')
        if (new Set(ids).size < ids.length) throw new Error('ids yielded one twice')
        return new Map(ids.map((sid) => [sid, true]))
      },
      all: async () => new Map(Object.entries(await styles[style](this.#store, 'all'))),
      iterate: async () => {
        const found = new Map()
        for await (const [sid, each] of this.#store.iterate()) found.set(sid, each)
        return found
      }
    }
    return this.#history.record(verb, calls[verb], (found, times) => {
      for (const sid of found.keys()) {
        if (!SIDS.includes(sid)) throw new Error(`${verb} yielded ${sid}, which nobody has written`)
      }
      for (const sid of SIDS) {
        // Each is seen at a moment of the call, whatever is going on beside it.
        const operation = { chain: Symbol(verb), ...times }
        if (verb === 'ids') this.#history.add(sid, { ...operation, type: 'present', result: found.has(sid) })
        else this.#history.add(sid, { ...operation, type: 'list', ...this.#history.read(found.get(sid)) })
      }
    })
  }

  length({ style }) {
    return this.#history.record(
      'length',
      () => styles[style](this.#store, 'length'),
      (result, times) => this.#history.lengths.push({ ...times, result })
    )
  }

  pause() {
    return sleep(15)
  }
}

/** What was called on one session, for whoever has to find out. */
function tell(operations) {
  const first = Math.min(...operations.map(({ from }) => from))
  const lines = operations
    .sort((one, other) => one.call - other.call)
    .map(({ chain, call, ret, from, to, type, value, expires, result, until: yielded }) => {
      const who = typeof chain === 'symbol' ? chain.description : `store ${chain}`
      const until = expires === undefined ? '' : ` until ${expires - first} ms`
      const end = yielded === undefined ? '' : ` until ${yielded - first} ms`
      const gave = ['get', 'list', 'present'].includes(type) ? ` = ${result}${end}` : ''
      return `  ${call}–${ret} (${from - first}–${to - first} ms) ${who}: ${type} ${value ?? ''}${until}${gave}`
    })
  return lines.join('\n')
}

/** Notes with each save what another store may have done meanwhile: see linearize.js. */
function withOthers(operations, precision, shared) {
  if (!shared) return operations
  const near = precision + SLACK
  const ends = operations.filter(({ type }) => ['set', 'save', 'touch'].includes(type))
  return operations.map((op) => {
    if (op.type !== 'save') return op
    // The session was to expire since it was loaded, or was cut short since.
    const mayInsert = ends.some(
      ({ expires, to }) => expires - near <= op.to && (expires + near >= op.loadedFrom || to >= op.loadedFrom)
    )
    return { ...op, shared, mayInsert }
  })
}

/** Throws unless the rules explain what was seen. */
function check(history, precision, shared) {
  const bySid = SIDS.map((sid) => withOthers(history.of(sid), precision, shared))
  for (const [i, operations] of bySid.entries()) {
    if (!linearizable(operations, precision)) {
      throw new Error(`no order of these calls explains what they yielded for ${SIDS[i]}:\n${tell(operations)}`)
    }
  }
  for (const { result, ...times } of history.lengths) {
    const possible = (operations, present) =>
      linearizable([...operations, { chain: Symbol('length'), ...times, type: 'present', result: present }], precision)
    const least = bySid.filter((operations) => !possible(operations, false)).length
    const most = bySid.filter((operations) => possible(operations, true)).length
    if (!(result >= least && result <= most)) {
      const all = bySid.map((operations, i) => `${SIDS[i]}:\n${tell(operations)}`).join('\n')
      const when = `${times.call}–${times.ret}`
      throw new Error(`length (${when}) was ${result}, expected ${least} to ${most}:\n${all}`)
    }
  }
}

/** What fails once it takes longer than it may. */
async function within(ms, promise, message) {
  let timer
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(message())), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Every way of reading, with nothing else going on, and once more without the expired. */
async function readAll(stores, history) {
  for (const [i, store] of stores.entries()) {
    const caller = new Caller(store, i, history)
    const style = 'promise'
    for (const sid of SIDS) await caller.get({ sid, style })
    await caller.run([
      { verb: 'ids', style },
      { verb: 'all', style },
      { verb: 'length', style }
    ])
    await caller.clearExpiredSessions({ style })
  }
}

/** Runs what a scenario says, and checks it. */
async function run(stores, { callers, waits }, precision) {
  const history = new History()
  await stores[0].clear()
  const before = stores.map((store) => store.stats())
  const force = stores.length === 1
  // Another store may meet the table while it is dropped.
  const allowed = ({ verb }) => force || verb !== 'force'
  const work = async () => {
    await Promise.all(
      callers.map(({ store, commands }) => new Caller(stores[store], store, history).run(commands.filter(allowed)))
    )
    if (waits) await sleep(2 * LIFETIMES.soon)
    await readAll(stores, history)
  }
  await within(PATIENCE, work(), () => {
    const names = [...history.pending].map(({ name }) => name)
    return `these calls have not come back: ${names.join(', ')}`
  })
  check(history, precision, stores.length > 1)
  for (const [i, store] of stores.entries()) {
    const { errors, unreadable } = store.stats()
    if (errors !== before[i].errors) throw new Error('an error was counted that no caller got')
    if (unreadable !== before[i].unreadable) throw new Error('a row was taken for unreadable')
  }
  return history.operations.length
}

/**
 * Plays random scenarios on stores that share a table. Rejects with the smallest that it finds to break a rule, and with the seed.
 * Resolves with `{ runs, operations, seed }`.
 *
 * @param stores Stores on one table that nothing else uses, where nothing expires by itself.
 * @param options `precision` of the table's dates in ms; `runs`; `seconds`, after which neither a run nor a try of a smaller one begins;
 *   `seed`.
 */
async function fuzz(stores, { precision, runs = 2 ** 31 - 1, seconds = SECONDS, seed = Date.now() | 0 }) {
  let operations = 0
  let done = 0
  const property = fc.asyncProperty(scenario(stores.length), async (played) => {
    operations += await run(stores, played, precision)
    done++
  })
  const result = await fc.check(property, {
    seed,
    numRuns: runs,
    interruptAfterTimeLimit: seconds * 1000
  })
  // To run out of time is no failure.
  if (result.failed && result.counterexample !== null) {
    const { counterexample, errorInstance, counterexamplePath, numShrinks } = result
    const where = `seed ${seed}, path ${counterexamplePath}, made smaller ${numShrinks} times`
    const played = JSON.stringify(counterexample[0], (_key, value) =>
      typeof value === 'string' && value.length > 100 ? `${value.slice(0, 10)}… (${value.length})` : value
    )
    throw new Error(`${where}: ${errorInstance?.message}\n${played}`)
  }
  return { runs: done, operations, seed }
}

module.exports = { fuzz }
