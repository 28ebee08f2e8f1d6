'use strict'

const { inspect } = require('node:util')
const { failure } = require('../support/calls')
const { exercise } = require('../support/exercise')
const { session } = require('../support/sessions')
const { onPostgres, onRunningServer } = require('./setup')

onPostgres((database) => {
  const { open, place } = database

  test('the option preparedStatements can be false without a pooler', async () => {
    await exercise(database, open({ preparedStatements: false }))
  })

  test('the scheme of a URL can be postgresql', async () => {
    const { db } = place()
    await exercise(database, open({}, { db: db.replace(/^postgres:/, 'postgresql:') }))
  })
})

onRunningServer(({ admin, open, server }) => {
  describe('a unix socket', () => {
    const urls = {
      'in the parameters': () => server().socketUrl,
      'in the place of the host': () =>
        `postgres://postgres@${encodeURIComponent(server().folder)}:${server().port}/postgres`,
      'without a host': () =>
        `postgres://postgres:any@/postgres?host=${encodeURIComponent(server().folder)}&port=${server().port}`,
      'with everything in the parameters': () =>
        `postgres:///postgres?host=${encodeURIComponent(server().folder)}&port=${server().port}&user=postgres`
    }

    test.each(Object.entries(urls))('%s', async (_name, url) => {
      const store = open(url())
      await store.set('ada', session({ user: 'ada' }))
      expect((await store.get('ada')).user).toBe('ada')
      await store.sync({ force: true })
    })

    test('that is missing is an error until it exists', async () => {
      await server().stop()
      const store = open(server().socketUrl, { pool: { acquireTimeout: 3000 } })
      const error = await failure(store.get('ada'))
      expect(error.code).toBe('ERR_SESSION_CONNECTION')
      expect(error.message).toMatch(server().folder)
      await server().start()
      expect(await store.get('ada')).toBeNull()
      await store.sync({ force: true })
    })
  })

  test('parameters that hosting services add are accepted', async () => {
    const query =
      'application_name=shop&connect_timeout=10&channel_binding=prefer&target_session_attrs=read-write&pgbouncer=true'
    const store = open(server().url({ query }))
    await store.set('ada', session())
    expect(await admin("SELECT FROM pg_stat_activity WHERE application_name = 'shop'")).not.toEqual([])
    await store.sync({ force: true })
  })

  test.each(['😀', 'a\u0007b'])(
    'a password that SASLprep prohibits, %j, is refused without showing it',
    async (password) => {
      const role = `prohibited${password.length}`
      await admin(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'`)
      const error = await failure(open(server().url({ user: role, pass: password })).get('ada'))
      expect(error.code).toBe('ERR_SESSION_CONNECTION')
      // Not even the one character.
      const told = inspect(error, { depth: 9, showHidden: true }) + error.message
      expect(told).not.toMatch(/😀|\\x07|u\{?0*7\b|1f600/i)
    }
  )
})
