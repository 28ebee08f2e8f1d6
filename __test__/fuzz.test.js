'use strict'

const databases = require('./support/databases')
const { fuzz } = require('./fuzz/model')

// Random calls against a model: see fuzz/model.js. `npm run fuzz` runs this for longer, by these variables.
const { FUZZ_DATABASE, FUZZ_SECONDS, FUZZ_SEED, FUZZ_RUNS = '150' } = process.env
const seconds = FUZZ_SECONDS === undefined ? undefined : Number(FUZZ_SECONDS)
const limits = seconds === undefined ? { runs: Number(FUZZ_RUNS) } : { seconds }
const patience = ((seconds ?? 60) + 120) * 1000

const chosen = ({ name, dialect }) =>
  FUZZ_DATABASE === undefined || [name.toLowerCase(), dialect].includes(FUZZ_DATABASE.toLowerCase())

for (const database of [...databases, ...databases.modes].filter(chosen)) {
  const whereEnabled = database.enabled ? describe : describe.skip

  whereEnabled(`random calls, ${database.name}`, () => {
    afterEach(() => database.reset())
    afterAll(() => database.end())

    // What nobody has asked for must not be pruned in the middle of a check.
    const options = { checkExpirationInterval: 0 }
    const { precision, secondStore } = database.supports

    const play = async (stores, share) => {
      await stores[0].sync()
      const seed = FUZZ_SEED === undefined ? undefined : Number(FUZZ_SEED)
      const limit = Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, Math.ceil(value * share)]))
      const { runs, operations, seed: used } = await fuzz(stores, { ...limit, precision, seed })
      process.stdout.write(`${database.name}, seed ${used}: ${runs} runs, ${operations} operations\n`)
      expect(runs).toBeGreaterThan(0)
    }

    test('one store', () => play([database.open(options)], 0.4), patience)

    const withSecondStore = secondStore ? test : test.skip
    withSecondStore(
      'two stores on one table, and one of a single connection',
      () => {
        const first = database.open(options)
        const single = { ...options, pool: { max: 1 } }
        return play([first, database.openAgain(first, options), database.openAgain(first, single)], 0.6)
      },
      patience
    )
  })
}
