'use strict'

const path = require('node:path')
const { RustSequelizeStore } = require('../..')
const { start } = require('../support/children')
const { exercise } = require('../support/exercise')
const { freePort } = require('../support/servers/private-server')
const { session } = require('../support/sessions')
const { run } = require('./setup')

// Needs no program, so that PostgreSQL's statements are tested on every machine.

describe('PGlite', () => {
  const stores = []
  let server
  let url

  beforeAll(async () => {
    const port = await freePort()
    server = start(path.join(__dirname, '..', 'support', 'programs', 'pglite.js'), [JSON.stringify(port)])
    await Promise.race([new Promise((resolve) => server.child.once('message', resolve)), server.failed])
    url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`
  })

  afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())))

  afterAll(() => server?.kill('SIGKILL'))

  const query = (sql) => run(url, sql)
  const count = async () => Number((await query('SELECT count(*) FROM "Sessions"'))[0].count)

  function open(parameters) {
    const store = new RustSequelizeStore({
      db: url + parameters,
      preparedStatements: false,
      checkExpirationInterval: 0
    })
    stores.push(store)
    return store
  }

  describe.each([
    ['the usual statements', ''],
    ['portable statements', '?portable=true']
  ])('with %s', (_name, parameters) => {
    test('the store works', async () => {
      const store = open(parameters)
      await store.sync({ force: true })
      await exercise({ count }, store)
    })

    test('many callers find what they wrote', async () => {
      const store = open(parameters)
      const work = async (i) => {
        for (let n = 0; n < 10; n++) {
          await store.set(`${i}`, session({ n }))
          expect((await store.get(`${i}`)).n).toBe(n)
        }
      }
      await Promise.all(Array.from({ length: 32 }, (_, i) => work(i)))
      expect(await store.length()).toBe(32)
      expect(store.stats().errors).toBe(0)
    })
  })
})
