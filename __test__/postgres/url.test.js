'use strict'

const { execFileSync } = require('node:child_process')
const path = require('node:path')
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

  test('parameters of Prisma set the schema, the number of connections and prepared statements', async () => {
    await admin('CREATE SCHEMA prisma')
    const query = 'schema=prisma&connection_limit=2&pgbouncer=true&application_name=prisma'
    const store = open(server().url({ query }))
    await Promise.all(Array.from({ length: 40 }, (_, i) => store.set(`sid-${i}`, session({ i }))))
    expect(await store.length()).toBe(40)
    expect(await admin('SELECT count(*)::int AS count FROM prisma."Sessions"')).toEqual([{ count: 40 }])
    const [{ count }] = await admin(
      "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'prisma'"
    )
    expect(count).toBeLessThanOrEqual(2)
    const other = open(server().url({ query: 'schema=absent' }), { schema: 'prisma' })
    expect(await other.length()).toBe(40)
  })

  test('parameters of node-postgres for the session reach the server', async () => {
    const store = open(server().url({ query: 'statement_timeout=1234&search_path=public&application_name=settings' }))
    await store.length()
    const slow = open(server().url({ query: 'statement_timeout=1' }), { tableName: 'slow' })
    await admin('CREATE TABLE slow (sid TEXT PRIMARY KEY, expires TIMESTAMPTZ, data TEXT)')
    await admin(
      'CREATE FUNCTION late() RETURNS trigger AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$ LANGUAGE plpgsql'
    )
    await admin('CREATE TRIGGER late BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION late()')
    expect((await failure(slow.set('ada', session()))).code).toBe('ERR_SESSION_TIMEOUT')
    await store.sync({ force: true })
  })

  test.each([
    ['PGSSLMODE', 'sometimes'],
    ['PGPORT', 'soon']
  ])('the variable %s with a value that means nothing is refused by the constructor', (name, value) => {
    // The environment of Jest is a copy.
    const program = `try { new (require('.').RustSequelizeStore)({ db: 'postgres://somewhere/sessions' }) }
      catch (error) { console.log(error.code, error.message) }`
    const env = { ...process.env, [name]: value }
    const output = execFileSync(process.execPath, ['-e', program], { cwd: path.join(__dirname, '../..'), env })
    expect(String(output)).toMatch(new RegExp(`^ERR_SESSION_OPTIONS .*${name}`))
  })

  test('a socket is used without TLS whatever the mode, as with libpq', async () => {
    const store = open(`${server().socketUrl}&sslmode=require`)
    expect(await store.get('ada')).toBeNull()
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
