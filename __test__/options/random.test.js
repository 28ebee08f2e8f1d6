'use strict'

const os = require('node:os')
const path = require('node:path')
const { inspect } = require('node:util')
const fc = require('fast-check')
const { Sequelize } = require('sequelize')
const { SessionStoreError } = require('../..')
const { closeAll, create } = require('./setup')

// Options of any kind: a store, or an error of ours that tells no secret. A run that fails prints its seed.

const secret = 'k3pt-back'

const throws = () => {
  throw Object.assign(new Error('of the application'), { code: 'ENOENT' })
}
const revoked = (target) => {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

/** What is of no use for most options, or throws when it is looked at. */
const ODD = [
  null,
  undefined,
  '',
  `postgres://shop:${secret}@host/shop`,
  Number.NaN,
  -1,
  0.5,
  2 ** 53,
  Number.POSITIVE_INFINITY,
  1n,
  Symbol(secret),
  true,
  [],
  [secret],
  {},
  { [Symbol.toPrimitive]: throws },
  { toString: throws, valueOf: throws, toJSON: throws },
  Object.create(null),
  Object.defineProperty({}, 'stringify', { get: throws, enumerable: true }),
  Object.defineProperty({}, 'max', { get: throws, enumerable: true }),
  new Proxy({}, { get: throws }),
  new Proxy({}, { ownKeys: throws }),
  new Proxy({}, { has: throws, getPrototypeOf: throws }),
  revoked({}),
  revoked([]),
  revoked(() => {}),
  new Date(Number.NaN),
  new URL(`postgres://shop:${secret}@host/shop`),
  class {},
  async () => secret
]
/** One of them by its place: fast-check looks at values. */
const odd = fc.nat({ max: ODD.length - 1 }).map((place) => ({ odd: place }))

/** What stands for a value, with those in their places. */
function resolved(value) {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return value
  if ('odd' in value) return ODD[value.odd]
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolved(each)]))
}

const names = [
  'tableName',
  'modelKey',
  'table',
  'layout',
  'expiration',
  'checkExpirationInterval',
  'extendDefaultFields'
].concat(
  ['disableTouch', 'touchAfter', 'createTable', 'serializer', 'schema', 'timezone', 'preparedStatements', 'fileMode'],
  ['columns', 'pool', 'queue', 'url', 'sequelize', 'toString', '__proto__', 'constructor']
)

const named = ['tableName', 'modelKey', 'table', 'schema']

const pieces = fc.constantFrom(
  ...[
    `:${secret}`,
    `=${secret}`,
    `${secret}@`,
    '//',
    '/',
    ':',
    '?',
    '&',
    '=',
    '#',
    '@',
    '%',
    '%2F',
    '%zz',
    '[::1]',
    '{',
    '}'
  ],
  ...[
    '"',
    ' ',
    'é',
    '\0',
    '\ud800',
    'host',
    'shop',
    '5432',
    '99999',
    'ssl',
    'sslmode',
    'ssl-mode',
    'mode',
    'memory',
    ':memory:'
  ],
  ...['ssl={', 'sslkey', 'host=', 'port=', 'user', 'password', 'options[a]', 'busy_timeout', 'true', '-1']
)
const schemes = fc.constantFrom(
  'sqlite:',
  'postgres://',
  'postgresql:',
  'mysql://',
  'mariadb:',
  'oracle://',
  'file:',
  '',
  ' '
)
const urls = fc.tuple(schemes, fc.array(pieces, { maxLength: 10 })).map(([scheme, rest]) => scheme + rest.join(''))

const group = fc.dictionary(
  fc.constantFrom('max', 'queryTimeout', 'maxBytes', 'maxOperations', 'sid', 'data', 'createdAt', 'deletedAt', 'other'),
  fc.oneof(odd, fc.integer(), fc.constantFrom('a', 'sid', false))
)

const options = fc.record({
  db: fc.oneof({ arbitrary: urls, weight: 3 }, { arbitrary: odd, weight: 1 }),
  rest: fc.array(fc.tuple(fc.constantFrom(...names), fc.oneof(odd, group, fc.constantFrom('a', 5, 0))), {
    maxLength: 4
  }),
  getter: fc.boolean()
})

/** What is seen of an error in a log, but not what an application's own code has thrown. */
const visible = ({ message, stack, cause }) =>
  [message, stack, cause instanceof SessionStoreError ? visible(cause) : ''].join('\n')

/** Fails unless the options make a store, or are refused as they should be. Returns whether there is a store. */
async function attempt(given) {
  let store
  try {
    store = create(given)
  } catch (error) {
    expect(error).toBeInstanceOf(SessionStoreError)
    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    // Node's inspector shows what an error holds.
    expect(visible(error)).not.toContain(secret)
    return false
  }
  for (const text of [inspect(store, { depth: 9, showHidden: true }), JSON.stringify(store.stats())]) {
    expect(text).not.toContain(secret)
  }
  await closeAll()
  return true
}

const RUNS = { numRuns: 1500 }

test('any options', async () => {
  let made = 0
  const property = fc.asyncProperty(options, async ({ db, rest, getter }) => {
    const given = { db: resolved(db) }
    for (const [name, value] of rest) {
      // Names are shown.
      if (named.includes(name) && typeof ODD[value?.odd] === 'string') continue
      const get = getter ? throws : () => resolved(value)
      Object.defineProperty(given, name, { get, enumerable: true, configurable: true })
    }
    if (await attempt(given)) made++
  })
  await fc.assert(property, RUNS)
  expect(made).toBeGreaterThan(0)
})

test('any URL', async () => {
  let made = 0
  const property = fc.asyncProperty(urls, async (db) => {
    if (await attempt({ db })) made++
  })
  await fc.assert(property, RUNS)
  expect(made).toBeGreaterThan(0)
})

test.each([odd, group, fc.constant([])].map((each, i) => [i, each]))(
  'anything in place of the options (%i)',
  async (_i, each) => {
    const property = fc.asyncProperty(each, async (value) => {
      const given = resolved(value)
      if (given !== undefined) await attempt(given)
    })
    await fc.assert(property, { numRuns: 100 })
  }
)

test('any settings of a Sequelize instance', async () => {
  // Nothing is opened, but the folder of another file would be made.
  const storage = path.join(os.tmpdir(), 'sessions.sqlite')
  let made = 0
  const setting = fc.oneof(odd, fc.constantFrom('host', 'shop', 5432, '5432', 'UTC', '+02:00', {}))
  const settings = fc.record({
    dialect: fc.constantFrom('sqlite', 'postgres', 'mysql', 'mariadb'),
    rest: fc.dictionary(
      fc.constantFrom('host', 'port', 'pool', 'dialectOptions', 'replication', 'ssl', 'define', 'password'),
      fc.oneof(
        setting,
        fc.dictionary(fc.constantFrom('ssl', 'max', 'acquire', 'ca', 'key', 'mode', 'socketPath', 'write'), setting)
      ),
      { maxKeys: 3 }
    )
  })
  const property = fc.asyncProperty(settings, async ({ dialect, rest }) => {
    let db
    try {
      db = new Sequelize('shop', 'user', secret, { logging: false, storage, ...resolved(rest), dialect })
    } catch {
      // Sequelize refuses it itself.
      return
    }
    if (await attempt({ db })) made++
  })
  await fc.assert(property, RUNS)
  expect(made).toBeGreaterThan(0)
})
