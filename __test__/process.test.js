'use strict'

const { once } = require('node:events')
const { report, run } = require('./support/run')
const { session } = require('./support/sessions')
const { onDatabases } = require('./support/suites')

/**
 * A process that ends by itself takes less than this, start included, in milliseconds. What would hold it lasts longer: an idle
 * connection a minute, the timer of pruning a quarter of an hour.
 */
const SOON = 40_000

onDatabases(
  () => true,
  (database) => {
    const { supports } = database
    const withSecondStore = supports.secondStore ? test : test.skip

    async function play(scenario, ...more) {
      const result = await run('process.js', [scenario, database.place(), ...more])
      expect(result.stderr).toBe('')
      expect(result).toMatchObject({ code: 0, signal: null })
      expect(result.ms).toBeLessThan(SOON)
      return JSON.parse(result.stdout)
    }

    describe('the process', () => {
      test('ends by itself with an unused store', async () => {
        await play('unused')
      })

      test('ends by itself with a store that is not closed', async () => {
        expect(await play('used')).toEqual({ error: null, called: true })
      })

      test('lives until all that is pending is done', async () => {
        expect(await play('pending')).toEqual({ calls: 1000 })
      })

      test('lives through a chain of promises', async () => {
        expect(await play('chain')).toEqual({
          rounds: 100,
          pairs: 1,
          length: 1,
          removed: 0,
          done: true
        })
      })

      test('can end between two operations', async () => {
        expect(await play('pauses')).toEqual({ rounds: 4 })
      })

      test('ends by itself with an abandoned iterator', async () => {
        expect(await play('iterator')).toEqual({ done: true })
      })

      test.each([1, 2, 3])('can be left with work pending (%i)', async () => {
        const result = await run('process.js', ['exit', database.place()])
        expect(result).toMatchObject({ code: 7, signal: null, stderr: '' })
        expect(result.ms).toBeLessThan(SOON)
      })

      test('can fail with work pending', async () => {
        const result = await run('process.js', ['error', database.place()])
        expect(result).toMatchObject({ code: 1, signal: null })
        expect(result.stderr).toMatch('thrown with work pending')
      })

      withSecondStore('loses no acknowledged write when it is killed', async () => {
        const place = database.place()
        const running = run('process.js', ['acknowledge', place])
        let printed = ''
        running.child.stdout.on('data', (text) => {
          printed += text
          if (printed.length > 20_000) running.child.kill('SIGKILL')
        })
        const { signal, stdout } = await running
        expect(signal).toBe('SIGKILL')
        const acknowledged = stdout.split('\n').slice(0, -1)
        expect(acknowledged.length).toBeGreaterThan(1000)
        const ids = new Set(await database.open({}, place).ids())
        expect(acknowledged.filter((sid) => !ids.has(sid))).toEqual([])
      })
    })

    describe('worker threads', () => {
      // Without a second store each thread has a table of its own.
      const shared = supports.secondStore

      test('have stores of their own and end by themselves', async () => {
        const result = await report('workers.js', ['write', database.place()])
        expect(result.results).toEqual(Array(4).fill({ found: 200, code: 0 }))
        expect(result.length).toBe(shared ? 1000 : 200)
      })

      test('can be terminated with work pending', async () => {
        const result = await report('workers.js', ['terminate', database.place()])
        expect(result).toEqual({ own: 6, length: 0 })
      })

      test('live until pending operations are done', async () => {
        const result = await report('workers.js', ['dropped', database.place()])
        expect(result).toEqual({ code: 0, length: shared ? 300 : 0 })
      })

      test('can leave with work pending', async () => {
        const result = await report('workers.js', ['exit', database.place()])
        expect(result).toEqual({ codes: Array(6).fill(0), user: 'ada' })
      })
    })

    describe('cluster', () => {
      withSecondStore('processes start and work on one table at once', async () => {
        const result = await report('cluster.js', [database.place()])
        expect(result).toEqual({ codes: [0, 0, 0, 0], own: 800, shared: 199 })
      })
    })

    describe('module registries', () => {
      function isolated() {
        let copy
        jest.isolateModules(() => {
          copy = require('..')
        })
        return copy
      }

      test('of one process each have a working store', async () => {
        const copies = [isolated(), isolated()]
        expect(copies[0].RustSequelizeStore).not.toBe(copies[1].RustSequelizeStore)
        const place = database.place()
        const stores = copies.map((copy) => new copy.RustSequelizeStore(place))
        try {
          const calls = []
          for (let i = 0; i < 200; i++) {
            for (const [j, store] of stores.entries()) {
              calls.push(store.set(`${j}-${i}`, session({ j })))
            }
          }
          await Promise.all(calls)
          const lengths = await Promise.all(stores.map((store) => store.length()))
          expect(lengths).toEqual(supports.secondStore ? [400, 400] : [200, 200])
          expect((await stores[0].get('0-0')).j).toBe(0)
          expect((await stores[1].get('1-0')).j).toBe(1)
        } finally {
          await Promise.all(stores.map((store) => store.close()))
        }
      })

      test('each have their own class of errors', async () => {
        for (const copy of [isolated(), isolated()]) {
          const store = new copy.RustSequelizeStore(database.place())
          const error = await store.set('', {}).catch((reason) => reason)
          expect(error).toBeInstanceOf(copy.SessionStoreError)
          expect(error.code).toBe('ERR_SESSION_SID')
          await store.close()
        }
      })

      test('a discarded registry leaves the others alone', async () => {
        const store = database.open()
        await store.set('ada', session({ user: 'ada' }))
        for (let i = 0; i < 5; i++) {
          const copy = isolated()
          const other = new copy.RustSequelizeStore(database.place())
          await other.set('bob', session())
          await other.close()
        }
        expect((await store.get('ada')).user).toBe('ada')
      })
    })

    describe('many stores at once', () => {
      test('work, and leave nothing open', async () => {
        const one = database.place()
        const shared = Math.floor(supports.stores / 4)
        const places = Array.from({ length: supports.stores }, (_, i) => (i < shared ? one : database.place()))
        const result = await play('many', places)
        expect(result.found).toBe(supports.stores)
        // A few threads of the runtime may start late.
        expect(result.left).toBeLessThanOrEqual(8)
      })

      test('in one process of many', async () => {
        const stores = Array.from({ length: supports.stores }, () => database.open())
        await Promise.all(stores.map((store, i) => store.set('ada', session({ i }))))
        const found = await Promise.all(stores.map((store) => store.get('ada')))
        expect(found.map(({ i }) => i)).toEqual(stores.map((_, i) => i))
      })
    })

    test('a child that is asked to end by a signal ends', async () => {
      const running = run('process.js', ['acknowledge', database.place()])
      await once(running.child.stdout, 'data')
      running.child.kill('SIGTERM')
      expect(await running).toMatchObject({ signal: 'SIGTERM' })
    })
  }
)
