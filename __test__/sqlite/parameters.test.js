'use strict'

const fs = require('node:fs')
const { RustSequelizeStore } = require('../..')
const { codes } = require('../support/calls')
const { session } = require('../support/sessions')
const { run } = require('../support/run')
const { needing } = require('../support/suites')
const { DDL, database, file, open, place, query, withParameters } = require('./setup')

describe('URL', () => {
  describe('parameters', () => {
    test.each(['jornal_mode=WAL', 'foo=1', 'journal_mode=WAL&bar=', 'JOURNAL_MODE=WAL'])(
      '%s is refused, and the unknown parameter named',
      (parameters) => {
        const name = /(jornal_mode|foo|bar|JOURNAL_MODE)(?==)/.exec(parameters)[1]
        const make = () => new RustSequelizeStore(withParameters(parameters))
        expect(make).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
        expect(make).toThrow(new RegExp(name))
      }
    )

    test.each([
      ['journal_mode', 'banana'],
      ['synchronous', 'banana'],
      ['busy_timeout', 'soon'],
      ['busy_timeout', '-1'],
      ['mode', 'banana']
    ])('%s=%s is refused, and the parameter named', (name, value) => {
      const make = () => new RustSequelizeStore(withParameters(`${name}=${value}`))
      expect(make).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
      expect(make).toThrow(new RegExp(name))
    })

    test.each([
      'journal_mode=WAL&synchronous=FULL&busy_timeout=5000',
      'journal_mode=wal',
      'synchronous=OFF',
      'synchronous=NORMAL',
      'synchronous=EXTRA',
      'busy_timeout=0',
      'mode=rwc',
      'cache=private'
    ])('%s works', async (parameters) => {
      const store = open({}, withParameters(parameters))
      await store.set('ada', session({ user: 'ada' }))
      expect((await store.get('ada')).user).toBe('ada')
    })

    const journal = async (where) => Object.values((await query(where, 'PRAGMA journal_mode'))[0])[0]

    test('the journal is WAL', async () => {
      const store = open()
      await store.set('ada', session())
      expect(await journal(store)).toBe('wal')
    })

    test.each(['DELETE', 'TRUNCATE', 'PERSIST'])('journal_mode=%s is used', async (mode) => {
      const where = place()
      const store = open({}, withParameters(`journal_mode=${mode}`, where))
      await store.set('ada', session({ user: 'ada' }))
      expect(await journal(where)).not.toBe('wal')
      expect(fs.existsSync(`${file(where)}-wal`)).toBe(false)
      await Promise.all(Array.from({ length: 100 }, (_, i) => [store.set(`${i}`, session()), store.get('ada')]).flat())
      expect(await store.length()).toBe(101)
    })

    test('journal_mode=WAL converts a database with another journal', async () => {
      const where = place()
      await query(where, DDL)
      expect(await journal(where)).toBe('delete')
      await open({}, where).set('ada', session())
      // The other program finds out when it reads.
      expect(await database.count(where)).toBe(1)
      expect(await journal(where)).toBe('wal')
    })

    test('mode=rw never creates a file', async () => {
      const where = place()
      const store = open({}, withParameters('mode=rw', where))
      expect(await codes([store.get('ada')])).toEqual(['ERR_SESSION_CONNECTION'])
      expect(fs.existsSync(file(where))).toBe(false)
      await query(where, DDL)
      expect(await store.get('ada')).toBeNull()
    })

    needing('strace', () => {
      // The calls of the kernel that bring a file to the disk.
      test('synchronous defaults to NORMAL, and can be set', async () => {
        const syncs = async (parameters) => {
          const log = `${file(place())}.strace`
          const { code, stderr } = await run('sqlite-writes.js', [withParameters(parameters), 50], {
            under: ['strace', '-f', '-e', 'trace=fsync,fdatasync', '-o', log]
          })
          if (code !== 0) throw new Error(stderr)
          return fs.readFileSync(log, 'utf8').match(/f(data)?sync\(/g)?.length ?? 0
        }
        // A few belong to the making of the file.
        const [off, unset, full] = [await syncs('synchronous=OFF'), await syncs(''), await syncs('synchronous=FULL')]
        expect(off).toBeLessThan(20)
        expect(unset).toBeGreaterThan(off)
        expect(unset).toBeLessThan(20)
        expect(full).toBeGreaterThanOrEqual(50)
      })
    })
  })
})
