'use strict'

module.exports = {
  roots: ['<rootDir>/__test__'],
  testMatch: ['**/__test__/**/*.test.js'],
  globalSetup: '<rootDir>/__test__/support/servers/setup.js',
  globalTeardown: '<rootDir>/__test__/support/servers/teardown.js',
  // No test depends on how fast the machine is: this only ends what hangs.
  testTimeout: 300_000,
  testSequencer: '<rootDir>/__test__/support/sequencer.js',
  maxWorkers: 2,
  // The code is run as it is shipped.
  transform: {},
  reporters: ['default', '<rootDir>/__test__/support/reporter.js']
}
