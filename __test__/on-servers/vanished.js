'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const readline = require('node:readline')
const { failure } = require('../support/calls')
const { session } = require('../support/sessions')
const { sleep } = require('../support/time')
const { serverOf } = require('./setup')

const PROXY = path.join(__dirname, '../support/programs/vanishing-proxy.py')

/** A server whose machine vanishes: nothing is acknowledged, and nothing refused. `kit` is as setup.js has it. */
module.exports = (kit) => {
  const { fresh, open, server } = serverOf(kit)
  const proxies = []

  afterEach(() => {
    for (const proxy of proxies.splice(0)) proxy.kill('SIGKILL')
  })

  /** A proxy in front of the server: its port, and a function that gives it an order. */
  async function startProxy() {
    const proxy = spawn('python3', [PROXY, server().port], { stdio: ['pipe', 'pipe', 'inherit'] })
    proxies.push(proxy)
    const lines = readline.createInterface({ input: proxy.stdout })
    const [port] = await once(lines, 'line')
    const order = async (what) => {
      proxy.stdin.write(`${what}\n`)
      await once(lines, 'line')
    }
    return { port, order }
  }

  async function openThroughProxy(options) {
    const { port, order } = await startProxy()
    const url = new URL(server().url({ database: await fresh() }))
    const store = open(Object.assign(url, { port }).href, options)
    await store.set('ada', session({ user: 'ada' }))
    // Each on a lane of its own.
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.set(`sid${index}`, session())))
    return { order, store }
  }

  test('costs its calls a few seconds, and they succeed on its successor', async () => {
    const { order, store } = await openThroughProxy()
    await order('vanish')
    const began = Date.now()
    const calls = Array.from({ length: 20 }, (_, index) => [
      store.set(`sid${index}`, session({ user: 'grace' })),
      store.get(`sid${index}`)
    ]).flat()
    await sleep(2000)
    await order('return')
    await Promise.all(calls)
    // In place of `queryTimeout`, 30 s.
    expect(Date.now() - began).toBeLessThan(15_000)
    expect((await store.get('sid3')).user).toBe('grace')
  })

  test('does not keep a call for longer than it may take to connect', async () => {
    const { order, store } = await openThroughProxy({ pool: { acquireTimeout: 3000 } })
    await order('vanish')
    const began = Date.now()
    const error = await failure(store.get('ada'))
    expect(error.code).toBe('ERR_SESSION_CONNECTION')
    expect(error.cause.code).toBe('ETIMEDOUT')
    expect(Date.now() - began).toBeLessThan(15_000)
    await order('return')
    expect((await store.get('ada')).user).toBe('ada')
  })
}
