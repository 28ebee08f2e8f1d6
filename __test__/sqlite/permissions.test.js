'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { Sequelize } = require('sequelize')
const { session } = require('../support/sessions')
const { database, file, open, place, withParameters } = require('./setup')

const onUnix = process.platform === 'win32' ? test.skip : test

/** The permissions of each file that a database consists of now, in octal digits. */
function permissions(name) {
  const folder = path.dirname(name)
  const files = fs.readdirSync(folder).filter((each) => each.startsWith(path.basename(name)))
  return Object.fromEntries(
    files.map((each) => [
      each.slice(path.basename(name).length),
      (fs.statSync(path.join(folder, each)).mode & 0o777).toString(8)
    ])
  )
}

const all = (mode) => ({ '': mode, '-wal': mode, '-shm': mode })

describe('a new file', () => {
  let umask
  afterEach(() => {
    if (umask !== undefined) process.umask(umask)
    umask = undefined
  })

  onUnix.each([0o022, 0o000, 0o077])('is for its owner only, whatever the mask of the process: %i', async (mask) => {
    umask = process.umask(mask)
    const store = open()
    await store.set('ada', session())
    expect(permissions(file(store))).toEqual(all('600'))
    expect((await store.get('ada')).cookie).toBeDefined()
  })

  onUnix.each([
    [0o640, 0o077],
    [0o666, 0o022]
  ])('has the permissions of option fileMode: %i, with the mask %i', async (fileMode, mask) => {
    umask = process.umask(mask)
    const store = open({ fileMode })
    await store.set('ada', session())
    expect(permissions(file(store))).toEqual(all(fileMode.toString(8)))
  })

  onUnix('without a write-ahead log has a journal with the same permissions', async () => {
    umask = process.umask(0)
    const store = open({}, withParameters('journal_mode=persist'))
    await store.set('ada', session())
    expect(permissions(file(store))).toEqual({ '': '600', '-journal': '600' })
  })

  onUnix('is that of a symbolic link', async () => {
    const where = place()
    const name = file(where)
    fs.symlinkSync('target.sqlite', name)
    const store = open({}, where)
    await store.set('ada', session())
    expect(fs.lstatSync(name).isSymbolicLink()).toBe(true)
    expect(permissions(path.join(path.dirname(name), 'target.sqlite'))).toEqual(all('600'))
  })

  onUnix('of a Sequelize instance is for its owner only, too', async () => {
    const where = place()
    const db = new Sequelize({ dialect: 'sqlite', storage: file(where), logging: false })
    const store = open({}, { db })
    await store.set('ada', session())
    expect(permissions(file(where))['']).toBe('600')
    expect(await store.sessionModel.count()).toBe(1)
    await store.close()
    await db.close()
  })

  test('is not there before the first call', async () => {
    const store = open()
    expect(fs.existsSync(file(store))).toBe(false)
    await store.length()
    expect(fs.existsSync(file(store))).toBe(true)
  })

  test('is not made where it must exist', async () => {
    const where = place()
    const store = open({}, withParameters('mode=rw', where))
    await expect(store.get('ada')).rejects.toHaveProperty('code', 'ERR_SESSION_CONNECTION')
    expect(fs.existsSync(file(where))).toBe(false)
  })
})

describe('an existing file', () => {
  onUnix.each([0o644, 0o660])('keeps its permissions, and its log has them: %i', async (mode) => {
    const where = place()
    fs.writeFileSync(file(where), '')
    fs.chmodSync(file(where), mode)
    const store = open({}, where)
    await store.set('ada', session())
    expect(permissions(file(where))).toEqual(all(mode.toString(8)))
  })

  test('that is not a database, or is encrypted, is refused as such, and left alone', async () => {
    const where = place()
    const content = Buffer.alloc(8192, 7)
    fs.writeFileSync(file(where), content)
    const stores = [
      open({}, where),
      open(
        {},
        { db: new Sequelize('shop', 'ada', 'lovelace', { dialect: 'sqlite', storage: file(where), logging: false }) }
      )
    ]
    for (const store of stores) {
      const error = await store.get('ada').catch((reason) => reason)
      expect(error.code).toBe('ERR_SESSION_CONNECTION')
      expect(error.message).toContain('is not an SQLite database, or is encrypted')
      await store.close()
    }
    expect(fs.readFileSync(file(where))).toEqual(content)
  })
})

afterAll(() => database.end())
