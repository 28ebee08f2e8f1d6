'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { session } = require('../support/sessions')
const { application, onEachDatabase, open, sequelize, urlOf } = require('./setup')

describe('an SQLite file', () => {
  let folder

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
  })
  afterEach(() => fs.rmSync(folder, { recursive: true }))

  test.each(['plain.sqlite', 'a b#c?d%20é&=.sqlite', 'new/folder/file.sqlite'])(
    'is the one of the instance: %s',
    async (name) => {
      const storage = path.join(folder, name)
      const store = open({ db: sequelize({ dialect: 'sqlite', storage, logging: false }) })
      await store.set('ada', session({ user: 'ada' }))
      expect((await store.get('ada')).user).toBe('ada')
      expect(fs.existsSync(storage)).toBe(true)
    }
  )

  test('that is opened read-only is never written', async () => {
    const storage = path.join(folder, 'file.sqlite')
    const mine = open({ db: `sqlite://${storage}` })
    await mine.set('ada', session({ user: 'ada' }))
    const db = sequelize({ dialect: 'sqlite', storage, logging: false, dialectOptions: { mode: 1 } })
    const store = open({ db })
    expect((await store.get('ada')).user).toBe('ada')
    await expect(store.set('bob', session())).rejects.toThrow(/read-?only/i)
  })

  test('that must exist is never created', async () => {
    const storage = path.join(folder, 'none/file.sqlite')
    const store = open({ db: sequelize({ dialect: 'sqlite', storage, logging: false, dialectOptions: { mode: 2 } }) })
    await expect(store.get('ada')).rejects.toMatchObject({ code: 'ERR_SESSION_CONNECTION' })
    expect(fs.readdirSync(folder)).toEqual([])
  })

  test('by a relative name is where Sequelize finds it', () => {
    const storage = path.relative(process.cwd(), path.join(folder, 'data/app.sqlite'))
    const url = urlOf(sequelize({ dialect: 'sqlite', storage, logging: false }))
    expect(url.split('?')[0]).toBe(`sqlite:${path.join(folder, 'data/app.sqlite')}`)
  })
})

onEachDatabase(
  (database) => {
    test.each(['delete', 'wal'])('the journal mode of a shared file is kept: %s', async (mode) => {
      const place = database.place()
      await database.query(place, `PRAGMA journal_mode = ${mode}`)
      await database.createTable(place)
      const made = application(place.db)
      const store = open(made.options)
      await store.set('ada', session())
      expect(await store.length()).toBe(1)
      const [{ journal_mode: now }] = await database.query(place, 'PRAGMA journal_mode')
      expect(now).toBe(mode)
      await store.close()
      expect(fs.readFileSync(database.file(place))[18]).toBe(mode === 'wal' ? 2 : 1)
    })
  },
  ['sqlite']
)
