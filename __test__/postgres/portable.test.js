'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { onRunningServer } = require('./setup')

// Relatives of PostgreSQL are not to be had here, so it passes for them. That portable statements follow the rules of the store is tested
// by ../conformance/postgres-portable.test.js; nobody but such a server can tell whether it takes them.

const versions = {
  cockroach: 'CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2025/05/28 18:23:19, go1.23.7)',
  yugabyte: 'PostgreSQL 15.12-YB-2025.1.0.1-b3 on x86_64-pc-linux-gnu, compiled by clang version 17.0.6, 64-bit'
}

onRunningServer(({ admin, exercised, open, server }) => {
  beforeAll(async () => {
    for (const [schema, version] of Object.entries(versions)) {
      await admin(`CREATE SCHEMA ${schema}`)
      await admin(`CREATE FUNCTION ${schema}.version() RETURNS text LANGUAGE sql AS $$ SELECT '${version}' $$`)
    }
    await admin('CREATE SCHEMA citus')
    await admin("CREATE VIEW citus.pg_extension AS SELECT 'citus'::name AS extname")
    await admin('CREATE SCHEMA plain')
    await admin("ALTER SYSTEM SET log_statement = 'all'")
    await admin('SELECT pg_reload_conf()')
  })

  /** A URL at which the names of a schema come before those of the system. */
  const url = (schema, parameters = '') =>
    server().url({ query: `options=${encodeURIComponent(`-c search_path=${schema},pg_catalog`)}${parameters}` })

  /** What a store makes the server do: kinds of statements that no relative takes, and those that take their place. */
  async function statements(db) {
    const log = path.join(server().folder, 'log')
    const { size } = fs.statSync(log)
    await exercised(db)
    const said = fs.readFileSync(log, 'utf8').slice(size)
    return {
      ctid: said.includes('ctid'),
      locks: said.includes('pg_try_advisory_xact_lock'),
      several: said.includes('WITH p0 AS'),
      bySid: said.includes('WITH a AS')
    }
  }

  const usual = { ctid: true, locks: true, several: true, bySid: false }
  const portable = { ctid: false, locks: false, several: false, bySid: true }

  test.each([...Object.keys(versions), 'citus'])('%s gets portable statements', async (schema) => {
    expect(await statements(url(schema))).toEqual(portable)
  })

  test('PostgreSQL gets the usual ones', async () => {
    expect(await statements(url('plain'))).toEqual(usual)
  })

  test.each([
    ['true', 'plain', portable],
    ['false', 'citus', usual]
  ])('the parameter `portable=%s` of the URL decides otherwise', async (value, schema, expected) => {
    expect(await statements(url(schema, `&portable=${value}`))).toEqual(expected)
  })

  test('another value of the parameter is refused', () => {
    expect(() => open(url('plain', '&portable=maybe'))).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_OPTIONS', message: expect.stringContaining('`portable`') })
    )
  })
})
