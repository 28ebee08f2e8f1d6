'use strict'

// Whether what several callers have seen of one session can be explained by calls that took effect one after the other.
//
// An operation is `{ chain, call, ret, from, to, type, value, expires, result, until }`. `call` and `ret` number the events of the run: one
// that has returned before another was called comes first. Those of one chain take effect in the order of their calls, but for reads with no
// write between them. `from` and `to` are the same two moments by the clock, in ms, between which an expiry counts or does not. `until` is
// when the cookie expires that a read has yielded.
//
// A state is null, for no row, or `{ value, expires, own }`: when the row expires, and what the session itself says, which differ after a
// touch. An expired row and one that was pruned are the same to all callers: who saves a
// session that he has loaded saves it, unless it was destroyed. Only what another store has done meanwhile is not known to the one that
// saves (`shared`): a session that was cut short and pruned stays away, and one that was destroyed comes back if it was to expire by then
// (`mayInsert`).

/** How far the clocks of JavaScript, Rust and the test may seem apart, in ms. */
const SLACK = 20

const reads = new Set(['get', 'list', 'present'])

/**
 * The states that an operation may leave; none if its result cannot be.
 * @param precision What the table cuts off from an expiry, in ms, at most.
 */
function step(state, op, precision) {
  const written = { value: op.value, expires: op.expires, own: op.expires }
  if (op.type === 'set') return [written]
  if (op.type === 'destroy') return [null]
  const mayLive = state !== null && op.from <= state.expires + SLACK
  const mayBeDead = state === null || op.to >= state.expires - precision - SLACK
  const states = []
  switch (op.type) {
    case 'save':
      if (state === null) {
        states.push(null)
        if (op.mayInsert) states.push(written)
        return states
      }
      // What the row had may be longer than what the session says, after a touch.
      states.push({ ...written, expires: Math.max(op.expires, state.expires) })
      if (op.shared && mayBeDead) states.push(null)
      return states
    case 'touch':
      if (mayLive) states.push({ ...state, expires: op.expires })
      if (mayBeDead) states.push(state)
      return states
    case 'present':
      return (op.result ? mayLive : mayBeDead) ? [state] : []
    case 'get':
    case 'list':
      return (op.result === null ? mayBeDead : mayLive && yields(state, op, precision)) ? [state] : []
    default:
      throw new Error(`there is no operation ${op.type}`)
  }
}

/** Whether a live session is as it was yielded: its cookie expires no sooner than its row, and else as the session says. */
function yields({ value, expires, own }, { result, until }, precision) {
  return result === value && until >= Math.max(own, expires - precision) && until <= Math.max(own, expires)
}

/**
 * The writes by chain, in the order of their calls, with the first return among each and those after it; and the reads, with the number
 * of the writes of their chain that come before them.
 */
function arrange(operations) {
  const names = new Map()
  const chains = []
  const observations = []
  for (const op of [...operations].sort((one, other) => one.call - other.call)) {
    if (!names.has(op.chain)) {
      names.set(op.chain, chains.length)
      chains.push({ writes: [], firstReturn: [] })
    }
    const chain = names.get(op.chain)
    const { writes } = chains[chain]
    if (reads.has(op.type)) observations.push({ op, chain, after: writes.length })
    else writes.push(op)
  }
  for (const { writes, firstReturn } of chains) {
    firstReturn[writes.length] = Number.POSITIVE_INFINITY
    for (let at = writes.length - 1; at >= 0; at--) firstReturn[at] = Math.min(writes[at].ret, firstReturn[at + 1])
  }
  return { chains, observations }
}

/** Whether there is an order of the operations, from no row on, in which each could have its result. */
function linearizable(operations, precision) {
  const { chains, observations } = arrange(operations)
  const seen = new Set()
  /** The reads that are left, by their places in `observations`, and how many writes of each chain are done. */
  const stack = [{ left: observations.map((_, i) => i), done: chains.map(() => 0), state: null }]
  while (stack.length > 0) {
    const { done, state, ...before } = stack.pop()
    const limitOf = (left) =>
      Math.min(...chains.map(({ firstReturn }, i) => firstReturn[done[i]]), ...left.map((i) => observations[i].op.ret))
    const fits = ({ op, chain, after }, limit) =>
      op.call <= limit && done[chain] === after && step(state, op, precision).length > 0
    // A read that fits changes nothing: there is no need to try it later.
    let { left } = before
    for (let size; size !== left.length; ) {
      size = left.length
      const limit = limitOf(left)
      left = left.filter((i) => !fits(observations[i], limit))
    }
    const limit = limitOf(left)
    if (limit === Number.POSITIVE_INFINITY) return true
    const key = `${done.join()} ${left.join()} ${state === null ? '' : `${state.value} ${state.expires} ${state.own}`}`
    if (seen.has(key)) continue
    seen.add(key)
    const held = new Set(left.map((i) => observations[i]).map(({ chain, after }) => `${chain} ${after}`))
    for (const [i, { writes }] of chains.entries()) {
      const op = writes[done[i]]
      if (op === undefined || op.call > limit || held.has(`${i} ${done[i]}`)) continue
      for (const each of step(state, op, precision)) stack.push({ left, done: done.with(i, done[i] + 1), state: each })
    }
  }
  return false
}

module.exports = { SLACK, linearizable }
