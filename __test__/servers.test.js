'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const { text } = require('node:stream/consumers')
const { codes } = require('./support/calls')
const { session } = require('./support/sessions')
const { until } = require('./support/time')
const databases = require('./support/databases')
const { run } = require('./support/run')
const needs = require('./support/servers/needs')

// The servers of the tests, and what becomes of tests that lack one.

const answers = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

describe.each(['postgres', 'mysql'])('a server of the tests, %s,', (kind) => {
  const onServer = needs[kind].enabled ? test : test.skip

  onServer('does not outlive a run that was killed', async () => {
    const { signal, stdout, stderr } = await run('abandon.js', [kind])
    expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
    const { folder, port } = JSON.parse(stdout)
    await until(() => !fs.existsSync(folder))
    expect(await answers(port)).toBe(false)
  })
})

describe.each(databases.filter(({ enabled, supports }) => enabled && supports.otherClient))(
  'a table of $name that a test has left locked',
  (database) => {
    afterAll(() => database.end())

    test('does not hold the tests after it', async () => {
      const store = database.open()
      await store.sync()
      await database.lock(store)
      const written = codes([store.set('ada', session())])
      await until(() => store.stats().pending === 1)
      const started = Date.now()
      await database.reset()
      expect(Date.now() - started).toBeLessThan(5000)
      await written
    })
  }
)

describe('what is not there', () => {
  const { env } = process
  const found = Object.entries(env).filter(([name]) => !name.startsWith('TEST_') && !name.startsWith('JEST_'))

  /** Runs Jest where no database was looked for, and where the PATH has the given folder alone. */
  async function runJest(ci, folder) {
    const config = {
      rootDir: __dirname,
      testMatch: ['<rootDir>/exports.test.js'],
      transform: {},
      reporters: ['default', '<rootDir>/reporter.js']
    }
    const args = [require.resolve('jest/bin/jest'), '--config', JSON.stringify(config), '-t', 'no such test']
    const child = spawn(process.execPath, args, { env: { ...Object.fromEntries(found), PATH: folder, CI: ci } })
    const [code, output] = await Promise.all([once(child, 'close').then(([status]) => status), text(child.stderr)])
    return { code, last: output.trimEnd().split('\n').slice(-4) }
  }

  const notTested = [
    expect.stringMatching(/^Not tested: PostgreSQL \(there is no TEST_POSTGRES_URL\)$/),
    expect.stringMatching(/^Not tested: MySQL or MariaDB \(there is no TEST_MYSQL_URL\)$/),
    expect.stringMatching(/^Not tested: TLS \(no program openssl\)$/)
  ]

  test('is named at the end', async () => {
    const { code, last } = await runJest('false', '/nowhere')
    expect(last).toEqual(expect.arrayContaining(notTested))
    expect(code).toBe(0)
  })

  test('fails the run with CI=true', async () => {
    const { code, last } = await runJest('true', '/nowhere')
    expect(last).toEqual(expect.arrayContaining(notTested))
    expect(code).toBe(1)
  })
})
