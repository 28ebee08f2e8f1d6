'use strict'

const { fork } = require('node:child_process')
const path = require('node:path')

// Cut from the stacks of errors: a result says nothing about where it was made.
const CHECKOUT = path.join(__dirname, '..') + path.sep

/** A process of its own for one trial. It is asked one thing at a time, and answers with one message. */
class Child {
  static running = new Set()

  constructor(/** @type {string} */ script, /** @type {object} */ spec) {
    this.stderr = ''
    this.process = fork(path.join(__dirname, 'children', script), [JSON.stringify(spec)], {
      execArgv: ['--expose-gc'],
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc']
    })
    Child.running.add(this.process)
    this.process.stderr?.on('data', (text) => {
      this.stderr += text
    })
    this.ended = new Promise((resolve) => {
      this.process.once('close', (code, signal) => {
        Child.running.delete(this.process)
        resolve(signal ?? `exit code ${code}`)
      })
    })
  }

  /** Throws if the process reports an error or ends, and after `seconds`. */
  async answer(/** @type {number} */ seconds) {
    let timer
    try {
      return await new Promise((resolve, reject) => {
        const fail = (text) => reject(new Error(text.replaceAll(CHECKOUT, '')))
        this.process.once('message', (/** @type {any} */ message) =>
          message.error ? fail(message.error) : resolve(message)
        )
        this.ended.then((how) => fail(`the process ended (${how}) ${this.stderr}`))
        timer = setTimeout(fail, seconds * 1000, `no answer in ${seconds} s`)
      })
    } catch (error) {
      await this.end()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  ask(/** @type {string} */ question, /** @type {number} */ seconds) {
    if (this.process.connected) this.process.send(question)
    return this.answer(seconds)
  }

  async end() {
    this.process.kill('SIGKILL')
    await this.ended
  }
}

process.on('exit', () => {
  for (const child of Child.running) child.kill('SIGKILL')
})

module.exports = { Child }
