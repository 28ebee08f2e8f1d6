'use strict'

const { spawn } = require('node:child_process')
const path = require('node:path')
const { PATIENCE } = require('./time')

/**
 * Runs a script of programs/ with arguments, each as JSON, and resolves with how it ended, what it printed and how long it took.
 * It is stopped after `patience` milliseconds; then `signal` is SIGKILL. `shell` is a line for the shell to run first, such as one
 * that sets a limit; `under` is a command that runs the script.
 */
function run(script, args = [], { shell, under = [], patience = 4 * PATIENCE } = {}) {
  const file = path.join(__dirname, 'programs', script)
  const command = [
    ...(shell === undefined ? [] : ['sh', '-c', `${shell}; exec "$0" "$@"`]),
    ...under,
    process.execPath,
    file,
    ...args.map((arg) => JSON.stringify(arg))
  ]
  const child = spawn(command[0], command.slice(1))
  const started = Date.now()
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text
    })
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), patience)
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, ms: Date.now() - started, ...output })
    })
  })
  return Object.assign(ended, { child })
}

/** Runs a script that ends well and prints JSON, and resolves with that. */
async function report(script, args, options) {
  const { code, signal, stdout, stderr } = await run(script, args, options)
  if (code !== 0) {
    throw new Error(`${script} ended with ${code ?? signal}: ${stderr}`)
  }
  return JSON.parse(stdout)
}

/** The arguments that `run` gave to the script. */
const args = () => process.argv.slice(2).map((arg) => JSON.parse(arg))

module.exports = { run, report, args }
