'use strict'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** A session as express-session gives it to `set`, but a plain object. It expires `maxAge` milliseconds from now. */
function session(data = {}, maxAge = DAY) {
  return {
    cookie: {
      originalMaxAge: maxAge,
      expires: new Date(Date.now() + maxAge),
      httpOnly: true,
      path: '/'
    },
    ...data
  }
}

/** A session whose cookie ends with the browser. */
function browserSession(data = {}) {
  return {
    cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' },
    ...data
  }
}

/** What becomes of a session in a row and back. */
const stored = (value) => JSON.parse(JSON.stringify(value))

/** A session as express-session makes it of what `get` found. */
function loaded(store, sid, data) {
  return store.createSession({ sessionID: sid }, stored(data))
}

/** The two ways of calling a method; both give a promise here. */
const styles = {
  callback: (store, verb, ...args) =>
    new Promise((resolve, reject) => {
      store[verb](...args, (error, result) => (error ? reject(error) : resolve(result)))
    }),
  promise: (store, verb, ...args) => store[verb](...args)
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits for a condition that something else brings about. */
async function until(condition) {
  const deadline = Date.now() + 10_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited too long')
    await sleep(5)
  }
}

/** The error codes of the promises that failed, null for the others. */
async function codes(promises) {
  const settled = await Promise.allSettled(promises)
  return settled.map(({ reason }) => reason?.code ?? null)
}

async function collect(iterable) {
  const all = []
  for await (const item of iterable) all.push(item)
  return all
}

/** A generator of numbers in [0, 1), the same for the same seed (mulberry32). */
function generator(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How far two dates are apart, in milliseconds. */
const apart = (one, other) => Math.abs(Number(one) - Number(other))

module.exports = {
  HOUR,
  DAY,
  session,
  browserSession,
  stored,
  loaded,
  styles,
  sleep,
  until,
  codes,
  collect,
  generator,
  apart
}
