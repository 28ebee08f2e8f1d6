'use strict'

const servers = require('.')
const { placeNames } = require('./places')

async function firstThatAnswers(urls, probe) {
  for (const url of urls) {
    try {
      await probe(url)
      return url
    } catch {}
  }
  return undefined
}

/** Starts a server of our own; without the programs for it, undefined. */
async function startOwn(create, cleanups) {
  const server = await create()
  if (server === null) return undefined
  cleanups.push(() => server.end())
  await server.start()
  return server.url()
}

/** A server for the tests: the one that was given, one of our own, or what answers at the usual port. */
async function findServer({ variable, create, probe, usual }, cleanups) {
  const given = process.env[`${variable}_URL`]
  if (given) return { url: given, own: false }
  let reason = new Error(`no programs of a server here, and ${variable}_URL is not set`)
  try {
    const url = await startOwn(create, cleanups)
    if (url !== undefined) return { url, own: true }
  } catch (error) {
    reason = error
  }
  const url = await firstThatAnswers(usual, probe)
  if (url === undefined) throw reason
  return { url, own: false }
}

/** Finds a server and makes the places of all workers on it. Tells the tests what was found by environment variables. */
async function prepare(server, workers, cleanups) {
  const { variable, probe, drop, make, execute } = server
  const { env } = process
  const before = env[`${variable}_URL`]
  const { url, own } = await findServer(server, cleanups)
  const names = placeNames(workers)
  const dropAll = names.map(drop).join('')
  await execute(url, dropAll + names.map(make).join(''))
  if (!own) cleanups.push(() => execute(url, dropAll))
  env[`${variable}_SERVER`] = await probe(url)
  env[`${variable}_URL`] = url
  // For a next run of the same process, as with --watch.
  cleanups.push(() => {
    if (before === undefined) delete env[`${variable}_URL`]
  })
}

module.exports = async ({ maxWorkers }) => {
  const cleanups = []
  globalThis.cleanups = cleanups
  await Promise.all(
    servers.map(async (server) => {
      const skipped = `${server.variable}_SKIPPED`
      delete process.env[skipped]
      try {
        await prepare(server, maxWorkers, cleanups)
      } catch (error) {
        process.env[skipped] = error.message
      }
    })
  )
}
