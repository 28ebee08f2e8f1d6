'use strict'

const { execFile, execFileSync, fork } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const { promisify } = require('node:util')

const run = promisify(execFile)

/** How long a server may take to start or to stop, on a machine that is busy. */
const PATIENCE = 60_000

/** A program on the PATH or in one of the folders, or null. */
function findProgram(name, folders = []) {
  for (const folder of [...folders, ...(process.env.PATH ?? '').split(path.delimiter)]) {
    const file = path.join(folder, name)
    try {
      fs.accessSync(file, fs.constants.X_OK)
      return fs.realpathSync(file)
    } catch {}
  }
  return null
}

/** The ids of a user for a server, since none wants to be run by root; nothing for anybody else, who runs it as himself. */
function serverUser(names) {
  if (process.getuid?.() !== 0) return {}
  for (const name of [...names, 'nobody']) {
    try {
      const id = (flag) => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {}
  }
  throw new Error(`none of the users ${names.join(', ')} exists`)
}

/** A TCP port that nobody uses at the moment. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** A server of its own on a free port, with a folder for its data. Both go away with `end`, or with this process. */
class PrivateServer {
  #keeper
  /** How the program has ended; null while it runs. */
  #exited = 'not started'

  /** @param users Names of users that may run it in the place of root. */
  static async create(users) {
    const server = new PrivateServer()
    server.user = serverUser(users)
    server.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-sequelize-store-server-'))
    if (server.user.uid !== undefined) fs.chownSync(server.folder, server.user.uid, server.user.gid)
    server.port = await freePort()
    server.#keeper = fork(path.join(__dirname, '../programs/keeper.js'), [server.folder], { detached: true })
    server.#keeper.on('message', ({ exited }) => {
      server.#exited = exited
    })
    return server
  }

  /** A file of the server's own, readable by no one else. */
  write(name, text) {
    const file = path.join(this.folder, name)
    fs.writeFileSync(file, text, { mode: 0o600 })
    if (this.user.uid !== undefined) fs.chownSync(file, this.user.uid, this.user.gid)
    return file
  }

  /** Runs a program as the server's user. */
  run(command, args) {
    // MariaDB removes the temporary files of others when it starts.
    return run(command, args, { ...this.user, cwd: this.folder, env: { ...process.env, TMPDIR: this.folder } })
  }

  /** Starts a program unless it runs, and waits until `ready` resolves. */
  async start(command, args, ready) {
    if (this.#exited === null) return
    this.#exited = null
    this.#keeper.send({ start: { command, args, ...this.user } })
    const deadline = Date.now() + PATIENCE
    for (;;) {
      try {
        return await ready()
      } catch (error) {
        if (this.#exited === null && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 30))
          continue
        }
        throw new Error(`${path.basename(command)} did not start (${error.message}):\n${this.log()}`)
      }
    }
  }

  /** Stops the program by a signal if it runs, and waits for its end. */
  async stop(signal) {
    if (this.#exited !== null) return
    this.#keeper.send({ signal })
    const deadline = Date.now() + PATIENCE
    while (this.#exited === null) {
      if (Date.now() > deadline) throw new Error(`the server did not stop:\n${this.log()}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** The end of what the server has said. */
  log() {
    try {
      return fs.readFileSync(path.join(this.folder, 'log'), 'utf8').split('\n').slice(-30).join('\n')
    } catch {
      return ''
    }
  }

  async end() {
    if (this.#keeper.exitCode !== null) return
    const exited = once(this.#keeper, 'exit')
    if (this.#keeper.connected) this.#keeper.disconnect()
    await exited
  }
}

module.exports = { PrivateServer, findProgram, freePort }
