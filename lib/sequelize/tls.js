'use strict'

const { optionsError } = require('../options/error.js')
const { isObject } = require('../values.js')

/** The TLS options of Node.js that a URL can express. The others are refused: without them TLS could be less safe. */
const TLS_OPTIONS = [
  ...['require', 'rejectUnauthorized', 'ca', 'cert', 'key', 'checkServerIdentity', 'verifyIdentity'],
  ...['servername', 'minVersion', 'maxVersion']
]

/** The bounds of Node.js for the version of TLS that allow both versions that the store uses, or force none of them. */
const VERSIONS = Object.freeze({ minVersion: ['TLSv1', 'TLSv1.1', 'TLSv1.2'], maxVersion: ['TLSv1.3'] })

/**
 * The TLS settings of a Node.js driver as parameters of a URL. As there, the server's certificate is verified unless
 * `rejectUnauthorized` is false.
 * @param {unknown} ssl
 * @param {(tls: Record<string, unknown>) => boolean} verifiesHostName
 * @param {import('../databases.js').TlsParameters} names
 */
function tlsParameters(ssl, verifiesHostName, names) {
  const parameters = new URLSearchParams()
  if (ssl === undefined || ssl === null || ssl === false || ssl === 'false') return parameters
  if (typeof ssl === 'string' && ssl !== 'true') {
    throw optionsError(
      `unsupported TLS profile in option \`ssl\` of the Sequelize instance; give the certificates in \`ssl.ca\` instead`
    )
  }
  const tls = isObject(ssl) ? ssl : {}
  for (const name of Object.keys(tls)) {
    if (TLS_OPTIONS.includes(name)) continue
    throw optionsError(
      `unsupported Sequelize option \`dialectOptions.ssl.${name}\`; supported: ${TLS_OPTIONS.join(', ')}. ` +
        'For other TLS settings, pass a URL as `db`.'
    )
  }
  for (const [name, supported] of Object.entries(VERSIONS)) {
    const version = tls[name]
    if (version === undefined || version === null || supported.includes(/** @type {string} */ (version))) continue
    throw optionsError(
      `expected Sequelize option \`dialectOptions.ssl.${name}\` to be one of ${supported.join(', ')}: the store uses ` +
        'TLS 1.2 or 1.3; remove the option, or set the versions on the server'
    )
  }
  const { off, chain, full } = names.modes
  const verified = verifiesHostName(tls) ? full : chain
  parameters.append(names.mode, tls.rejectUnauthorized === false ? off : verified)
  for (const part of /** @type {const} */ (['ca', 'cert', 'key'])) {
    if (tls[part] !== undefined && tls[part] !== null) parameters.append(names[part], pem(part, tls[part]))
  }
  const { servername } = tls
  if (servername) parameters.append('ssl', JSON.stringify({ servername }))
  return parameters
}

/**
 * Whether Node.js verifies the host name: unless the application has a check of its own.
 * @param {Record<string, unknown>} tls
 */
function hasDefaultIdentityCheck(tls) {
  return tls.checkServerIdentity === undefined
}

/**
 * The certificates or the key without any text around them: the driver would take a value with such text for a path.
 * @param {string} part
 * @param {unknown} value text or bytes, or an array of them
 */
function pem(part, value) {
  const text = [value].flat().map(textOf).join('\n')
  const blocks = text.match(/-----BEGIN ([^-]+)-----.*?-----END \1-----/gs)
  if (!blocks) {
    throw optionsError(`expected Sequelize option \`dialectOptions.ssl.${part}\` to be text in PEM format`)
  }
  return blocks.join('\n')
}

/**
 * A text, which may be bytes, or come from a variable that has `\n` for the ends of lines.
 * @param {unknown} value
 */
function textOf(value) {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)
  return text.replaceAll('\\n', '\n')
}

module.exports = { hasDefaultIdentityCheck, tlsParameters }
