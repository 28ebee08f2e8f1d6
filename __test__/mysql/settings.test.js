'use strict'

const mysql = require('mysql2/promise')
const { exercise } = require('../support/exercise')
const { codes } = require('../support/calls')
const { session } = require('../support/sessions')
const { HOUR, MINUTE, until } = require('../support/time')
const { onRunningServers, run } = require('./setup')

onRunningServers(({ count, open, server, withGlobals }) => {
  const modes = [
    '',
    'ANSI',
    'TRADITIONAL,ONLY_FULL_GROUP_BY',
    'NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT',
    'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE'
  ]

  test.each(modes)('sql_mode %j: works, and nothing is truncated', async (mode) => {
    await withGlobals({ sql_mode: mode }, async () => {
      await exercise({ count }, open())
      await run(server().url(), 'DROP TABLE `Sessions`')
      await run(
        server().url(),
        'CREATE TABLE `Sessions` (sid VARCHAR(36) PRIMARY KEY, expires TIMESTAMP NULL, data TEXT)'
      )
      const store = open()
      const outcome = await codes([
        store.set('ada', session({ text: 'x'.repeat(70_000) })),
        store.set('x'.repeat(37), session()),
        store.set('late', { cookie: { expires: new Date('2222-01-02T03:04:05Z') } }),
        store.set('bob', session({ text: 'a\\b\'c"d' }))
      ])
      expect(outcome.slice(0, 2)).toEqual(['ERR_SESSION_DATABASE', 'ERR_SESSION_DATABASE'])
      expect(outcome[3]).toBeNull()
      // A TIMESTAMP ends in 2038, or in 2106.
      if (outcome[2] === null) expect(await store.get('late')).not.toBeNull()
      else expect(outcome[2]).toBe('ERR_SESSION_DATABASE')
      expect((await store.get('bob')).text).toBe('a\\b\'c"d')
    })
  })

  test.each([
    ['autocommit', { autocommit: 0 }],
    ['a time zone', { time_zone: '+03:00' }],
    ['safe updates', { sql_safe_updates: 1 }],
    ['isolation serializable', { tx_isolation: 'SERIALIZABLE' }],
    ['isolation uncommitted', { tx_isolation: 'READ-UNCOMMITTED' }],
    [
      'a character set',
      { character_set_server: 'latin1', character_set_client: 'latin1', collation_connection: 'latin1_swedish_ci' }
    ],
    ['short waits', { innodb_lock_wait_timeout: 1, net_read_timeout: 2, net_write_timeout: 2 }]
  ])('global variables: %s', async (_name, globals) => {
    const known = await run(
      server().url(),
      `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${mysql.escape(Object.keys(globals))})`
    )
    if (known.length < Object.keys(globals).length) return
    await withGlobals(globals, async () => {
      const store = open()
      await exercise({ count }, store)
      await store.set('ada', session({ text: '日本😀' }))
      // What was acknowledged is there for everybody.
      expect(await count()).toBe(1)
      const other = open()
      expect((await other.get('ada')).text).toBe('日本😀')
      await other.set('ada', session({ text: 'other' }))
      expect((await store.get('ada')).text).toBe('other')
      const [{ expires }] = await run(server().url(), 'SELECT CAST(expires AS CHAR) AS expires FROM `Sessions`')
      expect(Math.abs(new Date(`${expires.replace(' ', 'T')}Z`) - (Date.now() + 24 * HOUR))).toBeLessThan(MINUTE)
    })
  })

  test('few prepared statements are kept on the server', async () => {
    const store = open(undefined, { pool: { max: 2 } })
    for (let size = 1; size < 60; size++) {
      const sids = Array.from({ length: size }, (_, i) => `${i}`)
      await Promise.all(sids.map((sid) => store.set(sid, session())))
      await Promise.all(sids.map((sid) => store.get(sid)))
      await Promise.all(sids.map((sid) => store.touch(sid, session())))
      await Promise.all(sids.map((sid) => store.destroy(sid)))
    }
    const [{ Value: count }] = await run(server().url(), "SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")
    expect(Number(count)).toBeLessThan(400)
  })

  test('a write retries while another program holds a lock for long', async () => {
    const store = open()
    await store.set('ada', session({ visits: 1 }))
    const other = await mysql.createConnection({ uri: server().url() })
    try {
      await other.query('BEGIN')
      await other.query("UPDATE `Sessions` SET data = '{}' WHERE sid = 'ada'")
      await withGlobals({ innodb_lock_wait_timeout: 1 }, async () => {
        const impatient = open()
        const written = impatient.set('ada', session({ visits: 2 }))
        await until(() => impatient.stats().retries > 0)
        await other.query('ROLLBACK')
        await written
      })
    } finally {
      other.destroy()
    }
    expect((await store.get('ada')).visits).toBe(2)
  })

  test('a read-only server serves reads and fails writes', async () => {
    await run(server().url(), "CREATE USER plain@'%' IDENTIFIED BY 'secret'; GRANT ALL ON test.* TO plain@'%'")
    const url = server().url({ user: 'plain', pass: 'secret' })
    const writer = open(url)
    await writer.set('ada', session({ user: 'ada' }))
    await withGlobals({ read_only: 1 }, async () => {
      const store = open(url, { pool: { acquireTimeout: 1000 } })
      expect((await store.get('ada')).user).toBe('ada')
      const calls = [store.set('ada', session()), store.touch('ada', session()), store.destroy('ada')]
      expect(await codes(calls)).toEqual(Array(3).fill('ERR_SESSION_CONNECTION'))
      expect((await store.get('ada')).user).toBe('ada')
    })
    await writer.set('ada', session({ user: 'again' }))
    expect((await writer.get('ada')).user).toBe('again')
  })
})
