'use strict'

// The child process that asks: autocannon, each of its connections with a session of its own.

const autocannon = require('autocannon')

async function main({ origin, connections, path, seconds, sessions, rate }) {
  const cookies = sessions ? await Promise.all(Array.from({ length: connections }, () => login(origin))) : []
  const before = await views(origin, cookies)
  let next = 0
  const result = await autocannon({
    url: origin + path,
    connections,
    duration: seconds,
    ...(rate ? { overallRate: rate } : {}),
    setupClient(client) {
      const cookie = cookies[next++]
      if (cookie) client.setHeaders({ cookie })
    }
  })
  const written = (await views(origin, cookies)) - before
  const errors = result.non2xx + result.errors + result.resets
  // What was under way at the end was counted by the server only.
  const counted = result['2xx']
  if (sessions && errors === 0 && path === '/write' && (written < counted || written > counted + connections)) {
    throw new Error(`${counted} requests, but ${written} views in the sessions`)
  }
  return {
    requests: counted,
    errors,
    firstError: errors > 0 ? `${result.non2xx} answers were no success, ${result.errors} requests failed` : undefined,
    seconds: result.duration,
    rate: counted / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99
  }
}

async function login(origin) {
  const response = await fetch(`${origin}/login`)
  await response.arrayBuffer()
  return response.headers.getSetCookie()[0].split(';')[0]
}

/** The sum over all sessions. */
async function views(origin, cookies) {
  const counts = await Promise.all(
    cookies.map(async (cookie) => {
      const response = await fetch(`${origin}/read`, { headers: { cookie } })
      return (await response.json()).views
    })
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

main(JSON.parse(process.argv[2])).then(
  (result) => process.send({ result }, () => process.exit(0)),
  (error) => process.send({ error: error.stack }, () => process.exit(1))
)
