'use strict'

const { execFile } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { setTimeout } = require('node:timers/promises')
const { promisify } = require('node:util')
const databases = require('./support/databases')
const { start: startChild } = require('./support/children')
const { Client } = require('./support/express/client')
const { HOUR, MINUTE } = require('./support/time')

const root = path.join(__dirname, '..')
const support = path.join(__dirname, 'support/frameworks')
const modules = path.join(root, 'node_modules')

/** What an application on Koa or Fastify has installed: no express-session, nor its types. */
const PACKAGES = [
  'debug',
  'koa',
  'koa-session',
  'koa-generic-session',
  'fastify',
  '@fastify/cookie',
  '@fastify/session'
]
const TYPES = ['@types/node', '@types/koa', '@types/koa-generic-session']

let folder

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const { stdout } = await promisify(execFile)('npm', args, { cwd: root, shell: process.platform === 'win32' })
  const [{ filename }] = JSON.parse(stdout)
  await promisify(execFile)('tar', ['-xzf', filename], { cwd: folder })
  for (const name of [...PACKAGES, ...TYPES]) {
    fs.mkdirSync(path.dirname(path.join(folder, 'node_modules', name)), { recursive: true })
    fs.symlinkSync(path.join(modules, name), path.join(folder, 'node_modules', name), 'junction')
  }
  fs.renameSync(path.join(folder, 'package'), path.join(folder, 'node_modules/rust-sequelize-store'))
  for (const name of fs.readdirSync(support)) fs.copyFileSync(path.join(support, name), path.join(folder, name))
})

afterAll(() => fs.rmSync(folder, { recursive: true }))

test('express-session is out of reach', async () => {
  const script = `
    const { EventEmitter } = require('node:events')
    const { RustSequelizeStore } = require('rust-sequelize-store')
    const { createRequire } = require('node:module')
    const inner = createRequire(require.resolve('rust-sequelize-store'))
    let found = true
    try { inner.resolve('express-session') } catch { found = false }
    require('rust-sequelize-store/compat/koa-generic-session-sequelize')
    console.log(JSON.stringify({ found, base: Object.getPrototypeOf(RustSequelizeStore) === EventEmitter }))
  `

  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: folder })

  expect(JSON.parse(stdout)).toEqual({ found: false, base: true })
})

test('the middlewares accept the types, which work without those of express-session', async () => {
  const typescript = require.resolve('typescript/package.json')
  const tsc = path.join(path.dirname(typescript), require(typescript).bin.tsc)

  const { stdout } = await promisify(execFile)(process.execPath, [tsc], { cwd: folder }).catch((error) => error)

  // The types of Koa have an error of their own, beside the newer content-disposition of Express.
  const errors = stdout.split('\n').filter((line) => line !== '' && !line.includes('node_modules/@types/koa/'))
  expect(errors).toEqual([])
})

const tested = databases.filter(({ enabled, supports }) => enabled && supports.otherClient)

