'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Sequelize } = require('sequelize')
const { RustSequelizeStore } = require('../..')
const { session } = require('../support/sessions')
const { makeCertificates } = require('../support/servers/certificates')
const { failure } = require('../support/calls')

/**
 * Encryption. `kit` has `create()`, `run(url, sql)`; `settings(files)`: those of a server with these files, which the server may
 * read; `query(mode, files)`: the parameters of a URL; `users`: statements that make the user `encrypted`, who may not come in plain,
 * and `certified`, who has to show a certificate; `stats(url)`: how many connections of `encrypted` there are, encrypted and plain;
 * `hosted`: parameters of the URLs that hosting services give out; `understood`: those of other drivers that encrypt, `verifying`: those
 * that verify too; `foreign`: those that cannot be heeded.
 */
module.exports = (kit) => {
  const { create, settings, query, users, stats, hosted, understood, verifying, foreign, prepare = () => {} } = kit

  let folder
  let files
  let server
  let plain
  const stores = []

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-sequelize-store-tls-'))
    fs.chmodSync(folder, 0o755)
    files = makeCertificates(folder, 'certified')
    server = await create()
    const own = {}
    for (const [name, file] of Object.entries({ ca: files.ca, ...files.server })) {
      own[name] = server.write(`${name}.pem`, fs.readFileSync(file))
    }
    prepare(server)
    await server.start(settings(own))
    for (const sql of users) await server.run(sql)
    plain = await create()
    await plain.start()
  })

  afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())))

  afterAll(async () => {
    await Promise.all([server?.end(), plain?.end()])
    if (folder) fs.rmSync(folder, { recursive: true })
  })

  function open(db) {
    const store = new RustSequelizeStore({ db, pool: { acquireTimeout: 5000 } })
    stores.push(store)
    return store
  }

  const url = (mode, given = {}, options = {}) =>
    server.url({ user: 'encrypted', pass: 'secret', host: 'localhost', query: query(mode, given), ...options })

  async function expectEncrypted(db) {
    const store = open(db)
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
    const { encrypted, plain } = await stats(server)
    expect(encrypted).toBeGreaterThan(0)
    expect(plain).toBe(0)
  }

  async function expectRefused(db) {
    const error = await failure(open(db).get('ada'))
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.message).not.toMatch('secret')
    return error
  }

  test('that is required', () => expectEncrypted(url('require')))

  test('that is required does not ask who the server is', () =>
    expectEncrypted(url('require', {}, { host: '127.0.0.1' })))

  test('by an authority that is known', async () => {
    await expectEncrypted(url('verify-ca', { ca: files.ca }))
    await expectEncrypted(url('verify-ca', { ca: files.ca }, { host: '127.0.0.1' }))
  })

  test('by an authority that is not known is refused', async () => {
    await expectRefused(url('verify-ca', { ca: files.stranger }))
    await expectRefused(url('verify-ca'))
    await expectRefused(url('verify-full', { ca: files.stranger }))
  })

  test('by the name of the host', async () => {
    await expectEncrypted(url('verify-full', { ca: files.ca }))
    await expectRefused(url('verify-full', { ca: files.ca }, { host: '127.0.0.1' }))
  })

  test('with a certificate of the client', async () => {
    const store = open(url('verify-ca', { ca: files.ca, ...files.client }, { user: 'certified' }))
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
  })

  test('without a certificate of the client, or with one of nobody known, is refused where one is asked for', async () => {
    await expectRefused(url('verify-ca', { ca: files.ca }, { user: 'certified' }))
    await expectRefused(url('verify-ca', { ca: files.ca, ...files.impostor }, { user: 'certified' }))
  })

  const text = (file) => fs.readFileSync(file, 'utf8')
  const texts = ({ cert, key }) => ({ cert: text(cert), key: text(key) })

  describe('with certificates and keys in place of their files', () => {
    test('in a URL', async () => {
      await expectEncrypted(url('verify-full', { ca: text(files.ca) }))
      await expectEncrypted(url('verify-full', { ca: `\n${text(files.stranger)}${text(files.ca)}` }))
      await expectEncrypted(url('verify-full', { ca: text(files.ca).replaceAll('\n', '\\n') }))
      await expectRefused(url('verify-full', { ca: text(files.stranger) }))
    })

    test('of the client in a URL', async () => {
      const given = { ca: text(files.ca), ...texts(files.client) }
      const store = open(url('verify-full', given, { user: 'certified' }))
      await store.set('ada', session({ user: 'ada' }))
      expect((await store.get('ada')).user).toBe('ada')
      await expectRefused(url('verify-full', { ca: text(files.ca), ...texts(files.impostor) }, { user: 'certified' }))
    })

    test.each([
      ['a text', text],
      ['a Buffer', (file) => fs.readFileSync(file)],
      ['an Uint8Array', (file) => new Uint8Array(fs.readFileSync(file))],
      ['a list', (file) => [text(file)]]
    ])('of a Sequelize instance as %s', async (_what, read) => {
      const { protocol, port, pathname } = new URL(server.url())
      const sequelize = (user, ssl) =>
        new Sequelize(pathname.slice(1), user, 'secret', {
          ...{ dialect: protocol.slice(0, -1), host: 'localhost', port, logging: false, define: { timestamps: false } },
          dialectOptions: { ssl: { minVersion: 'TLSv1.2', ...ssl } }
        })
      const { cert, key } = files.client
      await expectEncrypted(sequelize('encrypted', { ca: read(files.ca) }))
      await expectRefused(sequelize('encrypted', { ca: read(files.stranger) }))
      const client = { cert: read(cert), key: read(key) }
      const store = open(sequelize('certified', { ca: read(files.ca), ...client }))
      await store.set('ada', session({ user: 'ada' }))
      expect((await store.get('ada')).user).toBe('ada')
    })

    test('a key with a passphrase, or without its certificate, is refused by the constructor', () => {
      const key = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nABCDEF\n-----END ENCRYPTED PRIVATE KEY-----'
      const cert = text(files.client.cert)
      for (const given of [{ cert, key }, { cert }, { key: text(files.client.key) }, { cert: key, key: cert }]) {
        const db = url('require', given)
        expect(() => open(db)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
        expect(() => open(db)).toThrow(expect.not.objectContaining({ message: expect.stringMatching('ABCDEF') }))
      }
    })
  })

  test('by the host name if an authority is named, but no mode', async () => {
    const without = (given) => {
      const parameters = new URLSearchParams(query('require', given))
      for (const name of ['sslmode', 'ssl-mode']) parameters.delete(name)
      return { query: parameters.toString() }
    }
    await expectEncrypted(url('', {}, without({ ca: files.ca })))
    await expectRefused(url('', {}, without({ ca: files.stranger })))
  })

  test.each(understood)('that is asked for as another driver does, by %s', (parameters) =>
    expectEncrypted(server.url({ user: 'encrypted', pass: 'secret', host: 'localhost', query: parameters }))
  )

  test.each(verifying)('that is asked for with verification as another driver does, by %s', async (parameters) => {
    const authority = query('', { ca: files.ca })
    const given = (more) => ({ user: 'encrypted', pass: 'secret', host: 'localhost', query: `${parameters}${more}` })
    await expectEncrypted(server.url(given(`&${authority}`)))
    await expectRefused(server.url(given('')))
  })

  test.each(['ca', 'cert', 'key'])('with a file that is not there is refused, and the file named: %s', async (name) => {
    const given = { ca: files.ca, ...files.client, [name]: `/nowhere/${name}.pem` }
    let error
    // It may be looked for when the store is made, or when it connects.
    try {
      error = await failure(open(url('verify-ca', given, { user: 'certified' })).get('ada'))
    } catch (thrown) {
      error = thrown
    }
    expect(error.code).toMatch(/^ERR_SESSION_(OPTIONS|CONNECTION)$/)
    expect(error.message).toMatch(`/nowhere/${name}.pem`)
    expect(error.message).not.toMatch('secret')
  })

  test.each(hosted)('that is asked for as a hosting service does, by %s', (parameters) =>
    expectEncrypted(server.url({ user: 'encrypted', pass: 'secret', query: parameters }))
  )

  // To ignore them could mean to talk in plain.
  test.each(foreign)(
    'that is asked for in a way that cannot be heeded, by %s, is refused by the constructor',
    (parameters) => {
      const db = server.url({ user: 'encrypted', pass: 'secret', query: parameters })
      expect(() => open(db)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
    }
  )

  test('that is required of a server without it is refused', async () => {
    const db = plain.url({ host: 'localhost', query: query('require') })
    await expectRefused(db)
    await expectRefused(plain.url({ host: 'localhost', query: query('verify-full', { ca: files.ca }) }))
  })

  test('that is not wanted', async () => {
    const store = open(plain.url({ host: 'localhost', query: query('disable') }))
    await store.set('ada', session())
    expect(await store.length()).toBe(1)
    await expectRefused(url('disable'))
  })

  test('in a mode that does not exist is refused by the constructor', () => {
    expect(() => open(url('sometimes'))).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
  })
}
