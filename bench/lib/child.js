'use strict'

const { fork } = require('node:child_process')
const path = require('node:path')

/** Left out of the stacks of errors: a result says nothing of where it was made. */
const CHECKOUT = path.join(__dirname, '../..') + path.sep

const children = new Set()

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** A child process that is spoken to with messages. */
class Child {
  /**
   * @param {string} script in children/
   * @param {object} spec
   * @param {string[]} [execArgv]
   */
  constructor(script, spec, execArgv = []) {
    this.messages = []
    this.waiting = null
    this.stderr = ''
    this.process = fork(path.join(__dirname, '../children', script), [JSON.stringify(spec)], {
      execArgv,
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc']
    })
    children.add(this.process)
    this.process.stderr?.on('data', (text) => {
      this.stderr += text
    })
    this.process.on('message', (message) => this.receive(message))
    this.ended = new Promise((resolve) => {
      this.process.on('close', (code, signal) => {
        children.delete(this.process)
        const how = signal ?? `exit code ${code}`
        this.receive({ error: `${script} ended: ${how}\n${this.stderr}` })
        resolve(undefined)
      })
    })
  }

  receive(message) {
    if (this.waiting) this.waiting(message)
    else this.messages.push(message)
    this.waiting = null
  }

  /** The next message; throws at an error, at the end of the process and after `seconds`. */
  async next(/** @type {number} */ seconds) {
    let timer
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, seconds * 1000, /** @type {any} */ ({ error: `no answer in ${seconds} s` }))
    })
    const message = await Promise.race([
      this.messages.length > 0
        ? this.messages.shift()
        : new Promise((resolve) => {
            this.waiting = resolve
          }),
      late
    ])
    clearTimeout(timer)
    if (message.error) {
      this.process.kill('SIGKILL')
      throw new Error(message.error.replaceAll(CHECKOUT, ''))
    }
    return message
  }

  send(/** @type {any} */ message) {
    if (this.process.connected) this.process.send(message)
  }

  async end() {
    this.process.kill('SIGKILL')
    await this.ended
  }
}

module.exports = { Child }