describe.each(tested.map((database) => ({ name: database.name, database })))('on $name', ({ database }) => {
  const place = database.place()
  const servers = []
  let first
  let second

  /** Serves the applications of all frameworks in a process of its own. */
  async function start() {
    const { child, failed, kill, stderr } = startChild(path.join(folder, 'server.js'), [place.db], { cwd: folder })
    servers.push({ kill })
    const [{ origins }] = await Promise.race([once(child, 'message'), failed])
    return { origins, kill, stderr }
  }

  beforeAll(async () => {
    const both = await Promise.all([start(), start()])
    first = both[0].origins
    second = both[1].origins
  })

  afterAll(async () => {
    for (const { kill } of servers) await kill('SIGKILL')
    await database.reset()
    await database.end()
  })

  const clients = []
  afterEach(() => {
    for (const client of clients.splice(0)) client.close()
  })

  /** Someone who has logged in as Ada, and the id of the session. */
  async function logIn(origin) {
    const client = new Client(origin)
    clients.push(client)
    const { status, body } = await client.get('/login?user=Ada')
    expect({ status, body }).toMatchObject({ status: 200, body: { user: 'Ada' } })
    return { client, sid: body.sid }
  }

  describe.each(['koa-session', 'koa-generic-session', '@fastify/session'])('%s', (framework) => {
    const rolling = `${framework}, rolling: true`
    const usual = `${framework}, rolling: false`

    test('a visitor without a session gets neither a session nor a cookie', async () => {
      const client = new Client(first[usual])
      clients.push(client)

      const { status, body, setCookies } = await client.get('/state')

      expect({ status, user: body.user, setCookies }).toEqual({ status: 200, user: undefined, setCookies: [] })
    })

    test('a session begins with a login, is served by every process, and ends with a logout', async () => {
      const { client, sid } = await logIn(first[usual])
      expect(JSON.parse((await database.row(place, sid)).data).user).toBe('Ada')
      const thief = client.copy()
      clients.push(thief)
      for (const [views, { [usual]: origin }] of [second, first, second].entries()) {
        client.origin = origin
        expect((await client.get('/count')).body).toEqual({ sid, user: 'Ada', views: views + 1 })
      }

      expect((await client.get('/logout')).status).toBe(200)

      expect(await database.row(place, sid)).toBeNull()
      expect((await thief.get('/state')).body.user).toBeUndefined()
    })

    test('an expired session is not found, whatever the cookie says', async () => {
      const { client, sid } = await logIn(first[usual])
      const { expires } = await database.row(place, sid)
      // koa-session has its rows live a little longer than its cookies.
      expect(Math.abs(expires - Date.now() - HOUR)).toBeLessThan(MINUTE)
      expect((await client.get('/state')).body.user).toBe('Ada')

      await database.updateRow(place, sid, { expires: new Date(Date.now() - 2000) })

      expect((await client.get('/state')).body.user).toBeUndefined()
    })

    test.each([
      ['moves on', rolling, true],
      ['stays', usual, false]
    ])('the time at which a session expires %s with %s', async (_what, app, moves) => {
      const { client, sid } = await logIn(first[app])
      const sooner = new Date(Math.floor((Date.now() + HOUR / 2) / 1000) * 1000)
      await database.updateRow(place, sid, { expires: sooner })

      const { setCookies } = await client.get('/state')

      const { expires } = await database.row(place, sid)
      expect({ cookie: setCookies.length > 0, row: expires > sooner }).toEqual({ cookie: moves, row: moves })
    })

    test.each([
      ['in the same process', () => first],
      ['in another process', () => second]
    ])('a slow request does not undo a logout %s', async (_where, elsewhere) => {
      let late = 0
      for (let round = 0; round < 4; round++) {
        const users = await Promise.all(Array.from({ length: 25 }, () => logIn(first[usual])))
        const slow = users.map(({ client }) => client.copy().get('/slow'))
        await setTimeout(400)
        await Promise.all(
          users.map(({ client }) => {
            client.origin = elsewhere()[usual]
            return client.get('/logout')
          })
        )
        for (const { status, body } of await Promise.all(slow)) {
          expect(status).toBe(200)
          if (body.user === 'Ada') late++
        }
        for (const { sid } of users) expect(await database.row(place, sid)).toBeNull()
      }
      // Most of them were loaded before the logout, however busy the machine is.
      expect(late).toBeGreaterThan(50)
    })

    test('an error of the database is an error, and never a logout', async () => {
      const { client } = await logIn(first[usual])
      await database.renameTable(place, 'Sessions', 'Elsewhere')

      const { status, body } = await client.get('/state')
      await database.renameTable(place, 'Elsewhere', 'Sessions')

      expect({ status, body }).toEqual({ status: 500, body: { code: 'ERR_SESSION_TABLE' } })
      expect((await client.get('/state')).body.user).toBe('Ada')
    })
  })

  test('a restart keeps all sessions', async () => {
    const before = await start()
    const apps = Object.keys(before.origins)
    expect(apps).toHaveLength(6)
    const users = await Promise.all(apps.map((app) => logIn(before.origins[app])))

    expect(await before.kill('SIGTERM')).toEqual([0, null])
    expect(before.stderr()).toBe('')
    const after = await start()

    for (const [at, app] of apps.entries()) {
      const { client, sid } = users[at]
      client.origin = after.origins[app]
      expect((await client.get('/count')).body).toEqual({ sid, user: 'Ada', views: 1 })
    }
  })
})
