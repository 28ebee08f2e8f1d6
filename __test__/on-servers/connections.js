'use strict'

const { inspect } = require('node:util')
const { codes, failure } = require('../support/calls')
const { session } = require('../support/sessions')
const { HOUR, until } = require('../support/time')
const { TIMEOUT, expectWorking, serverOf } = require('./setup')

/** Users, passwords and rights, and how many connections there are. `kit` is as setup.js has it. */
module.exports = (kit) => {
  const { run, quote, createUser, createDatabase, grant, connections } = kit
  const { admin, fresh, open, server } = serverOf(kit)
  const options = { pool: { acquireTimeout: TIMEOUT } }

  describe('a URL', () => {
    const odd = ['p@ss:w/ord?#%25&=+', 'é ñ', '"quoted" \\back`tick\\', "it's; DROP", '%41', '100%', 'a[b]{c}|<d>^~']

    test.each(odd)('with the password %j', async (password) => {
      const database = await fresh()
      const user = `user-${database}`
      await admin(createUser(user, password))
      await admin(grant(user, database))
      const store = open(server().url({ user, pass: password, database }), options)
      await expectWorking(store)
      expect(inspect(store, { depth: 9 })).not.toMatch(encodeURIComponent(password))
      expect(JSON.stringify(store.options)).not.toMatch(encodeURIComponent(password))
    })

    test.each(['my user', 'user@host', 'a:b', 'ü%41', 'postgres.project-ref'])('with the user %j', async (user) => {
      const database = await fresh()
      await admin(createUser(user, 'secret'))
      await admin(grant(user, database))
      await expectWorking(open(server().url({ user, pass: 'secret', database }), options))
    })

    test.each(['my database', 'ü', 'a-b.c', '100%', 'a/b?c'])('with the database %j', async (name) => {
      await admin(createDatabase(name))
      await expectWorking(open(server().url({ database: encodeURIComponent(name) }), options))
    })

    test.each(['p@ss#s3cret', 'pass/s3cret', 'pass?s3cret', 'pass s3cret', 'p%zzs3cret', '[s3cret'])(
      'with the password %j unencoded works or is refused, without the password in the error',
      async (password) => {
        const database = await fresh()
        const user = `plain_${database}`
        await admin(createUser(user, password))
        await admin(grant(user, database))
        const [scheme] = server().url().split(':')
        const db = `${scheme}://${user}:${password}@127.0.0.1:${server().port}/${database}`
        let error
        try {
          error = await open(db, options)
            .set('ada', session())
            .catch((reason) => reason)
        } catch (thrown) {
          error = thrown
        }
        if (error === undefined) return
        expect(error.code).toMatch(/^ERR_SESSION_(OPTIONS|CONNECTION)$/)
        expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch('s3cret')
      }
    )

    test('with localhost instead of the address', async () => {
      await expectWorking(open(server().url({ host: 'localhost', database: await fresh() }), options))
    })
  })

  describe('rights', () => {
    async function withUser(name) {
      const database = await fresh()
      await admin(createUser(name, 'secret'))
      return { database, url: server().url({ user: name, pass: 'secret', database }) }
    }

    test('to create tables are not needed where the table exists', async () => {
      const { database, url } = await withUser('reader')
      const owner = open(server().url({ database }))
      await owner.set('ada', session({ user: 'ada' }))
      await run(
        server().url({ database }),
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ${quote('Sessions')} TO ${quote('reader')}`
      )
      const store = open(url)
      expect((await store.get('ada')).user).toBe('ada')
      await store.set('bob', session({ user: 'bob' }))
      await store.touch('bob', session())
      await store.set('dead', session({}, -HOUR))
      expect(await store.clearExpiredSessions()).toBe(1)
      expect((await store.ids()).sort()).toEqual(['ada', 'bob'])
      await store.destroy('bob')
      await store.sync()
      await store.clear()
      expect(store.stats().errors).toBe(0)
    })

    test('that are missing are an error until they are granted', async () => {
      const { database, url } = await withUser('beginner')
      const owner = open(server().url({ database }))
      // On MySQL who has no right in a database cannot even connect to it.
      const other = quote('Other')
      await run(server().url({ database }), `CREATE TABLE ${other} (a INT)`)
      await run(server().url({ database }), `GRANT SELECT ON ${other} TO ${quote('beginner')}`)
      const store = open(url, options)
      for (const call of [() => store.get('ada'), () => store.set('ada', session())]) {
        const error = await failure(call())
        expect(error.code).toMatch(/^ERR_SESSION_(TABLE|DATABASE)$/)
        expect(error.cause).toBeInstanceOf(Error)
      }
      await owner.set('ada', session({ user: 'ada' }))
      await run(
        server().url({ database }),
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ${quote('Sessions')} TO ${quote('beginner')}`
      )
      expect((await store.get('ada')).user).toBe('ada')
      await expectWorking(store)
    })

    test('to write that are missing fail the writes only, and are never a miss', async () => {
      const { database, url } = await withUser('looker')
      const owner = open(server().url({ database }))
      await owner.set('ada', session({ user: 'ada' }))
      await run(server().url({ database }), `GRANT SELECT ON ${quote('Sessions')} TO ${quote('looker')}`)
      const store = open(url)
      expect((await store.get('ada')).user).toBe('ada')
      const calls = [store.set('ada', session()), store.touch('ada', session()), store.destroy('ada')]
      for (const code of await codes(calls)) expect(code).toMatch(/^ERR_SESSION_(TABLE|DATABASE)$/)
      expect((await store.get('ada')).user).toBe('ada')
    })
  })

  test('the store never opens more connections than `pool.max`', async () => {
    const database = await fresh()
    await admin(createUser('few', 'secret'))
    await admin(grant('few', database))
    const url = server().url({ user: 'few', pass: 'secret', database })
    for (const max of [1, 2, 3]) {
      const store = open(url, { pool: { max } })
      await Promise.all(
        Array.from({ length: 200 }, (_, i) => [
          store.set(`${i}`, session()),
          store.get(`${i + 1}`),
          i % 50 ? undefined : store.length(),
          i % 50 ? undefined : store.clearExpiredSessions()
        ]).flat()
      )
      expect((await connections(server().url(), 'few')).length).toBeLessThanOrEqual(max)
      expect(store.stats().pool.size).toBeLessThanOrEqual(max)
      await store.close()
      await until(async () => (await connections(server().url(), 'few')).length === 0)
    }
  })

  test('close leaves no connection on the server', async () => {
    const database = await fresh()
    await admin(createUser('closer', 'secret'))
    await admin(grant('closer', database))
    const store = open(server().url({ user: 'closer', pass: 'secret', database }))
    await Promise.all(Array.from({ length: 100 }, (_, i) => [store.set(`${i}`, session()), store.length()]).flat())
    expect((await connections(server().url(), 'closer')).length).toBeGreaterThan(0)
    await store.close()
    await until(async () => (await connections(server().url(), 'closer')).length === 0)
  })
}
