'use strict'

const fs = require('node:fs')

/** What a session holds: enough to see that it was not cut off. */
const content = (number) => ({ number, text: `${number} `.repeat(1 + (number % 200)) })

/**
 * What the journal of a process that was killed says of each session: `{ number, verb, done }` of its calls, in their order, by sid.
 * Throws if a call has failed.
 */
function readJournal(file) {
  const calls = new Map()
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
  // What follows the last end of a line was cut off by the kill.
  for (const line of text.split('\n').slice(0, -1)) {
    const [word, sid, number, verb] = line.split(' ')
    if (word === 'error') throw new Error(`a call of the process has failed: ${line}`)
    if (!calls.has(sid)) calls.set(sid, [])
    if (word === 'call') calls.get(sid).push({ number: Number(number), verb, done: false })
    else calls.get(sid).find((call) => call.number === Number(number)).done = true
  }
  return calls
}

/** The number that a session holds after a call, null for none. */
function after(state, { number, verb }) {
  switch (verb) {
    case 'set':
      return number
    case 'save':
      return state === null ? null : number
    case 'destroy':
      return null
    default:
      return state
  }
}

/**
 * What a session may hold after its calls, from `state` on: what it held after the last that was acknowledged, or after one that was
 * called later. Calls for one session take effect in their order, so no other has.
 */
function possibleStates(state, calls) {
  const acknowledged = calls.findLastIndex(({ done }) => done)
  const states = []
  let current = state
  if (acknowledged === -1) states.push(current)
  for (const [i, call] of calls.entries()) {
    current = after(current, call)
    if (i >= acknowledged) states.push(current)
  }
  return states
}

module.exports = { content, possibleStates, readJournal }
