'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { needing, onOwnServers } = require('../support/suites')
const { until } = require('../support/time')
const certificates = require('../on-servers/certificates')
const tls = require('../on-servers/tls')
const { run } = require('./setup')

onOwnServers('postgres', ({ create }) => {
  needing('openssl', () => {
    const kit = {
      async create() {
        const server = await create()
        return Object.assign(server, { run: (sql) => run(server.url(), sql) })
      },
      prepare(server) {
        const rules = [
          'local all all trust',
          'hostssl all certified all cert',
          'hostssl all encrypted all scram-sha-256',
          'host all postgres all scram-sha-256'
        ]
        fs.writeFileSync(path.join(server.data, 'pg_hba.conf'), rules.join('\n'))
      },
      settings: ({ ca = '', cert, key }) => ({ ssl: 'on', ssl_ca_file: ca, ssl_cert_file: cert, ssl_key_file: key }),
      query(mode, { ca, cert, key } = {}) {
        const given = { sslmode: mode, sslrootcert: ca, sslcert: cert, sslkey: key }
        return new URLSearchParams(Object.entries(given).filter(([, value]) => value)).toString()
      },
      hosted: [
        'sslmode=require',
        'sslmode=require&channel_binding=require',
        'sslmode=require&supa=base-pooler.x',
        'uselibpqcompat=true&sslmode=require'
      ],
      understood: [
        'SSLMODE=REQUIRE',
        'sslmode=no-verify',
        'ssl={"rejectUnauthorized":false}',
        'requireSSL=true',
        'tls=skip-verify'
      ],
      verifying: ['ssl=true', 'ssl=1', 'tls=true', 'ssl=%7B%22rejectUnauthorized%22%3Atrue%7D', 'sslaccept=strict'],
      foreign: [
        'sslnegotiation=direct',
        'sslcrl=/crl.pem',
        'ssl=maybe',
        'ssl={"pfx":"x"}',
        'ssl_min_protocol_version=TLSv1.3'
      ],
      users: [
        "CREATE ROLE encrypted LOGIN PASSWORD 'secret'",
        'CREATE ROLE certified LOGIN',
        'GRANT ALL ON SCHEMA public TO encrypted, certified',
        'CREATE TABLE "Sessions" (sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMPTZ, data TEXT)',
        'GRANT ALL ON "Sessions" TO encrypted, certified'
      ],
      async stats(server) {
        const sql = `SELECT count(*) FILTER (WHERE ssl)::int AS encrypted, count(*) FILTER (WHERE NOT ssl)::int AS plain
          FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'encrypted'`
        return (await server.run(sql))[0]
      }
    }

    describe('encryption', () => tls(kit))

    describe('a certificate', () =>
      certificates({
        ...kit,
        tls13: true,
        async reload(server) {
          const loaded = async () => (await server.run('SELECT pg_conf_load_time()::text AS at'))[0].at
          const before = await loaded()
          await server.run('SELECT pg_reload_conf()')
          await until(async () => (await loaded()) !== before)
        }
      }))
  })
})
