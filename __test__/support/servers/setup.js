'use strict'

const { Client } = require('pg')
const mysql = require('mysql2/promise')
const { createMysql, probe: probeMysql } = require('./mysql')
const { placeNames } = require('./places')
const { createPostgres, probe: probePostgres } = require('./postgres')

const kinds = [
  {
    variable: 'TEST_POSTGRES',
    create: createPostgres,
    probe: probePostgres,
    // What may answer on this machine: a server that was set up for tests, as the usual images have it.
    usual: ['postgres:postgres', 'postgres'].map((user) => `postgres://${user}@127.0.0.1:5432/postgres`),
    drop: (name) => `DROP SCHEMA IF EXISTS ${name} CASCADE;`,
    make: (name) => `CREATE SCHEMA ${name};`,

    async execute(url, sql) {
      const client = new Client({ connectionString: url, options: '-c client_min_messages=warning' })
      await client.connect()
      try {
        await client.query(sql)
      } finally {
        await client.end()
      }
    }
  },
  {
    variable: 'TEST_MYSQL',
    create: createMysql,
    probe: probeMysql,
    usual: ['root:root', 'root:mysql', 'root:password', 'root'].map((user) => `mysql://${user}@127.0.0.1:3306/mysql`),
    drop: (name) => `DROP DATABASE IF EXISTS ${name};`,
    make: (name) => `CREATE DATABASE ${name};`,

    async execute(url, sql) {
      const connection = await mysql.createConnection({ uri: url, multipleStatements: true })
      try {
        await connection.query(sql)
      } finally {
        await connection.end()
      }
    }
  }
]

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
async function prepare(kind, workers, cleanups) {
  const { variable, probe, drop, make, execute } = kind
  const { env } = process
  const before = env[`${variable}_URL`]
  const { url, own } = await findServer(kind, cleanups)
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
    kinds.map(async (kind) => {
      const skipped = `${kind.variable}_SKIPPED`
      delete process.env[skipped]
      try {
        await prepare(kind, maxWorkers, cleanups)
      } catch (error) {
        process.env[skipped] = error.message
      }
    })
  )
}
