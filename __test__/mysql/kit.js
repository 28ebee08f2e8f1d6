'use strict'

const fs = require('node:fs')
const path = require('node:path')
const mysql = require('mysql2/promise')
const { TEXTS } = require('../on-servers/texts')
const { connectionsOf, quote, run } = require('./setup')

/** How MySQL and MariaDB spell what the tests in ../on-servers do. */
function kit(database) {
  return {
    quote,
    varchar: 'VARCHAR(36)',
    date: 'DATETIME',
    key: 'PRIMARY KEY',
    serial: 'INTEGER AUTO_INCREMENT PRIMARY KEY',
    dataTypes: {
      TEXT: true,
      MEDIUMTEXT: true,
      LONGTEXT: true,
      'VARCHAR(4000)': true,
      BLOB: true,
      LONGBLOB: true,
      'VARBINARY(4000)': true,
      // Text with a check on MariaDB, and a type of its own on MySQL.
      JSON: database.name === 'MariaDB'
    },
    dates: {
      DATETIME: '2030-01-02 03:04:05',
      'DATETIME(3)': '2030-01-02 03:04:05.678',
      'DATETIME(6)': '2030-01-02 03:04:05.678000',
      'TIMESTAMP NULL': '2030-01-02 03:04:05',
      'TIMESTAMP(3) NULL': '2030-01-02 03:04:05.678',
      'VARCHAR(64)': '2030-01-02 03:04:05.678 +00:00',
      TEXT: '2030-01-02 03:04:05.678 +00:00',
      INT: '1893553445',
      'INT UNSIGNED': '1893553445',
      BIGINT: '1893553445678'
    },
    localDates: [
      ['DATETIME', '2030-01-02 08:34:05'],
      ['DATETIME(3)', '2030-01-02 08:34:05.678'],
      ['TIMESTAMP NULL', '2030-01-02 03:04:05'],
      ['BIGINT', '1893553445678']
    ],
    asText: (column) => `CONVERT(CAST(\`${column}\` AS CHAR) USING utf8mb4)`,
    cases: [
      ['INT', 5, '5'],
      ['INT', -5, '-5'],
      ['INT', '7', '7'],
      ['BIGINT', 2n ** 63n - 1n, '9223372036854775807'],
      ['BIGINT', Number.MAX_SAFE_INTEGER, '9007199254740991'],
      ['SMALLINT UNSIGNED', 0, '0'],
      ['TINYINT(1)', true, '1'],
      ['TINYINT(1)', false, '0'],
      ['CHAR(36)', '123e4567-e89b-12d3-a456-426614174000', '123e4567-e89b-12d3-a456-426614174000'],
      ['JSON', { a: 'é' }, database.name === 'MariaDB' ? '{"a":"é"}' : '{"a": "é"}'],
      ['DATETIME', new Date('2030-01-02T03:04:05Z'), '2030-01-02 03:04:05'],
      ['DATETIME(3)', new Date('2030-01-02T03:04:05.678Z'), '2030-01-02 03:04:05.678'],
      ['TIMESTAMP(3) NULL', new Date('2030-01-02T03:04:05.678Z'), '2030-01-02 03:04:05.678'],
      ['DATE', '2030-01-02', '2030-01-02'],
      ['TEXT', '', ''],
      ['TEXT', 'it\'s `" \\ 😀\n', 'it\'s `" \\ 😀\n'],
      ['TEXT', 'a\0b', 'a\0b'],
      ['TEXT', 5, '5'],
      ['VARCHAR(20)', 'ada', 'ada'],
      ['DECIMAL(10,2)', 1.25, '1.25'],
      ['DOUBLE', 0.1 + 0.2, '0.30000000000000004'],
      ['DOUBLE', -1e300, '-1e300'],
      ['FLOAT', 2.5, '2.5'],
      ['BLOB', Buffer.from('ada\0'), 'ada\0'],
      ['BLOB', Buffer.alloc(0), ''],
      ['VARBINARY(20)', Buffer.from('ada'), 'ada'],
      ["ENUM('small', 'large')", 'large', 'large'],
      ["SET('a', 'b')", 'a,b', 'a,b'],
      ['VARCHAR(20) CHARACTER SET latin1', 'ä', 'ä'],
      ['VARCHAR(20) COLLATE utf8mb4_bin', 'ä😀', 'ä😀']
    ],
    misfits: [
      ['INT', 'ada'],
      ['INT', 2 ** 31],
      ['SMALLINT UNSIGNED', -1],
      ['JSON', 'ada'],
      ['VARCHAR(20)', 'x'.repeat(21)],
      ['DATE', 'soon'],
      ['DECIMAL(10,2)', 1e20],
      ["ENUM('small', 'large')", 'medium'],
      ['VARCHAR(20) CHARACTER SET latin1', '😀'],
      ['TINYINT(1)', 300]
    ],
    otherSchema: (place) => database.databaseOf(place),
    violation: ['4025', '3819'],
    migrations: [
      'MODIFY data MEDIUMTEXT',
      'MODIFY data JSON',
      'MODIFY data BLOB',
      'MODIFY sid VARCHAR(128) COLLATE utf8mb4_bin',
      'MODIFY expires DATETIME(3)',
      'MODIFY expires TIMESTAMP NULL'
    ],
    values: {
      DATETIME: {
        live: ["'9999-12-31 23:59:59'", "'2100-00-00 00:00:00'", "'2100-02-31 00:00:00'", 'NULL'],
        dead: ["'0000-00-00 00:00:00'", "'0000-01-01 00:00:00'", "'1000-01-01 00:00:00'", "'2020-00-00 00:00:00'"]
      },
      'DATETIME(6) NOT NULL': {
        live: ["'9999-12-31 23:59:59.999999'"],
        dead: ["'0000-00-00 00:00:00'", "'1970-01-01 00:00:00'"]
      },
      'TIMESTAMP(3) NULL': {
        live: ["'2038-01-19 03:14:07'", 'NULL'],
        dead: ["'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'"]
      },
      INT: { live: ['2147483647', 'NULL'], dead: ['-2147483648', '-1', '0'] },
      'INT UNSIGNED': { live: ['4294967295'], dead: ['0', '1'] },
      BIGINT: {
        live: ['9223372036854775807', '253402300799999', '253402300800000', 'NULL'],
        dead: ['-9223372036854775808', '-1', '0']
      },
      'BIGINT UNSIGNED': { live: ['18446744073709551615', '9223372036854775808'], dead: ['0'] },
      'VARCHAR(255)': { ...TEXTS, live: [...TEXTS.live, "'9999-12-31 23:59:59 -14:00'"] },
      TEXT: { ...TEXTS, dead: [...TEXTS.dead, "'0000-01-01 00:00:00 +14:00'"] },
      'VARCHAR(255) CHARACTER SET latin1': TEXTS
    },
    binary: { BLOB: "x'ff00'", 'VARBINARY(4000)': "x'7b22ff227d'" },
    lenient: (sql) => `SET sql_mode = 'ALLOW_INVALID_DATES'; ${sql}; SET sql_mode = DEFAULT`,
    alterations: [
      'MODIFY expires DATETIME(3)',
      'MODIFY expires VARCHAR(64)',
      'MODIFY expires DATETIME',
      'MODIFY expires BIGINT',
      'MODIFY expires INT',
      'MODIFY expires BIGINT UNSIGNED',
      'MODIFY expires TEXT',
      'MODIFY expires TIMESTAMP NULL',
      'MODIFY data JSON',
      'MODIFY data BLOB',
      'MODIFY data LONGTEXT CHARACTER SET utf8mb4',
      'MODIFY createdAt BIGINT NOT NULL',
      'MODIFY updatedAt INT NULL'
    ],
    unfit: [
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires DATETIME'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, data TEXT'],
      ['sid', 'id VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT'],
      ['sid', 'sid VARCHAR(36), expires DATETIME, data TEXT'],
      ['sid', 'sid VARCHAR(36), expires DATETIME, data TEXT, PRIMARY KEY (sid, expires)'],
      ['sid', 'sid VARCHAR(36), expires DATETIME, data TEXT, KEY (sid)'],
      ['sid', 'sid VARCHAR(36), expires DATETIME, data TEXT, UNIQUE KEY (sid(10))'],
      ['sid', 'sid INTEGER PRIMARY KEY, expires DATETIME, data TEXT'],
      ['sid', 'sid CHAR(36) PRIMARY KEY, expires DATETIME, data TEXT'],
      ['sid', 'uid VARCHAR(100) PRIMARY KEY, data TEXT, expires BIGINT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires DATE, data TEXT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires TIME, data TEXT'],
      ['expires', 'sid VARCHAR(36) PRIMARY KEY, expires BLOB, data TEXT'],
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data INTEGER'],
      ['data', 'sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data DATETIME'],
      ['createdAt', 'sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT, createdAt TIME'],
      ['updatedAt', 'sid VARCHAR(36) PRIMARY KEY, expires DATETIME, data TEXT, updatedAt BLOB']
    ]
  }
}

