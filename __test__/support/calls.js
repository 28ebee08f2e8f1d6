'use strict'

/** The two ways of calling a method; both give a promise here. */
const styles = {
  callback: (store, verb, ...args) =>
    new Promise((resolve, reject) => {
      store[verb](...args, (error, result) => (error ? reject(error) : resolve(result)))
    }),
  promise: (store, verb, ...args) => store[verb](...args)
}

/** The error codes of the promises that failed, null for the others. */
async function codes(promises) {
  const settled = await Promise.allSettled(promises)
  return settled.map(({ reason }) => reason?.code ?? null)
}

/** The error of a promise that has to fail. */
const failure = (promise) =>
  promise.then(
    () => {
      throw new Error('should have failed')
    },
    (error) => error
  )

async function collect(iterable) {
  const all = []
  for await (const item of iterable) all.push(item)
  return all
}

module.exports = { codes, collect, failure, styles }
