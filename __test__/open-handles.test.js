'use strict'

const { execFile } = require('node:child_process')
const path = require('node:path')
const { promisify } = require('node:util')

const program = path.join(__dirname, 'support/programs/open-handles.js')

test('jest --detectOpenHandles reports nothing', async () => {
  const config = JSON.stringify({ rootDir: path.dirname(program), testRegex: 'open-handles\\.js$', transform: {} })
  const jest = path.join(path.dirname(require.resolve('jest/package.json')), 'bin/jest.js')
  const { stderr } = await promisify(execFile)(process.execPath, [jest, '--config', config, '--detectOpenHandles'], {
    env: { ...process.env, JEST_WORKER_ID: undefined }
  })
  expect(stderr).toMatch(/Tests: +4 passed/)
  expect(stderr).not.toMatch(/open handle/)
}, 120_000)
