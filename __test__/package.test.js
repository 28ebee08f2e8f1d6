'use strict'

const { execFile, fork } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { promisify } = require('node:util')
const { devDependencies, version } = require('../package.json')

const root = path.join(__dirname, '..')
const preload = path.join(__dirname, 'support/programs/listen.js')

describe('the packed package', () => {
  let folder
  let tarball
  let installed

  async function npm(cwd, ...args) {
    const { stdout } = await promisify(execFile)('npm', args, {
      cwd,
      shell: process.platform === 'win32'
    })
    return stdout
  }

  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
    const packed = await npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder)
    tarball = JSON.parse(packed)[0]
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'application', private: true }))
    await npm(
      folder,
      'install',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      `./${tarball.filename}`,
      `express@${devDependencies.express}`,
      `express-session@${devDependencies['express-session']}`
    )
    installed = path.join(folder, 'node_modules/rust-sequelize-store')
  })

  afterAll(() => fs.rmSync(folder, { recursive: true }))

  test('holds what is needed to run it and nothing else', () => {
    const files = tarball.files.map((file) => file.path)
    const addons = files.filter((name) => name.endsWith('.node'))

    expect(files).toEqual(
      expect.arrayContaining([
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'compat/koa-generic-session-sequelize.d.ts',
        'compat/koa-generic-session-sequelize.js',
        'compat/sequelstore-connect.d.ts',
        'compat/sequelstore-connect.js',
        'index.d.ts',
        'index.js',
        'lib/binding.js',
        'package.json'
      ])
    )
    expect(addons).not.toEqual([])
    for (const name of files) {
      expect(name).toMatch(/^((compat|lib)\/[\w./-]+|[\w.-]+)$/)
    }
    const atRoot = files.filter((name) => !name.includes('/'))
    expect(atRoot).toHaveLength(6)
    expect(tarball.version).toBe(version)
  })

  test('needs nothing but debug', () => {
    const { packages } = JSON.parse(fs.readFileSync(path.join(folder, 'package-lock.json'), 'utf8'))
    const { dependencies, hasInstallScript } = packages['node_modules/rust-sequelize-store']

    expect(Object.keys(dependencies)).toEqual(['debug'])
    expect(hasInstallScript).toBeUndefined()
    expect(packages).not.toHaveProperty('node_modules/sequelize')
  })

  describe('with the example of the README', () => {
    /** Runs the example as it stands and resolves to its origin and a function that ends it. */
    async function run() {
      const readme = fs.readFileSync(path.join(installed, 'README.md'), 'utf8')
      const [, example] = readme.match(/^```js\n([\s\S]*?)^```$/m)
      const file = /^import /m.test(example) ? 'example.mjs' : 'example.js'
      fs.writeFileSync(path.join(folder, file), example)
      const child = fork(path.join(folder, file), {
        cwd: folder,
        execArgv: ['--require', preload],
        env: { ...process.env, NODE_ENV: 'development' },
        stdio: ['ignore', 'ignore', 'pipe', 'ipc']
      })
      let stderr = ''
      child.stderr.on('data', (chunk) => {
        stderr += chunk
      })
      const exit = once(child, 'exit')
      const [{ origin }] = await Promise.race([
        once(child, 'message'),
        exit.then(() => Promise.reject(new Error(stderr)))
      ])
      const end = async () => {
        child.kill('SIGTERM')
        await exit
        expect(stderr).toBe('')
      }
      return { origin, end }
    }

    async function visit(origin, cookie) {
      const response = await fetch(origin, {
        headers: cookie ? { cookie } : {}
      })
      const [setCookie] = response.headers.getSetCookie()
      expect(response.status).toBe(200)
      return {
        body: await response.text(),
        cookie: setCookie?.split(';')[0]
      }
    }

    test('counts visits, also after a restart', async () => {
      const numbers = []
      const count = ({ body }) => numbers.push(Number(/\d+/.exec(body)?.[0]))

      const before = await run()
      const first = await visit(before.origin)
      count(first)
      expect(first.cookie).toMatch(/^connect\.sid=/)
      const second = await visit(before.origin, first.cookie)
      count(second)
      expect(second.cookie).toBeUndefined()
      await before.end()

      const after = await run()
      const third = await visit(after.origin, first.cookie)
      count(third)
      expect(third.cookie).toBeUndefined()
      const stranger = await visit(after.origin)
      count(stranger)
      await after.end()

      expect(numbers).toEqual([1, 2, 3, 1])
      expect(fs.existsSync(path.join(folder, 'sessions.sqlite'))).toBe(true)
    })
  })

  test('type-checks in an application', async () => {
    fs.writeFileSync(
      path.join(folder, 'application.ts'),
      `import { RustSequelizeStore } from 'rust-sequelize-store'
       const store = new RustSequelizeStore({ db: 'sqlite::memory:' })
       export const length: Promise<number> = store.length()
       // @ts-expect-error Types are there.
       store.size()
      `
    )
    const types = path.join(root, 'node_modules/@types')
    fs.symlinkSync(types, path.join(folder, 'node_modules/@types'))
    const typescript = require.resolve('typescript/package.json')
    const { bin } = JSON.parse(fs.readFileSync(typescript, 'utf8'))
    const tsc = path.join(path.dirname(typescript), bin.tsc)
    const args = ['--noEmit', '--strict', '--module', 'nodenext']

    const { stdout } = await promisify(execFile)(
      process.execPath,
      [tsc, ...args, '--types', 'node', 'application.ts'],
      { cwd: folder }
    ).catch((error) => error)

    expect(stdout).toBe('')
  })

  test('names the platform and the remedy where there is no addon', async () => {
    const lib = path.join(installed, 'lib')
    for (const name of fs.readdirSync(lib)) {
      if (name.endsWith('.node')) fs.rmSync(path.join(lib, name))
    }
    const script = `
      try {
        require('rust-sequelize-store')
      } catch ({ message, code }) {
        console.log(JSON.stringify({ message, code }))
      }
    `

    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: folder })

    const { message } = JSON.parse(stdout)
    expect(message).toContain('rust-sequelize-store')
    expect(message).toContain(process.platform)
    expect(message).toContain(process.arch)
    expect(message).toMatch(/build|install/)
  })
})
