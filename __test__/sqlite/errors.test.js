'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { codes, failure } = require('../support/calls')
const { session } = require('../support/sessions')
const { DDL, file, open, place, query, withParameters } = require('./setup')

describe('errors', () => {
  test('a missing folder is an error until it exists', async () => {
    const folder = `${file(place())}-folder`
    const store = open({}, { db: `sqlite://${path.join(folder, 'x.sqlite')}` })
    const error = await failure(store.get('ada'))
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.cause).toBeInstanceOf(Error)
    expect(await codes([store.set('ada', session())])).toEqual(['ERR_SESSION_CONNECTION'])
    fs.mkdirSync(folder)
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
  })

  test('a folder in place of the file is an error', async () => {
    const where = place()
    fs.mkdirSync(file(where))
    const store = open({}, where)
    expect(await codes([store.get('ada')])).toEqual(['ERR_SESSION_CONNECTION'])
    fs.rmdirSync(file(where))
    expect(await store.get('ada')).toBeNull()
  })

  test('a file that is not a database is an error, and stays unchanged', async () => {
    const where = place()
    const text = 'this is not a database\n'.repeat(500)
    fs.writeFileSync(file(where), text)
    const store = open({}, where)
    const error = await failure(store.get('ada'))
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.cause.code).toBe('26')
    expect(await codes([store.set('ada', session())])).toEqual(['ERR_SESSION_CONNECTION'])
    expect(fs.readFileSync(file(where), 'utf8')).toBe(text)
    fs.rmSync(file(where))
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
  })

  test('an empty file is a new database', async () => {
    const where = place()
    fs.writeFileSync(file(where), '')
    const store = open({}, where)
    await store.set('ada', session({ user: 'ada' }))
    expect((await store.get('ada')).user).toBe('ada')
  })

  test('mode=ro reads and does not write', async () => {
    const where = place()
    const writer = open({}, where)
    await writer.set('ada', session({ user: 'ada' }))
    const reader = open({}, withParameters('mode=ro', where))
    expect((await reader.get('ada')).user).toBe('ada')
    expect(await reader.length()).toBe(1)
    const error = await failure(reader.set('ada', session()))
    expect(error.code).toBe('ERR_SESSION_DATABASE')
    expect(error.cause.code).toBe('8')
    expect(await codes([reader.touch('ada', session()), reader.destroy('ada')])).toEqual([
      'ERR_SESSION_DATABASE',
      'ERR_SESSION_DATABASE'
    ])
    expect((await reader.get('ada')).user).toBe('ada')
  })

  test('mode=ro fails for a missing file', async () => {
    const where = place()
    const store = open({}, withParameters('mode=ro', where))
    expect(await codes([store.get('ada')])).toEqual(['ERR_SESSION_CONNECTION'])
    expect(fs.existsSync(file(where))).toBe(false)
  })

  const ordinary = process.getuid?.() === 0 ? test.skip : test

  ordinary('a file without write permission fails writes until it has it', async () => {
    const where = place()
    await query(where, DDL)
    fs.chmodSync(file(where), 0o444)
    const store = open({}, where)
    const [code] = await codes([store.set('ada', session())])
    expect(['ERR_SESSION_CONNECTION', 'ERR_SESSION_DATABASE']).toContain(code)
    fs.chmodSync(file(where), 0o644)
    await store.set('ada', session())
    expect(await store.ids()).toEqual(['ada'])
  })

  test('a message never has the path of ENOENT for its code', async () => {
    const store = open({}, { db: 'sqlite:///nowhere/at/all.sqlite' })
    const error = await failure(store.get('ada'))
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.cause.code).not.toBe('ENOENT')
  })
})
