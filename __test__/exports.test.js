'use strict'

const { execFile } = require('node:child_process')
const { EventEmitter } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { promisify } = require('node:util')
const session = require('express-session')
const connect = require('..')
const { files } = require('../package.json')

const root = path.join(__dirname, '..')
const programs = path.join(__dirname, 'support/programs/exports')
const stores = []

function open(Store) {
  const store = new Store({ db: 'sqlite::memory:' })
  stores.push(store)
  return store
}

/** What a Node process of its own prints. */
async function run(args, options) {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options)
  expect(stderr).toBe('')
  return stdout
}

afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())))

describe('require', () => {
  test('gives a function with the class and the error class', () => {
    expect(connect).toBeInstanceOf(Function)
    expect(Object.keys(connect).sort()).toEqual(['RustSequelizeStore', 'SessionStoreError'])
    expect(connect.RustSequelizeStore.name).toBe('RustSequelizeStore')
    expect(connect.SessionStoreError.name).toBe('SessionStoreError')
    expect(connect.SessionStoreError.prototype).toBeInstanceOf(Error)
  })

  test('exports no internal modules', () => {
    const inside = (name) => require.resolve(`rust-sequelize-store/${name}`)

    expect(() => inside('lib/store.js')).toThrow()
    expect(inside('package.json')).toBe(path.join(root, 'package.json'))
  })

  test.each(['koa-generic-session-sequelize', 'sequelstore-connect'])('exports the store as %s does', (name) => {
    const file = require.resolve(`rust-sequelize-store/compat/${name}`)
    expect(file).toBe(path.join(root, 'compat', `${name}.js`))
    expect(typeof require(file)).toBe('function')
    expect(() => require.resolve(`rust-sequelize-store/compat/${name}.js`)).toThrow()
  })

  test('prints nothing, opens nothing and keeps no process alive', async () => {
    const script = `
      const { RustSequelizeStore } = require(${JSON.stringify(root)})
      new RustSequelizeStore()
    `
    const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))

    expect(await run(['-e', script], { cwd })).toBe('')
    expect(fs.readdirSync(cwd)).toEqual([])
    fs.rmdirSync(cwd)
  })
})

describe('the factory', () => {
  test('gives the class for express-session', () => {
    expect(connect(session.Store)).toBe(connect.RustSequelizeStore)
    expect(connect(session)).toBe(connect.RustSequelizeStore)
    expect(open(connect(session.Store))).toBeInstanceOf(session.Store)
  })

  test('gives one class for each other Store', async () => {
    class OtherStore extends EventEmitter {
      greet() {
        return 'hello'
      }
    }
    const Other = connect(OtherStore)
    const store = open(Other)

    expect(connect(OtherStore)).toBe(Other)
    expect(connect({ Store: OtherStore })).toBe(Other)
    expect(Other).not.toBe(connect.RustSequelizeStore)
    expect(Other.name).toBe('RustSequelizeStore')
    expect(store).toBeInstanceOf(OtherStore)
    expect(store.greet()).toBe('hello')
    await store.set('sid', { cookie: {}, user: 'Ada' })
    expect(await store.get('sid')).toMatchObject({ user: 'Ada' })
  })

  test('gives classes that share their error class', async () => {
    const store = open(connect(class extends EventEmitter {}))

    await expect(store.set('', {})).rejects.toBeInstanceOf(connect.SessionStoreError)
  })

  test.each([undefined, null, 'Store', {}, { Store: {} }, { db: 'sqlite::memory:' }])('refuses %p', (argument) => {
    expect(() => connect(argument)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_OPTIONS' }))
  })
})

describe('the class', () => {
  test('works as the store of the middleware', () => {
    const store = open(connect.RustSequelizeStore)

    expect(store).toBeInstanceOf(EventEmitter)
    expect(() =>
      session({
        store,
        secret: 'a secret of the tests',
        resave: false,
        saveUninitialized: false
      })
    ).not.toThrow()
  })

  test('can be extended', async () => {
    class PrefixedStore extends connect.RustSequelizeStore {
      get(sid, ...rest) {
        return super.get(`prefix:${sid}`, ...rest)
      }

      set(sid, ...rest) {
        return super.set(`prefix:${sid}`, ...rest)
      }
    }
    const store = open(PrefixedStore)

    await store.set('sid', { cookie: {}, user: 'Ada' })

    expect(await store.get('sid')).toMatchObject({ user: 'Ada' })
    expect(await store.ids()).toEqual(['prefix:sid'])
  })

  test('throws when called without new', () => {
    expect(() => connect.RustSequelizeStore({ db: 'sqlite::memory:' })).toThrow(TypeError)
  })
})

test('import gives the default and the named exports', async () => {
  const output = JSON.parse(await run([path.join(programs, 'imports.mjs')]))

  expect(output).toMatchObject({
    names: expect.arrayContaining(['RustSequelizeStore', 'SessionStoreError', 'default']),
    sameAsRequired: true,
    sameClass: true,
    sameError: true,
    sameFromFactory: true,
    isStore: true,
    user: 'Ada',
    code: 'ERR_SESSION_CLOSED'
  })
})

describe('a copy of the package', () => {
  let folder

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
  })

  afterEach(() => fs.rmSync(folder, { recursive: true }))

  function copy(file, target) {
    fs.cpSync(path.join(root, file), path.join(folder, target), {
      recursive: true
    })
  }

  function copyPackage() {
    for (const file of ['package.json', ...files]) {
      if (fs.existsSync(path.join(root, file))) {
        copy(file, `node_modules/rust-sequelize-store/${file}`)
      }
    }
    for (const name of ['debug', 'ms']) {
      copy(`node_modules/${name}`, `node_modules/${name}`)
    }
  }

  test('works without express-session', async () => {
    copyPackage()
    fs.copyFileSync(path.join(programs, 'alone.js'), path.join(folder, 'alone.js'))

    expect(JSON.parse(await run(['alone.js'], { cwd: folder }))).toEqual({
      expressSession: false,
      base: true,
      emitter: true,
      other: true,
      called: 'Ada',
      user: 'Grace',
      length: 1
    })
  })

  test.each(['throw new Error("broken by the test")', 'require("broken by the test")'])(
    'does not hide why express-session fails to load: %s',
    async (code) => {
      copyPackage()
      const broken = path.join(folder, 'node_modules/express-session')
      fs.mkdirSync(broken)
      fs.writeFileSync(path.join(broken, 'index.js'), code)

      await expect(run(['-e', 'require("rust-sequelize-store")'], { cwd: folder })).rejects.toMatchObject({
        stderr: expect.stringContaining('broken by the test')
      })
    }
  )
})
