'use strict'

const { execFile } = require('node:child_process')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { promisify } = require('node:util')
const session = require('express-session')
const connect = require('..')

const root = path.join(__dirname, '..')
const typescript = require.resolve('typescript/package.json')
const declarations = readFileSync(path.join(root, 'index.d.ts'), 'utf8')
const tsc = path.join(path.dirname(typescript), JSON.parse(readFileSync(typescript, 'utf8')).bin.tsc)

/** Resolves to what the compiler has to say about a project. */
async function compile(project) {
  const config = path.join(__dirname, 'types', project)
  try {
    await promisify(execFile)(process.execPath, [tsc, '--project', config], {
      cwd: root
    })
    return ''
  } catch (error) {
    return error.stdout || error.message
  }
}

/** The body of a class or an interface in index.d.ts, without its comments. */
function declaration(start) {
  const text = declarations.replace(/\/\*[\s\S]*?\*\//g, '')
  const body = text.slice(text.indexOf(`  ${start}`))
  return body.slice(0, body.indexOf('\n  }\n'))
}

/** The names of the members that match. */
function members(start, pattern) {
  return [...declaration(start).matchAll(pattern)].map(([, name]) => name)
}

function isPublic(name) {
  return name !== 'constructor' && !name.startsWith('_')
}

describe('index.d.ts', () => {
  test.each(['tsconfig.json', 'tsconfig.app.json', 'tsconfig.bundler.json'])(
    'the project %s compiles',
    async (project) => {
      expect(await compile(project)).toBe('')
    }
  )

  test('declares the public methods of the class and no others', () => {
    const { prototype } = connect.RustSequelizeStore
    // What the class overrides of express-session's `Store` has its types there.
    const inherited = Object.getOwnPropertyNames(session.Store.prototype)
    const actual = Object.getOwnPropertyNames(prototype).filter(
      (name) => isPublic(name) && !inherited.includes(name) && typeof prototype[name] === 'function'
    )
    const declared = members('class RustSequelizeStore', /^ {4}(\w+)\(/gm)

    expect([...new Set(declared)].filter(isPublic).sort()).toEqual(actual.sort())
  })

  test('declares the static methods of the class and no others', () => {
    const declared = members('class RustSequelizeStore', /^ {4}static (\w+)\(/gm)
    const actual = Object.getOwnPropertyNames(connect.RustSequelizeStore).filter(
      (name) => !['length', 'name', 'prototype'].includes(name)
    )

    expect(declared.sort()).toEqual(actual.sort())
  })

  test.each([
    ['StoreOptions', (unknown) => unknown],
    ['Columns', (columns) => ({ columns })],
    ['PoolOptions', (pool) => ({ pool })],
    ['QueueOptions', (queue) => ({ queue })]
  ])('%s declares every option that the store accepts', (name, options) => {
    const known = /supported: (.*)/
    let message
    try {
      new connect.RustSequelizeStore(options({ 'an unknown name': 1 }))
    } catch (error) {
      message = error.message
    }

    expect(message).toMatch(known)
    expect(members(`interface ${name}`, /^ {4}(\w+)\?:/gm).sort()).toEqual(known.exec(message)[1].split(', ').sort())
  })

  describe('of a store', () => {
    let store

    beforeEach(() => {
      store = new connect.RustSequelizeStore({ db: 'sqlite::memory:' })
    })

    afterEach(() => store.close())

    test('declares the public properties and no others', () => {
      const emitter = new session.MemoryStore()
      const actual = Object.getOwnPropertyNames(store).filter((name) => isPublic(name) && !Object.hasOwn(emitter, name))
      const declared = members('class RustSequelizeStore', /^ {4}(?:readonly )?(\w+):/gm)

      expect(declared.filter(isPublic)).toEqual(actual)
      expect(store).toHaveProperty('_expirationInterval')
    })

    test('declares the statistics and no others', () => {
      const stats = store.stats()
      const name = /^ {4}(\w+):/gm
      const poolName = /^ {6}(\w+):/gm

      expect(members('interface StoreStats', name).sort()).toEqual(Object.keys(stats).sort())
      expect(members('interface StoreStats', poolName).sort()).toEqual(Object.keys(stats.pool).sort())
    })

    test('declares the options and no others', () => {
      const accepted = members('interface StoreOptions', /^ {4}(\w+)\?:/gm)
      const complete = members('interface CompleteOptions', /^ {4}(\w+)\??:/gm)
      const present = members('interface CompleteOptions', /^ {4}(\w+):/gm)

      expect(complete.sort()).toEqual(accepted.sort())
      expect(complete).toEqual(expect.arrayContaining(Object.getOwnPropertyNames(store.options)))
      for (const name of present) expect(store.options[name]).toBeDefined()
      expect(members('interface PoolOptions', /^ {4}(\w+)\?:/gm)).toEqual(Object.keys(store.options.pool))
      expect(members('interface QueueOptions', /^ {4}(\w+)\?:/gm)).toEqual(Object.keys(store.options.queue))
    })
  })

  test('declares the codes that docs/api.md explains', () => {
    const reference = readFileSync(path.join(root, 'docs/api.md'), 'utf8')
    const [, union] = declarations.match(/type SessionStoreErrorCode =([\s\S]*?)\n\n/)
    const codes = (text) => new Set(text.match(/ERR_SESSION_[A-Z_]*[A-Z]/g))

    expect([...codes(union)].sort()).toEqual([...codes(reference)].sort())
  })
})
