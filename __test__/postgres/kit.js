'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { Client } = require('pg')
const { TEXTS } = require('../on-servers/texts')
const { literal, quote, run } = require('./setup')

const DATES = {
  live: ["'infinity'", "'294276-12-31 23:59:59.999999'", "'10000-01-01'", "'9999-12-31'", 'NULL'],
  dead: ["'-infinity'", "'4713-11-24 00:00:00 BC'", "'0001-01-01 BC'", "'0001-01-01'", "'1970-01-01'"]
}

/** How PostgreSQL spells what the tests in ../on-servers do. */
function kit(database) {
  return {
    quote,
    varchar: 'VARCHAR(36)',
    date: 'TIMESTAMP WITH TIME ZONE',
    key: 'PRIMARY KEY',
    serial: 'SERIAL PRIMARY KEY',
    dataTypes: { TEXT: true, JSON: true, JSONB: false, 'VARCHAR(4000)': true, BYTEA: true },
    dates: {
      'TIMESTAMP WITH TIME ZONE': '2030-01-02 03:04:05.678+00',
      'TIMESTAMP(0) WITH TIME ZONE': '2030-01-02 03:04:05+00',
      'TIMESTAMP(3) WITH TIME ZONE': '2030-01-02 03:04:05.678+00',
      TIMESTAMP: '2030-01-02 03:04:05.678',
      'TIMESTAMP(0)': '2030-01-02 03:04:05',
      'TIMESTAMP(6)': '2030-01-02 03:04:05.678',
      TEXT: '2030-01-02 03:04:05.678 +00:00',
      'VARCHAR(64)': '2030-01-02 03:04:05.678 +00:00',
      INTEGER: '1893553445',
      BIGINT: '1893553445678'
    },
    localDates: [
      ['TIMESTAMP', '2030-01-02 08:34:05.678'],
      ['TIMESTAMP(0)', '2030-01-02 08:34:05'],
      ['TIMESTAMP WITH TIME ZONE', '2030-01-02 03:04:05.678+00'],
      ['BIGINT', '1893553445678']
    ],
    asText: (column) =>
      column === 'data'
        ? `CASE WHEN pg_typeof("data") = 'bytea'::regtype THEN convert_from(("data"::text)::bytea, 'UTF8') ELSE "data"::text END`
        : `("${column}"::text)`,
    cases: [
      ['INTEGER', 5, '5'],
      ['INTEGER', -5, '-5'],
      ['INTEGER', '7', '7'],
      ['BIGINT', 2n ** 63n - 1n, '9223372036854775807'],
      ['BIGINT', Number.MAX_SAFE_INTEGER, '9007199254740991'],
      ['SMALLINT', 0, '0'],
      ['BOOLEAN', true, 'true'],
      ['BOOLEAN', false, 'false'],
      ['UUID', '123e4567-e89b-12d3-a456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
      ['JSON', { a: [1, 'é', null] }, '{"a":[1,"é",null]}'],
      ['JSONB', { a: [1, 'é', null] }, '{"a": [1, "é", null]}'],
      ['JSONB', '{"a":1}', '{"a": 1}'],
      ['TIMESTAMP WITH TIME ZONE', new Date('2030-01-02T03:04:05.678Z'), '2030-01-02 03:04:05.678+00'],
      ['TIMESTAMP', new Date('2030-01-02T03:04:05Z'), '2030-01-02 03:04:05'],
      ['DATE', new Date('2030-01-02T03:04:05Z'), '2030-01-02'],
      ['DATE', '2030-01-02', '2030-01-02'],
      ['TEXT', '', ''],
      ['TEXT', 'it\'s `" \\ 😀\n', 'it\'s `" \\ 😀\n'],
      ['TEXT', 5, '5'],
      ['VARCHAR(20)', 'ada', 'ada'],
      ['NUMERIC(10,2)', 1.25, '1.25'],
      ['DOUBLE PRECISION', 0.1 + 0.2, '0.30000000000000004'],
      ['DOUBLE PRECISION', -1e300, '-1e+300'],
      ['REAL', 2.5, '2.5'],
      ['BYTEA', Buffer.from([0, 255, 39]), '\\x00ff27'],
      ['BYTEA', Buffer.alloc(0), '\\x'],
      ['INTEGER[]', '{1,2}', '{1,2}'],
      ['INET', '10.0.0.1', '10.0.0.1/32'],
      ['MONEY', '12.50', '$12.50'],
      ['CHAR(3)', 'ab', 'ab'],
      ['BIT(3)', '101', '101'],
      ['VARCHAR(20) COLLATE "C"', 'ä', 'ä']
    ],
    misfits: [
      ['INTEGER', 'ada'],
      ['INTEGER', 2 ** 31],
      ['SMALLINT', 40_000],
      ['UUID', 'ada'],
      ['JSONB', 'ada'],
      ['VARCHAR(20)', 'x'.repeat(21)],
      ['TEXT', 'a\0b'],
      ['CHAR(3)', 'abcd'],
      ['BIT(3)', '1011'],
      ['DATE', 'soon'],
      ['NUMERIC(10,2)', 1e20]
    ],
    otherSchema: (place) => database.schemaOf(place),
    violation: ['23514'],
    migrations: [
      'ALTER COLUMN data TYPE JSONB USING data::jsonb',
      'ALTER COLUMN sid TYPE VARCHAR(128)',
      'ALTER COLUMN expires TYPE TIMESTAMP(0)',
      'ALTER COLUMN expires TYPE BIGINT USING extract(epoch FROM expires) * 1000',
      'ALTER COLUMN expires TYPE TEXT'
    ],
    values: {
      'TIMESTAMP WITH TIME ZONE': DATES,
      TIMESTAMP: DATES,
      'TIMESTAMP(0)': DATES,
      INTEGER: { live: ['2147483647', 'NULL'], dead: ['-2147483648', '-1', '0'] },
      BIGINT: {
        live: ['9223372036854775807', '253402300799999', '253402300800000', 'NULL'],
        dead: ['-9223372036854775808', '-1', '0']
      },
      'VARCHAR(255)': TEXTS,
      TEXT: { ...TEXTS, live: [...TEXTS.live, "'9999-12-31 23:59:59 -14:00'"], dead: TEXTS.dead }
    },
    binary: { BYTEA: "'\\xff00'" },
    lenient: (sql) => sql,
    alterations: [
      'ALTER COLUMN expires TYPE TIMESTAMP',
      'ALTER COLUMN expires TYPE TEXT',
      'ALTER COLUMN expires TYPE BIGINT USING 0',
      'ALTER COLUMN expires TYPE INTEGER USING 0',
      'ALTER COLUMN expires TYPE VARCHAR(64)',
      'ALTER COLUMN expires TYPE TIMESTAMPTZ USING now()',
      'ALTER COLUMN data TYPE JSONB USING data::jsonb',
      "ALTER COLUMN data TYPE BYTEA USING convert_to(data::text, 'UTF8')",
      "ALTER COLUMN data TYPE TEXT USING convert_from(data, 'UTF8')",
      'ALTER COLUMN "createdAt" TYPE BIGINT USING 0',
      'ALTER COLUMN "updatedAt" TYPE INTEGER USING 0'
    ],
    unfit: [
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, data TEXT'],
      ['sid', 'id VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'sid VARCHAR(36), expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'sid VARCHAR(36), expires TIMESTAMPTZ, data TEXT, PRIMARY KEY (sid, expires)'],
      ['sid', 'sid VARCHAR(36) UNIQUE DEFERRABLE, expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'sid UUID PRIMARY KEY, expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'sid CHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'sid INTEGER PRIMARY KEY, expires TIMESTAMPTZ, data TEXT'],
      ['sid', 'uid VARCHAR(100) PRIMARY KEY, data TEXT, expires BIGINT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires DATE, data TEXT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires BOOLEAN, data TEXT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires INTERVAL, data TEXT'],
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data INTEGER'],
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT[]'],
      ['createdAt', 'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT, "createdAt" BOOLEAN'],
      ['updatedAt', 'sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT, "updatedAt" UUID']
    ]
  }
}

/** How PostgreSQL does what the tests of a server of its own need: see ../on-servers/setup.js. */
const serverKit = (create) => ({
  create,
  run,
  quote,
  createUser: (user, password) => `CREATE ROLE ${quote(user)} LOGIN PASSWORD ${literal(password)}`,
  setPassword: (user, password) => `ALTER ROLE ${quote(user)} PASSWORD ${literal(password)}`,
  createDatabase: (name) => `CREATE DATABASE ${quote(name)}`,
  grant: (user, name) => `ALTER DATABASE ${quote(name)} OWNER TO ${quote(user)}`,
  killAll: (url) =>
    run(
      url,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    ),
  connections: (url, user) => run(url, `SELECT pid FROM pg_stat_activity WHERE usename = ${literal(user)}`),
  pids: async (server) => {
    const sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    const [master] = fs.readFileSync(path.join(server.data, 'postmaster.pid'), 'utf8').split('\n')
    return [Number(master), ...(await run(server.url(), sql)).map(({ pid }) => pid)]
  },
  async hold(url, statements) {
    const client = new Client({ connectionString: url })
    await client.connect()
    for (const sql of statements) await client.query(sql)
    return () => client.end()
  },
  lockRows: ['BEGIN', 'SELECT * FROM "Sessions" FOR UPDATE'],
  lockTable: ['BEGIN', 'LOCK TABLE "Sessions" IN ACCESS EXCLUSIVE MODE'],
  waiting: (url, user) =>
    run(url, `SELECT pid FROM pg_stat_activity WHERE usename = ${literal(user)} AND wait_event_type = 'Lock'`),
  crash: 'SIGQUIT',
  shortIdle: {
    set: ["ALTER SYSTEM SET idle_session_timeout = '1s'", 'SELECT pg_reload_conf()'],
    reset: ['ALTER SYSTEM RESET idle_session_timeout', 'SELECT pg_reload_conf()']
  }
})

module.exports = { kit, serverKit }
