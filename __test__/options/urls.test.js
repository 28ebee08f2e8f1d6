'use strict'

const { inspect } = require('node:util')
const { create, refusal } = require('./setup')

const secret = 's3cr3t'

describe('a URL whose parts are not sure is refused, and shown nowhere:', () => {
  const unsure = ['postgres', 'postgresql', 'mysql', 'mariadb', 'MySQL'].flatMap((scheme) => [
    `${scheme}://shop:2024/${secret}@host/shop`,
    `${scheme}://shop:2024?${secret}@host/shop`,
    `${scheme}://shop:2024#${secret}@host/shop`,
    `${scheme}://shop:a@b/${secret}@host/shop`,
    `${scheme}://shop:a@b?${secret}@host/shop`,
    `${scheme}://shop:${secret}/2024@host/shop`,
    `${scheme}://shop/${secret}:2024@host/shop`,
    `${scheme}://shop:${secret}%@host/shop`,
    `${scheme}://shop:${secret}%zz@host/shop`,
    `${scheme}://shop:${secret}%F0@host/shop`,
    `${scheme}://shop:${secret}`,
    `${scheme}://shop:${secret}@host:${secret}/shop`,
    `${scheme}:shop:${secret}@host/shop`,
    `${scheme}:/shop:${secret}@host/shop`,
    `${scheme}:///shop:${secret}@host/shop`,
    `${scheme}:sequential://shop:${secret}@host/shop`,
    `${scheme}://postgres://shop:${secret}@host/shop`,
    `${scheme}://shop:a@host/shop?sslmode=${secret}`,
    `${scheme}://shop:a@host/shop?ssl-mode=${secret}`,
    `${scheme}://shop:a@host/shop?statement-cache-capacity=${secret}`
  ])

  test.each([
    ...unsure,
    `sqlite://shop:${secret}@host/shop`,
    `sqlite:shop:${secret}@host/shop`,
    `sqlite://shop:a/${secret}@host/shop`,
    `sqlite://shop:a?${secret}@host/shop`,
    `sqlite:./a.sqlite?journal_mode=${secret}`,
    `sqlite:./a.sqlite?synchronous=${secret}`,
    `sqlite:./a.sqlite?busy_timeout=${secret}`,
    `sqlite:./a.sqlite?mode=${secret}`,
    `sqlite:./a.sqlite?cache=${secret}`,
    `${secret}:pw@host/shop`,
    `${secret}`,
    `shop:${secret}@host/shop`,
    `oracle://shop:${secret}@host/shop`
  ])('%s', (db) => {
    const error = refusal({ db })
    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message + error.stack + inspect(error, { depth: 9, showHidden: true })).not.toMatch(secret)
    expect(error.message).not.toMatch('host/shop')
  })

  test.each(unsure.slice(0, 8))('with the hint to encode: %s', (db) => {
    expect(refusal({ db }).message).toMatch('encodeURIComponent')
  })
})

test.each(['a/b', 'a?b', 'a#b', 'a@b', 'a%b', 'a:b', 'a b', '100%', '2024/Winter-Sale', '日本'])(
  'a URL with the password %j is accepted once it is encoded',
  (password) => {
    for (const scheme of ['postgres', 'mysql']) {
      const db = `${scheme}://shop:${encodeURIComponent(password)}@localhost:1/shop`
      expect(create({ db }).options.db).toBe(db)
    }
  }
)

test.each([
  'postgres://localhost/shop?application_name=a%40b',
  'postgres://%2Fvar%2Frun%2Fpostgresql/shop',
  'postgres:///shop?host=/var/run/postgresql',
  'postgres://shop@/shop?host=/var/run/postgresql',
  'mysql://shop@[::1]:1/shop',
  'mysql://shop@localhost/shop?socket=/run/mysqld/mysqld.sock',
  'sqlite:./a@b.sqlite?mode=memory',
  'sqlite::memory:'
])('%s is accepted', (db) => {
  expect(create({ db }).options.db).toBe(db)
})
