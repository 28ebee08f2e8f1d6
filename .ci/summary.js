// @ts-check
'use strict'

// Prints what Jest's JSON result says as one line. Without a result, or without a test, it fails.

const fs = require('node:fs')

function read() {
  try {
    return JSON.parse(fs.readFileSync(process.argv[2] ?? '', 'utf8'))
  } catch {
    console.error('Jest left no result')
    return {}
  }
}

const {
  numPassedTests: passed = 0,
  numFailedTests = 0,
  numRuntimeErrorTestSuites = 0,
  numPendingTests = 0,
  numTodoTests = 0
} = read()
// A file that cannot be run counts as one failure: the tests in it are not known.
const failed = numFailedTests + numRuntimeErrorTestSuites
const skipped = numPendingTests + numTodoTests

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
if (failed > 0 || passed === 0) process.exitCode = 1
