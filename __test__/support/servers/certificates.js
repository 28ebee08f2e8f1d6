'use strict'

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const EC_KEY = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1']

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

/**
 * A function that makes certificates with `openssl ca` in a folder, and returns their files `{ cert, key, by }`. It takes a name and
 *
 * - `subject`: the common name; `by`: the files of the signer, or else the certificate is its own;
 * - `extensions`: lines of a section of openssl's configuration; without, the certificate is of version 1;
 * - `from`, `to`: dates in milliseconds; `newKey`: the kind of the key, as options of `openssl genpkey`.
 */
function certificateMaker(folder) {
  const file = (name) => path.join(folder, name)
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const date = (time) => `${new Date(time).toISOString().replace(/[-:T]|\..*/g, '')}Z`
  const DAY = 86_400_000
  fs.writeFileSync(file('index'), '')
  fs.writeFileSync(file('index.attr'), 'unique_subject = no\n')
  fs.writeFileSync(file('request.conf'), '[req]\ndistinguished_name = name\n[name]\n')

  return function make(
    name,
    { subject, by, extensions, from = Date.now() - DAY, to = Date.now() + DAY, newKey = EC_KEY }
  ) {
    const files = { cert: file(`${name}.crt`), key: file(`${name}.key`), by }
    const [request, config] = [file(`${name}.csr`), file(`${name}.conf`)]
    const authority = ['[authority]', 'database = index', 'new_certs_dir = .', 'policy = any', 'default_md = sha256']
    const added = extensions ? ['x509_extensions = added', '[added]', ...extensions] : []
    fs.writeFileSync(
      config,
      [...authority, 'rand_serial = yes', ...added, '[any]', 'commonName = supplied', ''].join('\n')
    )
    openssl('genpkey', ...newKey, '-out', files.key)
    openssl('req', '-new', '-config', 'request.conf', '-key', files.key, '-subj', `/CN=${subject}`, '-out', request)
    const signer = by ? ['-cert', by.cert, '-keyfile', by.key] : ['-selfsign', '-keyfile', files.key]
    const dates = ['-startdate', date(from), '-enddate', date(to)]
    const named = ['-batch', '-notext', '-config', config, '-name', 'authority', '-in', request, '-out', files.cert]
    openssl('ca', ...named, ...signer, ...dates)
    return files
  }
}

module.exports = { certificateMaker, makeCertificates }
