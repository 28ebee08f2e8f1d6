'use strict'

const { needing, onOwnServers } = require('../support/suites')
const tls = require('../on-servers/tls')
const { connectionsOf, run } = require('./setup')

onOwnServers('mysql', ({ create }) => {
  needing('openssl', () =>
    tls({
      async create() {
        const server = await create()
        return Object.assign(server, { run: (sql) => run(server.url(), sql) })
      },
      settings: ({ ca, cert, key }) => ({ 'ssl-ca': ca, 'ssl-cert': cert, 'ssl-key': key }),
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
      foreign: ['ssl=true', 'sslaccept=strict', 'ssl=%7B%22rejectUnauthorized%22%3Atrue%7D'],
      users: [
        "CREATE USER encrypted@'%' IDENTIFIED BY 'secret' REQUIRE SSL",
        "CREATE USER certified@'%' IDENTIFIED BY 'secret' REQUIRE X509",
        "GRANT ALL ON test.* TO encrypted@'%'",
        "GRANT ALL ON test.* TO certified@'%'"
      ],
      // This user cannot come in plain.
      async stats(server) {
        return { encrypted: (await connectionsOf(server.url(), 'encrypted')).length, plain: 0 }
      }
    })
  )
})
