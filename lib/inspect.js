'use strict'

/** @typedef {(depth: number, context: import('node:util').InspectOptions, inspect: typeof import('node:util').inspect) => unknown} Inspect */

/**
 * What `util.inspect` shows of a store: its name and its options, and nothing else of it.
 * @param {{ options: object }} store
 * @param {Parameters<Inspect>[0]} depth
 * @param {Parameters<Inspect>[1]} context
 * @param {Parameters<Inspect>[2]} inspect
 */
function inspectOptions({ constructor: { name }, options }, depth, context, inspect) {
  if (depth < 0) return `[${name}]`
  const inner = typeof context.depth === 'number' ? context.depth - 1 : context.depth
  return `${name} ${inspect({ options }, { ...context, depth: inner })}`
}

module.exports = { inspectOptions }
