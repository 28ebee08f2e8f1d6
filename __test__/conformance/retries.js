'use strict'

const { codes, styles } = require('../support/calls')
const { session } = require('../support/sessions')

const TRIES = 500

/** Calls again as soon as a call has failed, and yields how often the event loop has turned meanwhile. */
async function turnsDuring(call, code) {
  let turns = 0
  let done = false
  const turn = () => {
    turns++
    if (!done) setImmediate(turn)
  }
  setImmediate(turn)
  let failed = 0
  const settled = async () => {
    for (let tries = 0; tries < TRIES; tries++) {
      const [got] = await codes([call()])
      if (got === code) failed++
    }
  }
  await settled()
  done = true
  return { turns, failed }
}

/** The same by callbacks alone, without a promise between the calls. */
function turnsDuringCallbacks(start, code) {
  return new Promise((resolve) => {
    let turns = 0
    let tries = 0
    let failed = 0
    const turn = () => {
      turns++
      if (tries < TRIES) setImmediate(turn)
    }
    setImmediate(turn)
    const again = () => {
      start((error) => {
        if (error?.code === code) failed++
        if (++tries < TRIES) again()
        else resolve({ turns, failed })
      })
    }
    again()
  })
}

// A call that fails at once may be tried again at once, and the event loop turns all the same.
module.exports = (database, { withClient }) => {
  const circular = session()
  circular.self = circular
  const failing = [
    ['of a closed store', 'ERR_SESSION_CLOSED', ['get', 'ada'], (store) => store.close()],
    ['of a closed store, of an id of no session,', 'ERR_SESSION_CLOSED', ['get', ''], (store) => store.close()],
    ['of a session that cannot be stored', 'ERR_SESSION_DATA', ['set', 'ada', circular], async () => {}],
    ['of an id of no session', 'ERR_SESSION_SID', ['set', '', session()], async () => {}]
  ]

  test.each(failing)('a call %s may be tried again at once', async (_name, code, [verb, ...args], before) => {
    const store = database.open()
    await before(store)
    const byCallback = await turnsDuringCallbacks((callback) => store[verb](...args, callback), code)
    const byPromise = await turnsDuring(() => styles.promise(store, verb, ...args), code)
    for (const { turns, failed } of [byCallback, byPromise]) {
      expect(failed).toBe(TRIES)
      expect(turns).toBeGreaterThan(TRIES / 2)
    }
  })

  withClient('a call of a full queue may be tried again at once', async () => {
    const store = database.open({ queue: { maxOperations: 1 } })
    await store.sync()
    const release = await database.lock(store)
    const written = store.set('ada', session())
    const { turns, failed } = await turnsDuringCallbacks(
      (callback) => store.set('bob', session(), callback),
      'ERR_SESSION_QUEUE_FULL'
    )
    await release()
    await written
    expect(failed).toBe(TRIES)
    expect(turns).toBeGreaterThan(TRIES / 2)
    expect(await store.ids()).toEqual(['ada'])
  })
}
