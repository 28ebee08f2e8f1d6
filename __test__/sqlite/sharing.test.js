'use strict'

const { report } = require('../support/run')
const { file, place, query, withParameters } = require('./setup')

// A store and another copy of SQLite on one file in one process. Each test runs in a process of its own, and what is in the file
// is looked at from yet another one.

/** Locks that two copies in one process see of each other are there on these systems only: see src/database/sqlite/file_locks. */
const sharing = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)
const onLinux = sharing ? describe : describe.skip

const play = (scenario, where, more) =>
  report('sqlite-sharing.js', [scenario, { place: where, file: file(where), ...more }])

onLinux(`another copy of SQLite in the process${sharing ? '' : ' (on Linux only)'}`, () => {
  test.each(['WAL', 'DELETE'])('writes the same file at the same time, in mode %s', async (mode) => {
    const where = withParameters(`journal_mode=${mode}&busy_timeout=10000`)
    await query(where, `PRAGMA journal_mode = ${mode}`)
    await query(where, 'CREATE TABLE tally (id TEXT PRIMARY KEY, n INTEGER NOT NULL)')
    const processes = await Promise.all(['one', 'two'].map((name) => play('hammer', where, { name, ms: 5_000 })))
    expect(await query(where, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    const sessions = await query(where, 'SELECT sid, data FROM Sessions')
    const tally = await query(where, 'SELECT id, n FROM tally')
    expect({
      sessions: Object.fromEntries(sessions.map(({ sid, data }) => [sid, JSON.parse(data).n])),
      tally: Object.fromEntries(tally.map(({ id, n }) => [id, n]))
    }).toEqual({
      sessions: Object.assign({}, ...processes.map(({ acknowledged }) => acknowledged.sessions)),
      tally: Object.assign({}, ...processes.map(({ acknowledged }) => acknowledged.tally))
    })
    for (const { rounds } of processes) {
      expect(rounds).toEqual({ store: expect.any(Number), sqlite3: expect.any(Number), sequelize: expect.any(Number) })
      expect(Math.min(...Object.values(rounds))).toBeGreaterThan(0)
    }
  })

  test.each(['WAL', 'DELETE'])('keeps the store waiting while it writes, in mode %s', async (mode) => {
    const where = withParameters(`journal_mode=${mode}&busy_timeout=50`)
    expect(await play('connectionFirst', where)).toEqual({ locked: 'ERR_SESSION_TIMEOUT', free: 'done' })
  })

  test.each(['WAL', 'DELETE'])('waits while the store writes, in mode %s', async (mode) => {
    const where = withParameters(`journal_mode=${mode}`)
    expect(await play('storeFirst', where)).toEqual({ refused: true, others: [], free: 'done' })
  })

  test('cannot turn off the write-ahead log of a store that is open', async () => {
    expect(await play('modeChange', place())).toEqual({ open: 'SQLITE_BUSY', closed: 'done' })
  })

  test('keeps its locks when a store is closed', async () => {
    const where = withParameters('journal_mode=DELETE&busy_timeout=50')
    const played = await play('storeCloses', where)
    expect(played).toEqual({ set: 'ERR_SESSION_TIMEOUT', held: 'SQLITE_BUSY', free: 'done' })
  })

  test('leaves the store its write-ahead log', async () => {
    const sids = ['after', 'before']
    expect(await play('connectionCloses', place())).toEqual({ log: true, seen: sids, left: sids, logLeft: false })
  })

  test.each(['WAL', 'DELETE'])('leaves no file descriptors open, in mode %s', async (mode) => {
    const { alone, beside, after } = await play('descriptors', withParameters(`journal_mode=${mode}`), { stores: 200 })
    expect({ alone, after }).toEqual({ alone: 0, after: 0 })
    // Those of one store, which are opened again by the next one.
    expect(beside).toBeLessThanOrEqual(10)
  })
})
