'use strict'

const { RustSequelizeStore, SessionStoreError } = require('../../..')
const { args } = require('../run')
const { session } = require('../sessions')

// An application whose own code throws all that can be thrown, wherever a store runs it. Prints each call that was not answered as it
// should be: once, with an error of the store, and with what was thrown as its cause.

const CODES = ['ERR_SESSION_DATA', 'ERR_SESSION_OPTIONS', 'ERR_SESSION_TABLE']

const revoked = (target = {}) => {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const throwing = {
  get message() {
    throw new Error('from the getter of a message')
  }
}

const THROWN = {
  'an error': new RangeError('of the application'),
  'an error like a missing file': Object.assign(new Error('missing'), { code: 'ENOENT' }),
  'an error with a number': Object.assign(new Error('five'), { code: 5 }),
  'an error whose message is a symbol': Object.assign(new Error('symbol'), { message: Symbol('message') }),
  'an error whose message throws': Object.setPrototypeOf(throwing, Error.prototype),
  'an error of the store by name only': new SessionStoreError('ENOENT', 'forged'),
  'an error with a code of the store': Object.assign(new Error('forged'), { code: 'ERR_SESSION_UNKNOWN' }),
  null: null,
  undefined,
  'a text': 'text',
  'a number': 5,
  'a symbol': Symbol('thrown'),
  'an object without prototype': Object.create(null),
  'a revoked proxy': revoked(),
  'a revoked proxy of an error': revoked(new Error('gone'))
}

/** Where an application can throw: the options of the store, and the call. `raise` throws. */
const THROWING = {
  'a property of the session': (raise) => ({ call: ['set', 'sid', getter(session(), 'user', raise)] }),
  'toJSON of the session': (raise) => ({ call: ['set', 'sid', session({ toJSON: raise })] }),
  'the cookie': (raise) => ({ call: ['set', 'sid', getter({}, 'cookie', raise)] }),
  'the cookie when it is read again': (raise) => ({ call: ['set', 'sid', later('cookie', raise)] }),
  'the cookie of a touch': (raise) => ({ call: ['touch', 'sid', getter({}, 'cookie', raise)] }),
  'the cookie of a touch that may be skipped': (raise) => ({
    options: { touchAfter: 60_000 },
    before: (store, [, sid, value]) => store.set(sid, value),
    call: ['touch', 'sid', later('cookie', raise, 2)]
  }),
  'the expiry of a cookie': (raise) => ({ call: ['touch', 'sid', { cookie: getter({}, 'expires', raise) }] }),
  'valueOf of an expiry': (raise) => ({ call: ['touch', 'sid', { cookie: { expires: { valueOf: raise } } }] }),
  _expire: (raise) => ({ call: ['touch', 'sid', getter({}, '_expire', raise)] }),
  'a proxy as session': (raise) => ({ call: ['set', 'sid', new Proxy(session(), { get: raise, ownKeys: raise })] }),
  stringify: (raise) => ({ options: { serializer: { stringify: raise, parse: JSON.parse } }, call: set() }),
  extendDefaultFields: (raise) => ({ options: { extendDefaultFields: raise }, call: set() }),
  'a field': (raise) => extended((defaults) => getter({ ...defaults }, 'user', raise)),
  'the field data': (raise) => extended((defaults) => getter({ expires: defaults.expires }, 'data', raise)),
  'the field expires': (raise) => extended((defaults) => ({ ...defaults, expires: { valueOf: raise } })),
  'a proxy of fields': (raise) => extended((defaults) => new Proxy({ ...defaults }, { ownKeys: raise })),
  'toJSON of a field': (raise) => extended((defaults) => ({ ...defaults, user: { toJSON: raise } })),
  'getTime of a field': (raise) =>
    extended((defaults) => ({ ...defaults, user: Object.assign(new Date(), { getTime: raise }) })),
  'the options': (raise) => ({ change: (store) => getter(store.options, 'serializer', raise), call: set() }),
  'the options of a list': (raise) => ({
    before: (store) => store.set('sid', session()),
    change: (store) => getter(store.options, 'serializer', raise),
    call: ['all']
  }),
  'the options of sync': (raise) => ({ call: ['sync', getter({}, 'force', raise)] })
}

/** What is wrong by itself: `error` is what comes of it, or null for success. */
const VALUES = {
  'a BigInt in a session': { call: ['set', 'sid', session({ big: 1n })] },
  'a BigInt as expiry': { call: ['touch', 'sid', { cookie: { expires: 1n } }] },
  'a symbol as expiry': { call: ['touch', 'sid', { cookie: { expires: Symbol('never') } }] },
  'a cycle': { call: ['set', 'sid', cycle()] },
  'a revoked proxy as session of set': { call: ['set', 'sid', revoked()] },
  'a revoked proxy as session of touch': { call: ['touch', 'sid', revoked()] },
  'a revoked proxy of an array as session': { call: ['set', 'sid', revoked([])] },
  'a revoked proxy as cookie': { call: ['touch', 'sid', { cookie: revoked() }] },
  'a revoked proxy as field': extended((defaults) => ({ ...defaults, user: revoked() })),
  'a revoked proxy as fields': extended(() => revoked()),
  'a revoked proxy of bytes as field': extended((defaults) => ({ ...defaults, user: revoked(Buffer.from('a')) })),
  'a proxy of a date as field': extended((defaults) => ({ ...defaults, user: new Proxy(new Date(), {}) })),
  'a proxy of bytes as field': extended((defaults) => ({ ...defaults, user: new Proxy(Buffer.from('a'), {}) })),
  'a field without a name': extended((defaults) => ({ ...defaults, '': 1 })),
  'a BigInt as the field expires': extended((defaults) => ({ ...defaults, expires: 1n })),
  'no serializer': { change: (store) => assign(store, 'serializer', null), call: set() },
  'a symbol as expiration': {
    change: (store) => assign(store, 'expiration', Symbol('day')),
    call: ['touch', 'sid', {}]
  },
  'fields by promise': extended(async () => {
    throw new Error('rejected')
  }),
  'a text by promise': {
    options: {
      serializer: {
        parse: JSON.parse,
        stringify: async () => {
          throw new Error('rejected')
        }
      }
    },
    call: set()
  }
}

/** What is read of a row, where nothing is a failure of the call: the row counts as absent. */
const READING = {
  parse: (raise) => ({ stringify: JSON.stringify, parse: raise }),
  'the cookie of what is parsed': (raise) => ({ stringify: JSON.stringify, parse: () => getter({}, 'cookie', raise) }),
  'a revoked proxy of parse': () => ({ stringify: JSON.stringify, parse: () => revoked() })
}

function set() {
  return ['set', 'sid', session()]
}

function extended(extendDefaultFields) {
  return { options: { extendDefaultFields }, call: set() }
}

function cycle() {
  const value = session()
  value.self = value
  return value
}

function getter(object, name, get) {
  return Object.defineProperty(object, name, { get, enumerable: true, configurable: true })
}

/** A session that throws when the property is read once more. */
function later(name, raise, times = 1) {
  const value = session()
  const { [name]: own } = value
  let reads = 0
  return getter(value, name, () => (++reads > times ? raise() : own))
}

function assign(store, name, value) {
  store.options[name] = value
}

const STYLES = {
  callback: (store, [verb, ...given], answered) => store[verb](...given, (error, value) => answered(error, value)),
  promise: (store, [verb, ...given], answered) =>
    store[verb](...given).then(
      (value) => answered(null, value),
      (error) => answered(error)
    )
}

const [place] = args()
const wrong = []
const uncaught = []
let tried = 0
process.on('uncaughtException', (error) => uncaught.push(`exception: ${String(error?.stack)}`))
process.on('unhandledRejection', (error) => uncaught.push(`rejection: ${String(error?.stack)}`))

async function attempt(name, prepare, check) {
  for (const [style, start] of Object.entries(STYLES)) {
    const { options, before, change, call } = prepare()
    const store = new RustSequelizeStore({ ...place, ...options })
    await before?.(store, call)
    change?.(store)
    let calls = 0
    let threw = false
    const [error, value] = await new Promise((resolve) => {
      try {
        start(store, call, (...answer) => {
          calls++
          resolve(answer)
        })
      } catch (error) {
        threw = true
        resolve([error])
      }
    })
    await new Promise((resolve) => setImmediate(resolve))
    const { pending } = store.stats()
    tried++
    const reason = threw ? 'thrown' : (check(error, value, style) ?? (pending === 0 ? undefined : `${pending} pending`))
    if (calls !== 1 || reason !== undefined) wrong.push(`${name}, ${style}: ${calls} answers, ${reason}`)
    await store.close()
  }
}

function isOurs(error) {
  if (!(error instanceof SessionStoreError)) return 'not an error of the store'
  return CODES.includes(error.code) ? undefined : `the code ${String(error.code)}`
}

async function main() {
  for (const [what, thrown] of Object.entries(THROWN)) {
    const raise = () => {
      throw thrown
    }
    for (const [where, prepare] of Object.entries(THROWING)) {
      const check = (error) =>
        isOurs(error) ?? (thrown === undefined || error.cause === thrown ? undefined : 'another cause')
      await attempt(`${what} from ${where}`, () => prepare(raise), check)
    }
    for (const [where, prepare] of Object.entries(READING)) {
      const check = (error, value, style) => {
        if (error) return String(error.code)
        const mayBeFound = style === 'promise' && where.startsWith('the cookie')
        return value === null || mayBeFound ? undefined : 'a session'
      }
      const before = async (store) => {
        await store.set('sid', session())
      }
      const given = () => ({ options: { serializer: prepare(raise) }, before, call: ['get', 'sid'] })
      await attempt(`${what} from ${where}`, given, check)
    }
  }
  for (const [what, prepared] of Object.entries(VALUES)) await attempt(what, () => prepared, isOurs)
  await new Promise((resolve) => setTimeout(resolve, 50))
  console.log(JSON.stringify({ tried, wrong, uncaught }))
}

main()
