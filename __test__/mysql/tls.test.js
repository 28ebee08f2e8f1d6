'use strict'

const { needing, onOwnServers } = require('../support/suites')
const certificates = require('../on-servers/certificates')
const tls = require('../on-servers/tls')
const { connectionsOf, run } = require('./setup')

onOwnServers('mysql', ({ create }) => {
  needing('openssl', () => {
    const kit = {
      async create() {
        const server = await create()
        return Object.assign(server, { run: (sql) => run(server.url(), sql) })
      },
      settings: ({ ca, cert, key }) => ({ ...(ca && { 'ssl-ca': ca }), 'ssl-cert': cert, 'ssl-key': key }),
      query(mode, { ca, cert, key } = {}) {
        const modes = {
          disable: 'DISABLED',
          require: 'REQUIRED',
          'verify-ca': 'VERIFY_CA',
          'verify-full': 'VERIFY_IDENTITY'
        }
        const given = { 'ssl-mode': modes[mode] ?? mode, 'ssl-ca': ca, 'ssl-cert': cert, 'ssl-key': key }
        return new URLSearchParams(Object.entries(given).filter(([, value]) => value)).toString()
      },
      hosted: ['ssl-mode=REQUIRED', 'sslmode=REQUIRED', 'ssl-mode=required&useUnicode=true&characterEncoding=utf8'],
      understood: [
        'SSLMODE=REQUIRE',
        'sslmode=no-verify',
        'ssl={"rejectUnauthorized":false}',
        'requireSSL=true',
        'ssl-mode=required'
      ],
      verifying: ['ssl=true', 'ssl=1', 'tls=true', 'ssl=%7B%22rejectUnauthorized%22%3Atrue%7D', 'sslaccept=strict'],
      foreign: ['ssl=Amazon%20RDS', 'sslidentity=/client.p12', 'tls=maybe', 'ssl={"pfx":"x"}', 'tls-version=TLSv1.3'],
      users: [
        "CREATE USER encrypted@'%' IDENTIFIED BY 'secret' REQUIRE SSL",
        "CREATE USER certified@'%' IDENTIFIED BY 'secret' REQUIRE X509",
        'CREATE TABLE test.`Sessions` (sid VARCHAR(36) PRIMARY KEY, expires DATETIME(3), data LONGTEXT)',
        "GRANT ALL ON test.* TO encrypted@'%'",
        "GRANT ALL ON test.* TO certified@'%'"
      ],
      // This user cannot come in plain.
      async stats(server) {
        return { encrypted: (await connectionsOf(server.url(), 'encrypted')).length, plain: 0 }
      }
    }

    describe('encryption', () => tls(kit))

    describe('a certificate', () =>
      certificates({
        ...kit,
        // PostgreSQL has 1.3.
        tls13: false,
        settings: (files) => ({ ...kit.settings(files), 'tls-version': 'TLSv1.2' }),
        async reload(server) {
          const [{ version }] = await server.run('SELECT VERSION() AS version')
          await server.run(version.includes('MariaDB') ? 'FLUSH SSL' : 'ALTER INSTANCE RELOAD TLS')
        }
      }))
  })
})
