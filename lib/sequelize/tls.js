'use strict'

const { optionsError } = require('../options/error.js')
const { isObject } = require('../values.js')

/** The TLS options of Node.js that a URL can express. The others are refused: without them TLS could be less safe. */
const TLS_OPTIONS = ['require', 'rejectUnauthorized', 'ca', 'cert', 'key', 'checkServerIdentity', 'verifyIdentity']

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
      `unsupported TLS profile \`${ssl}\` in option \`ssl\` of the Sequelize instance; give the certificates in \`ssl.ca\` instead`
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
  const { off, chain, full } = names.modes
  const verified = verifiesHostName(tls) ? full : chain
  parameters.append(names.mode, tls.rejectUnauthorized === false ? off : verified)
  for (const part of /** @type {const} */ (['ca', 'cert', 'key'])) {
    if (tls[part] !== undefined) parameters.append(names[part], pem(part, tls[part]))
  }
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
  const text = [value].flat().map(String).join('\n')
  const blocks = text.match(/-----BEGIN ([^-]+)-----.*?-----END \1-----/gs)
  if (!blocks) {
    throw optionsError(`expected Sequelize option \`dialectOptions.ssl.${part}\` to be text in PEM format`)
  }
  return blocks.join('\n')
}

module.exports = { hasDefaultIdentityCheck, tlsParameters }
