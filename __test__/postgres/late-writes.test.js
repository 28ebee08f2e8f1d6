'use strict'

const lateWrites = require('../on-servers/late-writes')
const { codes } = require('../support/calls')
const { session } = require('../support/sessions')
const { onOwnServers } = require('../support/suites')
const { sleep, until } = require('../support/time')
const { serverKit } = require('./kit')
const { onRunningServer } = require('./setup')

onOwnServers('postgres', ({ create }) => lateWrites(serverKit(create)))

onRunningServer(({ admin, open, server }) => {
  const options = { pool: { queryTimeout: 500, acquireTimeout: 3000 } }

  /** The processes that serve a store. */
  const backends = async (database) =>
    (await admin(`SELECT pid FROM pg_stat_activity WHERE datname = '${database}'`)).map(({ pid }) => pid)

  test('a write whose process was stopped takes no effect after it goes on', async () => {
    await admin('CREATE DATABASE stopped')
    const store = open(server().url({ database: 'stopped' }), options)
    await store.set('ada', session({ user: 'ada' }))
    const stopped = await backends('stopped')
    for (const pid of stopped) process.kill(pid, 'SIGSTOP')
    try {
      expect(await codes([store.set('ada', session({ user: 'eve' }))])).toEqual(['ERR_SESSION_TIMEOUT'])
      // Its fate is not known, so that a logout cannot be promised.
      const later = [store.destroy('ada'), store.get('ada'), store.clear(), store.clearExpiredSessions()]
      expect(await codes(later)).toEqual(later.map(() => 'ERR_SESSION_TIMEOUT'))
    } finally {
      for (const pid of stopped) process.kill(pid, 'SIGCONT')
    }
    await store.destroy('ada')
    expect(await store.get('ada')).toBeNull()
    await sleep(500)
    expect(await store.get('ada')).toBeNull()
    expect(store.stats().pending).toBe(0)
  })

  test('a store whose processes were stopped closes, and ends them when they go on', async () => {
    await admin('CREATE DATABASE closing')
    const store = open(server().url({ database: 'closing' }), options)
    await store.set('ada', session())
    const stopped = await backends('closing')
    for (const pid of stopped) process.kill(pid, 'SIGSTOP')
    try {
      expect(await codes([store.set('ada', session())])).toEqual(['ERR_SESSION_TIMEOUT'])
      await store.close()
    } finally {
      for (const pid of stopped) process.kill(pid, 'SIGCONT')
    }
    await until(async () => (await backends('closing')).length === 0)
  })
})
