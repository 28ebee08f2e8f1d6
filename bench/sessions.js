'use strict'

const { createHash } = require('node:crypto')
const { Cookie, Session } = require('express-session')

/** The id of a filled-in session. */
function storedSid(index, sort = 'session') {
  return createHash('md5').update(`${sort}-${index}`).digest('hex')
}

/** Hands out ids of filled-in sessions at random, each as a new string, as a request does. */
function storedSids(rows, seed) {
  const text = Buffer.from(Array.from({ length: rows }, (_, index) => storedSid(index)).join(''))
  let state = seed
  /** From 0 to `limit` - 1, by xorshift, so that each store gets the same sequence. */
  const random = (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
  const next = () => {
    const offset = random(rows) * 32
    return text.latin1Slice(offset, offset + 32)
  }
  return { random, next }
}

/** What an application keeps in a session whose JSON, with its cookie, has `size` bytes. */
function sessionData(size) {
  const data = {
    views: 1_000_000,
    csrfSecret: 'kq1VtmZ5mQyq7DSXbL0aB3Xr',
    passport: { user: '8f14e45f-ceea-467f-a9d3-3f2f2b6d1c11' },
    returnTo: '/account/orders?page=2',
    cart: [],
    note: ''
  }
  const length = () => JSON.stringify({ cookie: newCookie(), ...data }).length
  for (let n = 1; length() + 100 < size; n++) {
    data.cart.push({ sku: `A-${100_000 + n}`, name: `Article number ${n}`, quantity: (n % 3) + 1, price: 19.95 })
  }
  const missing = size - length()
  if (missing < 0) throw new Error(`expected --size to be at least ${length()} bytes, got ${size}`)
  data.note = 'n'.repeat(missing)
  return data
}

const newCookie = () => new Cookie({ maxAge: 86_400_000 })

/** A new session, as express-session makes it. */
function newSession(store, sid, data) {
  const session = new Session({ sessionStore: store, sessionID: sid }, structuredClone(data))
  session.cookie = newCookie()
  return session
}

module.exports = { storedSid, storedSids, sessionData, newSession }
