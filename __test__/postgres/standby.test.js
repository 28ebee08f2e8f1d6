'use strict'

const { RustSequelizeStore } = require('../..')
const { failure } = require('../support/calls')
const { endCallers, lostWrites, startCallers } = require('../support/callers')
const { session } = require('../support/sessions')
const { onOwnServers } = require('../support/suites')
const { until } = require('../support/time')

// A primary, its standby, and a URL that names both.

onOwnServers('postgres', ({ create, createStandby }) => {
  let primary
  let standby
  const stores = []

  beforeAll(async () => {
    primary = await create()
    await primary.start({ wal_level: 'replica', max_wal_senders: 5 })
    standby = await createStandby(primary)
    await standby.start()
  })

  afterEach(async () => {
    await endCallers()
    await Promise.all(stores.splice(0).map((store) => store.close()))
  })

  afterAll(async () => {
    await standby?.end()
    await primary?.end()
  })

  function open(db, options) {
    const store = new RustSequelizeStore({ db, ...options })
    stores.push(store)
    return store
  }

  const both = (query = '') => {
    const host = `127.0.0.1:${standby.port},127.0.0.1`
    return primary.url({ host, query })
  }

  test('the primary is found behind its standby', async () => {
    const store = open(both())
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
    expect(store.stats().errors).toBe(0)
  })

  test('a standby alone serves reads, unless the URL asks for one that accepts writes', async () => {
    const written = open(both())
    await written.set('ada', session({ user: 'ada' }))
    const store = open(standby.url(), { pool: { acquireTimeout: 1000 } })
    await until(async () => (await store.get('ada').catch(() => null))?.user === 'ada')
    expect((await failure(store.set('bob', session()))).message).toMatch(/accepts only reads/)
    expect((await store.get('ada')).user).toBe('ada')
    const strict = open(standby.url({ query: 'target_session_attrs=read-write' }), { pool: { acquireTimeout: 1000 } })
    const error = await failure(strict.get('ada'))
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.message).toMatch(/accepts only reads/)
  })

  test('a planned switch fails no call and loses nothing', async () => {
    const store = open(both('target_session_attrs=read-write'))
    const callers = startCallers(store, 64)
    await callers.more(300)
    // A primary that is told to stop sends the standby everything first.
    await primary.stop()
    await standby.promote()
    await callers.more(500)
    await callers.end()
    expect(callers.errors).toEqual([])
    expect(callers.wrong).toEqual([])
    expect(await lostWrites(store, callers)).toEqual([])
    expect(callers.pause).toBeLessThan(10_000)
  })
})
