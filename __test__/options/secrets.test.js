'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { inspect } = require('node:util')
const { RustSequelizeStore, SessionStoreError } = require('../..')
const { create, db, refusal } = require('./setup')

describe('a password', () => {
  const secret = 's3cr3t'

  /** All that can be seen of a value in a log. */
  function visible(value) {
    const parts = [
      String(value),
      inspect(value, { depth: 20, showProxy: true }),
      JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part))
    ]
    if (value instanceof Error) {
      const { message, stack, cause } = value
      parts.push(message, stack, JSON.stringify({ ...value }))
      if (cause !== undefined) parts.push(visible(cause))
    }
    return parts.join('\n')
  }

  test.each([
    [{ db: `postgress://user:${secret}@localhost/sessions` }],
    [{ db: `oracle://user:${secret}@localhost/sessions` }],
    [{ db: `"postgres://user:${secret}@localhost/sessions"` }],
    [{ db: `postgres//user:${secret}@localhost/sessions` }],
    [{ db: `postgres://user:${secret}@local host:port/sessions` }],
    [{ db: `postgres://user:${secret}@localhost:port/sessions` }],
    [{ db: `postgres://user:${secret}@localhost/sessions?sslmode=maybe` }],
    [{ db: `mysql://user:${secret}@localhost/sessions?ssl-mode=maybe` }],
    [{ db: `mysql://user:${secret}@localhost` }],
    [{ db: `postgres://user:${secret}@localhost/sessions`, table: 'Session' }],
    [{ db: `postgres://user:${secret}@localhost/sessions`, timezone: 'UTC' }],
    [{ db: `postgres://user:a/${secret}@localhost/sessions` }],
    [{ db: `postgres://user:a#${secret}@localhost/sessions` }],
    [{ db: `postgres://user:a?${secret}@localhost/sessions` }],
    [{ db: `user:${secret}@localhost/sessions` }],
    [{ db: `${secret}` }],
    [{ db: `sqlite:./sessions.sqlite?password=${secret}` }],
    [{ db: { host: 'localhost', password: secret } }],
    [{ db: [`postgres://user:${secret}@localhost/sessions`] }],
    [{ db: new URL(`postgres://user:${secret}@localhost/sessions`) }],
    [{ url: `postgres://user:${secret}@localhost/sessions` }],
    [{ db, password: secret }],
    [{ db, pool: { password: secret } }],
    [{ db, pool: `postgres://user:${secret}@localhost/sessions` }],
    [`postgres://user:${secret}@localhost/sessions`]
  ])('is not in the error for %j', (options) => {
    const error = refusal(options)

    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(visible(error)).not.toContain(secret)
  })

  test('is not in the error for a URL in the place of a dialect', () => {
    expect.assertions(1)
    try {
      RustSequelizeStore.ddl(`postgres://user:${secret}@localhost/sessions`)
    } catch (error) {
      expect(visible(error)).not.toContain(secret)
    }
  })

  // A port at which nothing listens.
  test.each([
    `postgres://user:${secret}@127.0.0.1:1/sessions`,
    `postgres://user:a@${secret}@127.0.0.1:1/sessions`,
    `postgres://127.0.0.1:1/sessions?user=u&password=${secret}`,
    `postgres://user:${secret}@127.0.0.1:1/sessions?sslmode=verify-full&sslrootcert=/nowhere`,
    `postgres://user:${secret}@localhost/sessions?host=/nowhere`,
    `mysql://user:${secret}@127.0.0.1:1/sessions`,
    `mariadb://user:${secret}@127.0.0.1:1/sessions?ssl-mode=REQUIRED`,
    `mysql://user:${secret}@localhost/sessions?socket=/nowhere`
  ])('is not visible in a store on a server that is away: %s', async (url) => {
    const store = create({ db: url, pool: { acquireTimeout: 100 } })

    const error = await store.get('sid').catch((thrown) => thrown)

    expect(error).toBeInstanceOf(SessionStoreError)
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(visible(error)).not.toContain(secret)
    expect(store.options.db).toBe(url)
    expect(visible(store.options)).not.toContain(secret)
    expect(inspect(store, { depth: 20 })).not.toContain(secret)
    expect(visible(store.stats())).not.toContain(secret)
  })

  test('is not visible in a store', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
    const url = `sqlite:${folder}/${secret}.sqlite`
    const store = create({ db: url })
    await store.set('sid', { cookie: {} })

    expect(store.options.db).toBe(url)
    expect(visible(store.options)).not.toContain(secret)
    expect(Object.keys(store.options)).not.toContain('db')
    expect({ ...store.options }).not.toHaveProperty('db')
    for (const depth of [0, 5, 20]) {
      expect(inspect(store, { depth })).not.toContain(secret)
    }
    expect(visible(store.stats())).not.toContain(secret)
    await store.close()
    expect(inspect(store, { depth: 20 })).not.toContain(secret)
    fs.rmSync(folder, { recursive: true })
  })
})
