'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { placeOf } = require('./databases')

// Cut from the stacks of errors: a result says nothing about where it was made.
const CHECKOUT = path.join(__dirname, '..') + path.sep

/** A process of its own for one trial, which answers with one message. */
function start(cell, more) {
  const spec = { ...cell, ...placeOf(cell), ...more }
  const child = fork(path.join(__dirname, 'trial.js'), [JSON.stringify(spec)], {
    execArgv: ['--expose-gc'],
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // One minute to start, to check the store and to end, and a millisecond for each session to prune.
    timeout: 60_000 + Math.ceil((cell.warmup + cell.seconds) * 1000) + (cell.expired ?? 0),
    killSignal: 'SIGKILL'
  })
  const ended = once(child, 'close')
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const answer = new Promise((resolve, reject) => {
    const fail = (text) => reject(new Error(text.replaceAll(CHECKOUT, '')))
    child.once('message', (message) => (message.error ? fail(message.error) : resolve(message)))
    ended.then(([code, signal]) => fail(`the process ended (${signal ?? `exit code ${code}`}) ${stderr}`))
  })
  return { answer, ended, kill: () => child.kill('SIGKILL') }
}

/** The answer of a process that then ends by itself. */
async function run(cell, more) {
  const { answer, ended } = start(cell, more)
  return answer.finally(() => ended)
}

module.exports = { start, run }
