'use strict'

const fs = require('node:fs')
const net = require('node:net')
const { until } = require('./conformance/sessions')
const { run } = require('./fixtures/run')
const needs = require('./servers/needs')

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

describe('a database that is not there', () => {
  const { CI } = process.env
  let exits

  beforeEach(() => {
    exits = jest.spyOn(process, 'once').mockReturnValue(process)
  })

  afterEach(() => {
    jest.restoreAllMocks()
    process.env.CI = CI
    if (CI === undefined) delete process.env.CI
  })

  function reporter(database) {
    jest.resetModules()
    jest.doMock('./databases', () => [database])
    jest.doMock('./servers/needs', () => ({}))
    const Reporter = require('./reporter')
    const made = new Reporter()
    made.onRunComplete()
    return made
  }

  const missing = { name: 'Somebase', enabled: false, skipped: 'no program somebased' }

  test('is named at the end', () => {
    process.env.CI = 'false'
    const reported = reporter(missing)
    expect(reported.getLastError()).toBeUndefined()
    const printed = jest.spyOn(console, 'error').mockReturnValue()
    const [event, print] = exits.mock.calls[0]
    print()
    expect(event).toBe('exit')
    expect(printed).toHaveBeenCalledWith('Not tested: Somebase (no program somebased)')
  })

  test('fails the run with CI=true', () => {
    process.env.CI = 'true'
    expect(reporter(missing).getLastError().message).toMatch('Somebase (no program somebased)')
    expect(reporter({ ...missing, enabled: true }).getLastError()).toBeUndefined()
  })
})
