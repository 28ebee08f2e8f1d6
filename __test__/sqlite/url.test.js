'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { session } = require('../support/sessions')
const { sleep } = require('../support/time')
const { file, open, place } = require('./setup')

describe('URL', () => {
  const inFolder = (name) => path.join(path.dirname(file(place())), name)

  async function works(db, created) {
    const store = open({}, { db })
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
    await store.close()
    expect(fs.readFileSync(created).toString('latin1', 0, 15)).toBe('SQLite format 3')
  }

  test('sqlite:./file is relative to the working directory', async () => {
    const created = inFolder('relative.sqlite')
    const relative = path.relative(process.cwd(), created)
    await works(`sqlite:./${relative}`, created)
  })

  test('sqlite:file is relative to the working directory', async () => {
    const created = inFolder('bare.sqlite')
    await works(`sqlite:${path.relative(process.cwd(), created)}`, created)
  })

  test('sqlite:///file is absolute', async () => {
    const created = inFolder('absolute.sqlite')
    await works(`sqlite://${created}`, created)
  })

  test('sqlite:/file is absolute', async () => {
    const created = inFolder('absolute.sqlite')
    await works(`sqlite:${created}`, created)
  })

  test.each([
    ['a space', 'with space.sqlite', 'with%20space.sqlite'],
    ['a question mark', 'what?.sqlite', 'what%3F.sqlite'],
    ['a number sign', 'c#.sqlite', 'c%23.sqlite'],
    ['a percent sign', '100%.sqlite', '100%25.sqlite'],
    ['letters beyond ASCII', 'sësam😀.sqlite', encodeURIComponent('sësam😀.sqlite')]
  ])('%s can be percent-encoded', async (_name, plain, encoded) => {
    const created = inFolder(plain)
    await works(`sqlite://${path.dirname(created)}/${encoded}`, created)
  })

  test.each([
    ['a space', 'with space.sqlite'],
    ['letters beyond ASCII', 'sësam😀.sqlite'],
    ['a quote', 'it\'s `a` "file".sqlite']
  ])('%s can be written unencoded', async (_name, plain) => {
    const created = inFolder(plain)
    await works(`sqlite://${created}`, created)
  })

  test.each(['sqlite::memory:', 'sqlite://:memory:', 'sqlite::memory:?busy_timeout=100'])(
    '%s is a private database of the store',
    async (db) => {
      const stores = [open({}, { db }), open({}, { db })]
      await stores[0].set('ada', session({ user: 'ada' }))
      expect((await stores[0].get('ada')).user).toBe('ada')
      expect(await stores[1].get('ada')).toBeNull()
      expect(fs.existsSync(':memory:')).toBe(false)
    }
  )

  test('a database in memory outlives its connections', async () => {
    const db = 'sqlite::memory:'
    const pool = { max: 3, idleTimeout: 20, maxLifetime: 20 }
    const store = open({ pool }, { db })
    await Promise.all(Array.from({ length: 50 }, (_, i) => store.set(`${i}`, session())))
    for (let i = 0; i < 4; i++) {
      await sleep(40)
      expect(await store.length()).toBe(50)
      await store.set('ada', session())
      await store.destroy('ada')
    }
  })

  test('all connections of a store share its database in memory', async () => {
    const store = open({ pool: { max: 8 } }, { db: 'sqlite::memory:' })
    for (let i = 0; i < 20; i++) {
      await store.set(`${i}`, session())
      const found = await Promise.all([
        ...Array.from({ length: 20 }, () => store.length()),
        ...Array.from({ length: 20 }, () => store.ids())
      ])
      expect(new Set(found.slice(0, 20))).toEqual(new Set([i + 1]))
      expect(found.slice(20).every((ids) => ids.length === i + 1)).toBe(true)
    }
  })
})
