'use strict'

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

/**
 * Makes an authority, another one that nobody knows, a certificate of a server by the name of localhost, one of a client, and one
 * of the same name by the other authority. Their files in the folder: `{ ca, stranger, server: { cert, key }, client, impostor }`.
 *
 * @param user The name that the client's certificate stands for.
 */
function makeCertificates(folder, user) {
  const file = (name) => path.join(folder, name)
  const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']

  function authority(name) {
    const files = { cert: file(`${name}.crt`), key: file(`${name}.key`) }
    openssl('req', '-x509', ...newKey, '-keyout', files.key, '-out', files.cert, '-subj', `/CN=${name}`)
    return files
  }

  const ca = authority('authority')
  const stranger = authority('stranger')

  function certificate(name, subject, extensions, by = ca) {
    const files = { cert: file(`${name}.crt`), key: file(`${name}.key`) }
    const request = file(`${name}.csr`)
    const extfile = file(`${name}.ext`)
    fs.writeFileSync(extfile, extensions.join('\n'))
    openssl('req', '-new', ...newKey.slice(0, -2), '-keyout', files.key, '-out', request, '-subj', `/CN=${subject}`)
    const signed = ['-CA', by.cert, '-CAkey', by.key, '-CAcreateserial', '-days', '2', '-extfile', extfile]
    openssl('x509', '-req', '-in', request, '-out', files.cert, ...signed)
    return files
  }

  return {
    ca: ca.cert,
    stranger: stranger.cert,
    server: certificate('server', 'localhost', ['subjectAltName=DNS:localhost', 'extendedKeyUsage=serverAuth']),
    client: certificate('client', user, ['extendedKeyUsage=clientAuth']),
    impostor: certificate('impostor', user, ['extendedKeyUsage=clientAuth'], stranger)
  }
}

module.exports = { makeCertificates }
