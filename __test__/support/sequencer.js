'use strict'

const { default: Sequencer } = require('@jest/test-sequencer')

/** Begins with the files that take minutes, so that none of them is left alone at the end. */
module.exports = class extends Sequencer {
  sort(tests) {
    const isLong = ({ path }) => /conformance/.test(path)
    return [...tests].sort((a, b) => isLong(b) - isLong(a))
  }
}
