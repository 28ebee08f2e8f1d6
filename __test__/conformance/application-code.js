'use strict'

const { report } = require('../support/run')
const { PATIENCE } = require('../support/time')

// Whatever the application's own code throws or returns, each call is answered once, with an error of the store.
module.exports = (database) => {
  test(
    'what the code of the application throws is the cause of an error of the store, once for each call',
    async () => {
      const { tried, wrong, uncaught } = await report('application-code.js', [database.place()], {
        patience: 2 * PATIENCE
      })
      expect(wrong).toEqual([])
      expect(uncaught).toEqual([])
      expect(tried).toBeGreaterThan(700)
    },
    2 * PATIENCE
  )
}
