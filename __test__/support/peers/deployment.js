'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')

/** Starts a process of the application (programs/rolling.js) with the store `before` or `after` the change. */
async function start(url, store) {
  const child = fork(path.join(__dirname, '../programs/rolling.js'), [JSON.stringify({ url, store })])
  const exited = once(child, 'exit')
  const failed = exited.then(([code]) => Promise.reject(new Error(`the application ended with ${code}`)))
  const [origin] = await Promise.race([once(child, 'message'), failed])
  failed.catch(() => {})
  return {
    origin,
    async stop() {
      if (child.connected) child.disconnect()
      await exited
    }
  }
}

/** Somebody who uses the application, one request at a time, and knows what it has to answer. */
class User {
  #name
  #cookie = ''
  #visits = 0
  /** What the application answered, with `problem` if that was wrong. */
  answers = []

  constructor(name) {
    this.#name = name
  }

  /** The i-th thing that he does: he logs in, visits and looks, and at times logs out. */
  async act(origin, i) {
    if (i % 15 === 0) await this.#logIn(origin)
    else if (i % 15 === 14) await this.#logOut(origin)
    else if (i % 3 === 0) await this.#look(origin, { user: this.#name, visits: this.#visits })
    else await this.#visit(origin)
  }

  async #logIn(origin) {
    this.#visits = 0
    await this.#request(origin, `/login?user=${this.#name}`)
  }

  async #visit(origin) {
    this.#visits++
    const answer = await this.#request(origin, '/visit')
    this.#expect(answer, { user: this.#name, visits: this.#visits })
  }

  async #look(origin, expected) {
    this.#expect(await this.#request(origin, '/look'), expected)
  }

  async #logOut(origin) {
    await this.#request(origin, '/logout')
    await this.#look(origin, {})
  }

  #expect(answer, { user, visits }) {
    if (answer.user === user && answer.visits === visits) return
    answer.problem = `expected visit ${visits} of ${user}`
  }

  async #request(origin, where) {
    const response = await fetch(origin + where, { headers: { cookie: this.#cookie } })
    const [setCookie] = response.headers.getSetCookie()
    if (setCookie) [this.#cookie] = setCookie.split(';')
    const text = await response.text()
    const answer = response.ok ? { where, ...(text && JSON.parse(text)) } : { where, problem: text }
    this.answers.push(answer)
    return answer
  }
}

/** All users at once, each with this many actions, at the processes in turn. `from` is the number of the first action. */
async function use(users, processes, from, count) {
  await Promise.all(
    users.map(async (user, nth) => {
      for (let i = from; i < from + count; i++) await user.act(processes[(i + nth) % processes.length].origin, i)
    })
  )
}

module.exports = { User, start, use }
