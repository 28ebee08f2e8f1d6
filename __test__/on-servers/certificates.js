'use strict'

const { X509Certificate } = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Sequelize } = require('sequelize')
const { RustSequelizeStore } = require('../..')
const { failure } = require('../support/calls')
const { report } = require('../support/run')
const { certificateMaker } = require('../support/servers/certificates')
const { session } = require('../support/sessions')

const DAY = 86_400_000
const FOR_LOCALHOST = ['subjectAltName=DNS:localhost', 'extendedKeyUsage=serverAuth']
const AUTHORITY = ['basicConstraints=critical,CA:TRUE']

/**
 * The certificates that servers have. `kit` has `create()`, `settings(files)` and `query(mode, files)` as tls.js has them;
 * `users`: statements that make the user `encrypted`, who may not come in plain; `reload(server)`: has the server read its
 * certificate again; `tls13`: whether the server speaks TLS 1.3.
 */
module.exports = ({ create, settings, query, users, reload, tls13, prepare = () => {} }) => {
  let folder
  let make
  let server
  let ca
  let stranger
  const stores = []

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-sequelize-store-certificates-'))
    make = certificateMaker(folder)
    ca = make('authority', { subject: 'authority', extensions: AUTHORITY })
    stranger = make('stranger', { subject: 'stranger', extensions: AUTHORITY })
    server = await create()
    const own = written(make('first', { subject: 'localhost', by: ca, extensions: FOR_LOCALHOST }))
    prepare(server)
    await server.start(settings(own))
    for (const sql of users) await server.run(sql)
  })

  afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())))

  afterAll(async () => {
    await server?.end()
    if (folder) fs.rmSync(folder, { recursive: true })
  })

  /** The files of the server. MySQL looks whether its certificate is by its authority. */
  const written = ({ cert, key, by }) => ({
    ca: server.write('server-ca.crt', fs.readFileSync(by?.cert ?? cert)),
    cert: server.write('server.crt', fs.readFileSync(cert)),
    key: server.write('server.key', fs.readFileSync(key))
  })

  /** Gives the server a certificate. */
  async function serve(files) {
    const own = written(files)
    try {
      await reload(server)
    } catch (error) {
      // MySQL starts with certificates that it does not take afterwards.
      if (!/Invalid certificates/.test(error.message)) throw error
      await server.stop()
      await server.start(settings(own))
    }
    return files
  }

  function open(db) {
    const store = new RustSequelizeStore({ db, pool: { acquireTimeout: 5000 } })
    stores.push(store)
    return store
  }

  /** A URL of the user who may not come in plain. `given` is the file of an authority. */
  const url = (mode, given, host = 'localhost') =>
    server.url({ user: 'encrypted', pass: 'secret', host, query: query(mode, given && { ca: given }) })

  async function expectAccepted(db) {
    const store = open(db)
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
  }

  async function expectRefused(db, code) {
    const began = Date.now()
    const error = await failure(open(db).get('ada'))
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.message).not.toMatch('secret')
    expect({ code: error.cause.code, message: error.message }).toMatchObject({ code })
    // It does not go away by trying again.
    expect(Date.now() - began).toBeLessThan(4000)
    return error
  }

  /** That modes without verification take the certificate. */
  async function expectUnverified() {
    for (const mode of ['prefer', 'require', 'no-verify']) await expectAccepted(url(mode))
  }

  function isOfVersion1({ cert }) {
    const { raw } = new X509Certificate(fs.readFileSync(cert))
    // The first field would be the version.
    return raw[8] !== 0xa0
  }

  test('of version 1, self-signed', async () => {
    const own = await serve(make('old', { subject: 'localhost' }))
    expect(isOfVersion1(own)).toBe(true)
    await expectUnverified()
    await expectAccepted(url('verify-ca', own.cert))
    await expectAccepted(url('verify-ca', own.cert, '127.0.0.1'))
    await expectAccepted(url('verify-full', own.cert))
    const error = await expectRefused(url('verify-full', own.cert, '127.0.0.1'), 'ERR_TLS_CERT_ALTNAME_INVALID')
    expect(error.message).toMatch('is for `localhost`, not for `127.0.0.1`')
    await expectRefused(url('verify-ca'), 'DEPTH_ZERO_SELF_SIGNED_CERT')
    await expectRefused(url('verify-ca', stranger.cert), 'DEPTH_ZERO_SELF_SIGNED_CERT')
  })

  test('of version 1, with an RSA key', async () => {
    const own = await serve(
      make('rsa', { subject: 'localhost', newKey: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] })
    )
    await expectUnverified()
    await expectAccepted(url('verify-full', own.cert))
  })

  test('of version 1, by an authority', async () => {
    const own = await serve(make('signed', { subject: 'localhost', by: ca }))
    expect(isOfVersion1(own)).toBe(true)
    await expectUnverified()
    await expectAccepted(url('verify-ca', ca.cert, '127.0.0.1'))
    await expectAccepted(url('verify-full', ca.cert))
    await expectRefused(url('verify-full', ca.cert, '127.0.0.1'), 'ERR_TLS_CERT_ALTNAME_INVALID')
    await expectRefused(url('verify-ca', stranger.cert), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })

  test('of version 1, by a stranger of the name of the authority', async () => {
    const namesake = make('namesake', { subject: 'authority', extensions: AUTHORITY })
    await serve(make('forged', { subject: 'localhost', by: namesake }))
    await expectRefused(url('verify-ca', ca.cert), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    await serve(make('forged3', { subject: 'localhost', by: namesake, extensions: FOR_LOCALHOST }))
    await expectRefused(url('verify-ca', ca.cert), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })

  test('of version 1, by an authority that is none', async () => {
    const leaf = make('leaf', { subject: 'leaf', by: ca, extensions: ['basicConstraints=critical,CA:FALSE'] })
    await serve(make('grandchild', { subject: 'localhost', by: leaf }))
    await expectRefused(url('verify-ca', leaf.cert), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })

  test('of version 1, by an authority for other hosts only', async () => {
    const constraint = 'nameConstraints=critical,permitted;DNS:example.com'
    const limited = make('limited', { subject: 'limited', extensions: [...AUTHORITY, constraint] })
    await serve(make('evading', { subject: 'localhost', by: limited }))
    await expectRefused(url('verify-full', limited.cert), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    await serve(make('evading3', { subject: 'localhost', by: limited, extensions: ['keyUsage=digitalSignature'] }))
    await expectRefused(url('verify-full', limited.cert), 'ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test.each([
    ['that says to be an authority', [...AUTHORITY, 'subjectAltName=DNS:localhost']],
    ['that does not', FOR_LOCALHOST]
  ])('self-signed, %s', async (what, extensions) => {
    const own = await serve(make(what.replaceAll(' ', '-'), { subject: 'other', extensions }))
    await expectUnverified()
    await expectAccepted(url('verify-full', own.cert))
    await expectRefused(url('verify-full', own.cert, '127.0.0.1'), 'ERR_TLS_CERT_ALTNAME_INVALID')
    await expectRefused(url('verify-full', stranger.cert), 'DEPTH_ZERO_SELF_SIGNED_CERT')
  })

  test('of an authority by another', async () => {
    const extensions = [...AUTHORITY, 'subjectAltName=DNS:localhost']
    await serve(make('sub', { subject: 'localhost', by: ca, extensions }))
    await expectAccepted(url('verify-full', ca.cert))
    await expectRefused(url('verify-full', stranger.cert), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })

  test('with a common name only', async () => {
    await serve(make('common', { subject: 'localhost', by: ca, extensions: ['keyUsage=digitalSignature'] }))
    await expectAccepted(url('verify-full', ca.cert))
    // Where there is another name, it does not count.
    const extensions = ['subjectAltName=DNS:example.com']
    await serve(make('renamed', { subject: 'localhost', by: ca, extensions }))
    const error = await expectRefused(url('verify-full', ca.cert), 'ERR_TLS_CERT_ALTNAME_INVALID')
    expect(error.message).toMatch('is for `example.com`')
  })

  test('for an address', async () => {
    await serve(make('address', { subject: 'db', by: ca, extensions: ['subjectAltName=IP:127.0.0.1'] }))
    await expectAccepted(url('verify-full', ca.cert, '127.0.0.1'))
    await expectRefused(url('verify-full', ca.cert), 'ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test.each([
    ['of version 1, self-signed', {}],
    ['of version 1, by an authority', { signed: true }],
    ['of version 3, by an authority', { signed: true, extensions: FOR_LOCALHOST }]
  ])('that has expired or is not valid yet, %s', async (_what, { signed, extensions }) => {
    const now = Date.now()
    for (const [name, from, to, code] of [
      ['expired', now - 2 * DAY, now - DAY, 'CERT_HAS_EXPIRED'],
      ['early', now + DAY, now + 2 * DAY, 'CERT_NOT_YET_VALID']
    ]) {
      const by = signed ? ca : undefined
      const own = await serve(make(name, { subject: 'localhost', by, extensions, from, to }))
      await expectUnverified()
      await expectRefused(url('verify-full', signed ? ca.cert : own.cert), code)
    }
  })

  test.each([
    ['version 1', undefined],
    ['version 3', FOR_LOCALHOST]
  ])('of %s, by an authority that has expired', async (_what, extensions) => {
    const dates = { from: Date.now() - 2 * DAY, to: Date.now() - DAY }
    const past = make('past', { subject: 'past', extensions: AUTHORITY, ...dates })
    await serve(make('orphan', { subject: 'localhost', by: past, extensions }))
    const error = await expectRefused(url('verify-ca', past.cert), 'CERT_HAS_EXPIRED')
    expect(error.message).toMatch('authority')
  })

  test('for clients only', async () => {
    await serve(make('client', { subject: 'localhost', by: ca, extensions: ['extendedKeyUsage=clientAuth'] }))
    await expectUnverified()
    await expectRefused(url('verify-ca', ca.cert), undefined)
  })

  // In TLS 1.2, the client would have to offer the curve for the exchange of keys, too.
  if (tls13) {
    test('with a key whose signatures cannot be checked, where nothing is verified', async () => {
      const newKey = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp521r1']
      await serve(make('p521', { subject: 'localhost', by: ca, extensions: FOR_LOCALHOST, newKey }))
      await expectUnverified()
    })
  }

  test('with an extension that nobody knows, where nothing is verified', async () => {
    const extensions = ['1.2.3.4.5.6=critical,ASN1:UTF8String:text']
    await serve(make('odd', { subject: 'localhost', by: ca, extensions }))
    await expectUnverified()
    await expectRefused(url('verify-ca', ca.cert), undefined)
  })

  describe('by an authority', () => {
    beforeAll(() => serve(make('usual', { subject: 'localhost', by: ca, extensions: FOR_LOCALHOST })))

    const bundle = (name, texts) => {
      const file = path.join(folder, name)
      fs.writeFileSync(file, texts.join('\n'))
      return file
    }

    test('in a bundle of many, some of which cannot be read', async () => {
      const [known, unknown] = [ca, stranger].map(({ cert }) => fs.readFileSync(cert, 'utf8'))
      const broken = known.replace(/\n.{20}/, '\n!!!')
      const noCertificate = '-----BEGIN CERTIFICATE-----\nTm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n'
      const many = [...Array(200).fill(unknown), 'Text between them', broken, noCertificate]
      await expectAccepted(url('verify-full', bundle('many.pem', [...many, known])))
      await expectRefused(url('verify-full', bundle('none.pem', many)), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
      const error = await failure(open(url('verify-full', bundle('broken.pem', [broken]))).get('ada'))
      expect(error.message).toMatch('broken.pem')
    })

    test('under the labels of OpenSSL', async () => {
      const text = fs.readFileSync(ca.cert, 'utf8')
      await expectAccepted(url('verify-full', bundle('x509.pem', [text.replaceAll('CERTIFICATE', 'X509 CERTIFICATE')])))
    })

    /** Reads a session in a process of its own, which has these variables. */
    const inProcess = (variables, db) => {
      const under = ['env', ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)]
      return report('one-call.js', [{ db, pool: { acquireTimeout: 5000 } }], { under })
    }

    test('in NODE_EXTRA_CA_CERTS', async () => {
      const variables = { NODE_EXTRA_CA_CERTS: ca.cert }
      expect(await inProcess(variables, url('verify-full'))).toEqual({ value: null })
      expect(await inProcess(variables, url('verify-full', 'system'))).toEqual({ value: null })
      // Those that are named take the place of the others.
      const refused = { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }
      expect(await inProcess(variables, url('verify-full', stranger.cert))).toMatchObject(refused)
      expect(await inProcess({}, url('verify-full'))).toMatchObject(refused)
      expect(await inProcess({ NODE_EXTRA_CA_CERTS: '/nowhere' }, url('verify-full'))).toMatchObject(refused)
    })

    // Elsewhere the system keeps them in a store of its own.
    const onUnix = process.platform === 'linux' ? test : test.skip

    onUnix('in SSL_CERT_FILE, of the system', async () => {
      const variables = { SSL_CERT_FILE: ca.cert }
      expect(await inProcess(variables, url('verify-full'))).toEqual({ value: null })
      expect(await inProcess(variables, url('verify-full', 'system'))).toEqual({ value: null })
      const refused = { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }
      expect(await inProcess({}, url('verify-full', 'system'))).toMatchObject(refused)
      expect(await inProcess({ SSL_CERT_FILE: stranger.cert }, url('verify-full', 'system'))).toMatchObject(refused)
    })

    test('for another name than the host, by `servername`', async () => {
      const named = (servername) => `${query('verify-full', { ca: ca.cert })}&ssl=${JSON.stringify({ servername })}`
      const at = (servername) =>
        server.url({ user: 'encrypted', pass: 'secret', host: '127.0.0.1', query: named(servername) })
      await expectAccepted(at('localhost'))
      await expectRefused(at('example.com'), 'ERR_TLS_CERT_ALTNAME_INVALID')
      expect(() => open(at('-'))).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
    })

    test('of a Sequelize instance with `servername`', async () => {
      const { protocol, port, pathname } = new URL(server.url())
      const sequelize = (servername) =>
        new Sequelize(pathname.slice(1), 'encrypted', 'secret', {
          ...{ dialect: protocol.slice(0, -1), host: '127.0.0.1', port, logging: false, define: { timestamps: false } },
          dialectOptions: { ssl: { ca: fs.readFileSync(ca.cert), servername, verifyIdentity: true } }
        })
      await expectAccepted(sequelize('localhost'))
      await expectRefused(sequelize('example.com'), 'ERR_TLS_CERT_ALTNAME_INVALID')
    })
  })
}