/** How MySQL and MariaDB do what the tests of a server of its own need: see ../on-servers/setup.js. */
const serverKit = (create) => ({
  create,
  run,
  quote,
  createUser: (user, password) => `CREATE USER ${quote(user)}@'%' IDENTIFIED BY ${mysql.escape(password)}`,
  setPassword: (user, password) => `ALTER USER ${quote(user)}@'%' IDENTIFIED BY ${mysql.escape(password)}`,
  createDatabase: (name) => `CREATE DATABASE ${quote(name)}`,
  grant: (user, name) => `GRANT ALL ON ${quote(name)}.* TO ${quote(user)}@'%'`,
  async killAll(url) {
    for (const { id } of await connectionsOf(url)) await run(url, `KILL ${id}`).catch(() => {})
  },
  connections: connectionsOf,
  pids: (server) => [Number(fs.readFileSync(path.join(server.folder, 'pid'), 'utf8'))],
  async hold(url, statements) {
    const connection = await mysql.createConnection({ uri: url })
    for (const sql of statements) await connection.query(sql)
    return () => connection.end()
  },
  lockRows: ['BEGIN', 'SELECT * FROM `Sessions` FOR UPDATE'],
  lockTable: ['LOCK TABLES `Sessions` WRITE'],
  waiting: (url, user) =>
    run(
      url,
      `SELECT ID FROM information_schema.PROCESSLIST WHERE USER = ${mysql.escape(user)} AND COMMAND IN ('Query', 'Execute')`
    ),
  crash: 'SIGKILL',
  shortIdle: {
    set: ['SET GLOBAL wait_timeout = 1'],
    reset: ['SET GLOBAL wait_timeout = DEFAULT']
  }
})

module.exports = { kit, serverKit }
