'use strict'

const { PLACES, placeName } = require('../servers/places')

/** Hands out the places that were made on a server for this worker of Jest. */
function places() {
  const worker = process.env.JEST_WORKER_ID ?? '1'
  const used = new Set()
  let last = 0

  return {
    /** A place that nobody has used since the last `free`. */
    take() {
      if (used.size === PLACES) throw new Error(`a test may use ${PLACES} places`)
      last = (last % PLACES) + 1
      const name = placeName(worker, last)
      used.add(name)
      return name
    },

    /** The places that have been used. They are as good as new afterwards. */
    free() {
      const names = [...used]
      used.clear()
      return names
    }
  }
}

module.exports = { places }
