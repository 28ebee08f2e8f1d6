'use strict'

// Writes sessions until it is killed, and keeps a journal of what it has called and what was acknowledged. A line of the journal is
// `call <sid> <number> <verb>` or `done <sid> <number>`, or `error <message>` at the end.

const fs = require('node:fs')
const { RustSequelizeStore } = require('../../..')
const { content } = require('../crash-journal')
const { args } = require('../run')
const { loaded, session } = require('../sessions')
const { HOUR, sleep } = require('../time')

const [place, journal, sids, first] = args()
const fd = fs.openSync(journal, 'a')
// The line is with the system before the process goes on, so it outlives the process.
const note = (...words) => fs.writeSync(fd, `${words.join(' ')}\n`)

const store = new RustSequelizeStore({ ...place, checkExpirationInterval: 0 })
const random = (n) => Math.floor(Math.random() * n)
let last = first

/** Calls one of the verbs that write; its promise is that of the call. */
async function write(sid, held) {
  const verbs = held === undefined ? ['set', 'set', 'set', 'touch', 'destroy'] : ['save']
  const verb = verbs[random(verbs.length)]
  const number = ++last
  note('call', sid, number, verb)
  if (verb === 'set') await store.set(sid, session(content(number)))
  else if (verb === 'save') await store.set(sid, Object.assign(held, content(number)))
  else if (verb === 'touch') await store.touch(sid, session({}, 2 * HOUR))
  else await store.destroy(sid)
  note('done', sid, number)
}

/** One after the other, a few of them without waiting, and now and then what a request does that has loaded its session. */
async function work(sid) {
  for (;;) {
    await Promise.all(Array.from({ length: 1 + random(4) }, () => write(sid)))
    const found = random(3) === 0 ? await store.get(sid) : null
    if (found !== null) await write(sid, loaded(store, sid, found))
  }
}

/** What goes on beside it in every application. */
async function tidy() {
  for (let i = 0; ; i++) {
    await store.set(`dead ${process.pid} ${i}`, session({}, -HOUR))
    await store.clearExpiredSessions()
    await store.length()
    await sleep(5)
  }
}

async function main() {
  try {
    // All connections are open then.
    const dead = sids.map((sid) => store.set(`dead ${process.pid} ${sid}`, session({}, -HOUR)))
    await Promise.all([...dead, ...sids.map((sid) => store.get(sid)), store.length()])
    process.send('ready')
    await Promise.all([...sids.map(work), tidy()])
  } catch (error) {
    note('error', error.code, error.message)
    process.exit(1)
  }
}

main()
