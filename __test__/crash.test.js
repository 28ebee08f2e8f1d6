'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const databases = require('./support/databases')
const { start } = require('./support/children')
const { sleep } = require('./support/time')
const { content, possibleStates, readJournal } = require('./support/crash-journal')

// Processes that write are killed at any moment. What they were told is written must be there.

/** How many are killed on each database. */
const KILLS = Number(process.env.CRASH_KILLS ?? 8)

/** Processes at a time, sessions of each, and how long they work before the first is killed, in ms, at most. */
const PROCESSES = 2
const SESSIONS = 12
const LIFE = 500

const child = path.join(__dirname, 'support', 'programs', 'crash-child.js')
const sidsOf = (id) => Array.from({ length: SESSIONS }, (_, i) => `process-${id}-${i}`)

for (const database of databases.filter(({ name }) => name !== 'SQLite memory')) {
  const whereEnabled = database.enabled ? describe : describe.skip

  whereEnabled(`processes that are killed, ${database.name}`, () => {
    let folder

    beforeAll(() => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-sequelize-store-crash-'))
    })

    afterEach(() => database.reset())

    afterAll(async () => {
      fs.rmSync(folder, { recursive: true, force: true })
      await database.end()
    })

    /** Starts a process that writes from a number on, kills it, and resolves with what its journal says. */
    async function killOne(place, id, round) {
      const journal = path.join(folder, `${round}-${id}`)
      const args = [place, journal, sidsOf(id), round * 1_000_000].map((arg) => JSON.stringify(arg))
      const { child: running, failed, kill } = start(child, args)
      const ready = new Promise((resolve) => running.once('message', resolve))
      // Now and then before it has a connection, or while it makes one.
      if (Math.random() < 0.8) await Promise.race([ready, failed.catch(() => {})])
      await sleep(Math.random() * LIFE)
      const [code] = await kill('SIGKILL')
      const calls = readJournal(journal)
      // It has ended by itself.
      if (code !== null) await failed
      return calls
    }

    /** What each session holds, by every way of reading. */
    async function read(place, sids) {
      const store = database.open({ checkExpirationInterval: 0 }, place)
      const all = new Map(Object.entries(await store.all()))
      const held = new Map()
      for (const sid of sids) {
        const found = await store.get(sid)
        expect(found).toEqual(all.get(sid) ?? null)
        if (found !== null) expect(found).toMatchObject(content(found.number))
        held.set(sid, found === null ? null : found.number)
      }
      expect(store.stats()).toMatchObject({ errors: 0, unreadable: 0 })
      await store.close()
      return held
    }

    test(
      `${KILLS} times: every acknowledged write is there, and what was destroyed is gone`,
      async () => {
        const place = database.place()
        const ids = Array.from({ length: PROCESSES }, (_, id) => id)
        const sids = ids.flatMap(sidsOf)
        let held = new Map(sids.map((sid) => [sid, null]))
        let acknowledged = 0
        let called = 0
        for (let round = 1; round <= KILLS / PROCESSES; round++) {
          const journals = await Promise.all(ids.map((id) => killOne(place, id, round)))
          // The server may still be at what the dead have sent.
          await database.killConnections?.(place)
          const now = await read(place, sids)
          for (const [sid, calls] of journals.flatMap((journal) => [...journal])) {
            const possible = possibleStates(held.get(sid), calls)
            if (!possible.includes(now.get(sid))) {
              const tail = calls
                .slice(-10)
                .map(({ number, verb, done }) => `${verb} ${number}${done ? ' acknowledged' : ''}`)
              throw new Error(
                `${sid} holds ${now.get(sid)}, expected one of ${possible.join()}; it held ${held.get(sid)} before:\n${tail.join('\n')}`
              )
            }
            called += calls.length
            acknowledged += calls.filter(({ done }) => done).length
          }
          held = now
        }
        expect(acknowledged).toBeGreaterThan(0)
        process.stdout.write(`${database.name}: ${KILLS} killed, ${called} writes, ${acknowledged} acknowledged\n`)
        if (database.dialect === 'sqlite') {
          expect(await database.query(place, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
        }
      },
      20_000 + KILLS * 5000
    )
  })
}
