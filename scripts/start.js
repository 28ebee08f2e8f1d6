// @ts-check
'use strict'

// What `npm start` runs: the example.

const PERIOD = 500
const parent = process.ppid

// A signal sent to npm ends npm and its shell only, and the server would go on, unseen, on its port.
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM')
}, PERIOD).unref()

require('../examples/express/server.js')
