'use strict'

const { createHash, randomFillSync } = require('node:crypto')
const { Cookie, Session } = require('express-session')

const DAY = 86_400_000

/** The id of a filled-in session. */
function storedSid(/** @type {number} */ index, sort = 'session') {
  return createHash('md5').update(`${sort}-${index}`).digest('hex')
}

/** Hands out ids of filled-in sessions at random, each as a new string, as a request does. */
class StoredSids {
  constructor(/** @type {number} */ rows, /** @type {number} */ seed) {
    this.rows = rows
    this.state = seed
    this.text = Buffer.alloc(rows * 32)
    for (let index = 0; index < rows; index++) this.text.latin1Write(storedSid(index), index * 32)
  }

  /** From 0 to `limit` - 1, by xorshift, so that each peer gets the same sequence. */
  random(/** @type {number} */ limit) {
    this.state ^= this.state << 13
    this.state ^= this.state >>> 17
    this.state ^= this.state << 5
    return (this.state >>> 0) % limit
  }

  next() {
    const offset = this.random(this.rows) * 32
    return this.text.latin1Slice(offset, offset + 32)
  }
}

/** Hands out ids that no row has. They are shorter than those filled in, by which they are found again and removed. */
class NewSids {
  constructor() {
    this.bytes = Buffer.alloc(65_536)
    this.offset = this.bytes.length
  }

  next() {
    if (this.offset + 15 > this.bytes.length) {
      randomFillSync(this.bytes)
      this.offset = 0
    }
    this.offset += 15
    return this.bytes.hexSlice(this.offset - 15, this.offset)
  }
}

/** What an application keeps in a session whose JSON, with its cookie, has `size` bytes. */
function sessionData(/** @type {number} */ size) {
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

function newCookie() {
  return new Cookie({ maxAge: DAY })
}

/** A new session, as express-session makes it. */
function newSession(store, sid, data) {
  const session = new Session({ sessionStore: store, sessionID: sid }, structuredClone(data))
  session.cookie = newCookie()
  return session
}

/** A session as express-session makes it from what `get` returns. */
function loadedSession(store, sid, loaded) {
  return store.createSession({ sessionStore: store, sessionID: sid }, loaded)
}

module.exports = { storedSid, StoredSids, NewSids, sessionData, newSession, loadedSession }
