'use strict'

/** How many places there are at once for the tests of one worker of Jest. */
const PLACES = 128

/** The name of a place: a schema on PostgreSQL, a database on MySQL. */
const placeName = (worker, i) => `rust_sequelize_store_test_${worker}_${i}`

/** The names of all places. */
function placeNames(workers) {
  const names = []
  for (let worker = 1; worker <= workers; worker++) {
    for (let i = 1; i <= PLACES; i++) names.push(placeName(worker, i))
  }
  return names
}

module.exports = { PLACES, placeName, placeNames }
