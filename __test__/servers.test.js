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
const servers = require('./support/servers')

// The servers of the tests, and what becomes of tests that lack one.

const answers = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

describe.each(servers)('a server of the tests, $name,', ({ own, variable }) => {
  const onServer = own.enabled ? test : test.skip

  onServer('does not outlive a run that was killed', async () => {
    const { signal, stdout, stderr } = await run('abandon.js', [variable])
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
      await database.reset()
      // The lock was let go, and not waited for in vain.
      expect(await written).toEqual([null])
    })
  }
)

describe('what this machine lacks', () => {
  const { env } = process
  const found = Object.entries(env).filter(([name]) => !name.startsWith('TEST_') && !name.startsWith('JEST_'))

  /** Runs Jest where no database was looked for, and where the PATH has the given folder alone. */
  async function runJest(ci, folder) {
    const config = {
      rootDir: __dirname,
      testMatch: ['<rootDir>/exports.test.js'],
      transform: {},
      reporters: ['default', '<rootDir>/support/reporter.js']
    }
    const args = [require.resolve('jest/bin/jest'), '--config', JSON.stringify(config), '-t', 'no such test']
    const child = spawn(process.execPath, args, { env: { ...Object.fromEntries(found), PATH: folder, CI: ci } })
    const [code, output] = await Promise.all([once(child, 'close').then(([status]) => status), text(child.stderr)])
    return { code, notTested: output.split('\n').filter((line) => line.startsWith('Not tested: ')) }
  }

  const expected = expect.arrayContaining([
    ...servers.map(({ name, variable }) => `Not tested: ${name} (there is no ${variable}_URL)`),
    'Not tested: TLS (no program openssl)'
  ])

  test('is named at the end of the run', async () => {
    const { code, notTested } = await runJest('false', '/nowhere')
    expect(notTested).toEqual(expected)
    expect(code).toBe(0)
  })

  test('fails the run with CI=true', async () => {
    const { code, notTested } = await runJest('true', '/nowhere')
    expect(notTested).toEqual(expected)
    expect(code).toBe(1)
  })
})
