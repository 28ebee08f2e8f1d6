'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { RustSequelizeStore } = require('../..')
const databases = require('../support/databases')
const { createApp, frameworks, listen } = require('../support/express/app')
const { Client } = require('../support/express/client')

// The application on each framework and database, served in this process or in one of its own. Whatever is started ends with the test.

const serverFile = path.join(__dirname, '../support/express/server.js')

/** Every framework on a file, and the newest Express on each server. */
const pairs = databases
  .filter(({ enabled, supports }) => enabled && supports.otherClient)
  .flatMap((database) => {
    const names = database.dialect === 'sqlite' ? Object.keys(frameworks) : ['express5']
    return names.map((framework) => ({ framework, name: database.name, database }))
  })

/** Registers tests of the application: `register` gets the helpers, which hold for the test that runs. */
function onEachPair(register) {
  describe.each(pairs)('with $framework on $name', (pair) => register(helpers(pair)))
}

function helpers({ framework, database }) {
  const { precision } = database.supports
  /** Time after which a date is another one in the table as well. */
  const tick = () => sleep(20 + (precision > 1 ? precision : 0))
  let place
  let closers

  beforeEach(() => {
    place = database.place()
    closers = []
  })

  afterEach(async () => {
    for (const close of closers.reverse()) await close()
    await database.reset()
  })

  afterAll(() => database.end())

  /** Serves the application in this process. */
  async function start({ options, pause, ...sessionOptions } = {}) {
    const store = new RustSequelizeStore({ ...place, ...options })
    const app = createApp(framework, { store, ...sessionOptions }, pause)
    const { server, origin } = await listen(app)
    let closed
    const close = () => {
      closed ??= new Promise((resolve) => server.close(resolve)).then(() => store.close())
      server.closeAllConnections()
      return closed
    }
    closers.push(close)
    return { origin, store, close }
  }

  /** Serves the application in a process of its own. */
  async function startProcess() {
    const child = fork(serverFile, [framework, place.db])
    const exit = once(child, 'exit')
    closers.push(() => {
      child.kill('SIGKILL')
      return exit
    })
    const [{ origin }] = await Promise.race([
      once(child, 'message'),
      exit.then(([code]) => Promise.reject(new Error(`exited with ${code}`)))
    ])
    const kill = (signal) => {
      child.kill(signal)
      return exit
    }
    return { origin, kill }
  }

  function connectTo({ origin }) {
    const client = new Client(origin)
    closers.push(() => client.close())
    return client
  }

  /** A client that has logged in as Ada, and the id of its session. */
  async function logIn(server) {
    const client = connectTo(server)
    const { status, body } = await client.get('/login?user=Ada')
    expect(status).toBe(200)
    return { client, sid: body.sid }
  }

  /** A pause for the slow routes: `reached` resolves when a request is there, `end()` lets it go on. */
  function createPause() {
    const pauses = []
    const arrivals = []
    return {
      pause: () =>
        new Promise((resolve) => {
          pauses.push(resolve)
          arrivals.shift()?.()
        }),
      reached: () => new Promise((resolve) => arrivals.push(resolve)),
      end: () => pauses.shift()()
    }
  }

  // What another client than the store sees and does.
  const row = (sid) => database.row(place, sid)
  const countRows = () => database.count(place)
  const rename = (from, to) => database.renameTable(place, from, to)

  return {
    connectTo,
    countRows,
    createPause,
    database,
    logIn,
    onClose: (close) => closers.push(close),
    place: () => place,
    rename,
    row,
    start,
    startProcess,
    tick
  }
}

module.exports = { onEachPair }
