'use strict'

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { codes, failure } = require('../support/calls')
const { session } = require('../support/sessions')
const { report } = require('../support/run')
const { open, place } = require('./setup')

describe('a full disk', () => {
  const makeFolder = () => fs.mkdtempSync(path.join(os.tmpdir(), 'rust-sequelize-store-disk-'))
  const mount = (...args) => spawnSync('mount', args).status === 0
  const mountDisk = (folder) => mount('-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder)
  const unmount = (folder) => spawnSync('umount', [folder])

  const canMount = () => {
    const folder = makeFolder()
    const mounted = mountDisk(folder)
    if (mounted) unmount(folder)
    fs.rmdirSync(folder)
    return mounted
  }
  const onDisk = process.getuid?.() === 0 && canMount() ? test : test.skip

  let mountPoint

  beforeAll(() => {
    mountPoint = makeFolder()
    if (onDisk === test) mountDisk(mountPoint)
  })

  afterAll(() => {
    if (onDisk === test) unmount(mountPoint)
    fs.rmdirSync(mountPoint)
  })

  const text = 'x'.repeat(20_000)

  onDisk('fails writes, not reads, until there is space', async () => {
    const ballast = path.join(mountPoint, 'ballast')
    fs.writeFileSync(ballast, Buffer.alloc(1_200_000))
    const store = open({}, { db: `sqlite://${mountPoint}/full.sqlite` })
    await store.set('ada', session({ user: 'ada' }))
    const outcome = []
    for (let i = 0; i < 60; i++) {
      outcome.push(...(await codes([store.set(`${i}`, session({ text }))])))
    }
    const failed = outcome.filter((code) => code !== null)
    expect(failed.length).toBeGreaterThan(0)
    expect(new Set(failed)).toEqual(new Set(['ERR_SESSION_DATABASE']))
    const error = await failure(store.set('large', session({ text: text.repeat(50) })))
    expect(Number(error.cause.code) & 0xff).toBe(13)
    expect((await store.get('ada')).user).toBe('ada')
    expect(await store.length()).toBe(61 - failed.length)

    fs.rmSync(ballast)
    await store.set('ada', session({ user: 'still ada' }))
    expect((await store.get('ada')).user).toBe('still ada')
    expect(await codes([store.set('more', session({ text }))])).toEqual([null])
    await store.clear()
    expect(await store.length()).toBe(0)
    await store.close()
  })

  onDisk('at the first call fails that call and no later one', async () => {
    const ballast = path.join(mountPoint, 'ballast')
    const disk = fs.openSync(ballast, 'w')
    try {
      while (true) fs.writeSync(disk, Buffer.alloc(4096))
    } catch {
      fs.closeSync(disk)
    }
    const store = open({}, { db: `sqlite://${mountPoint}/late.sqlite` })
    const [code] = await codes([store.set('ada', session())])
    expect(['ERR_SESSION_CONNECTION', 'ERR_SESSION_DATABASE']).toContain(code)
    fs.rmSync(ballast)
    await store.set('ada', session())
    expect(await store.ids()).toEqual(['ada'])
    await store.close()
  })

  onDisk('that is mounted read-only fails writes until it is writable', async () => {
    const store = open({}, { db: `sqlite://${mountPoint}/readonly.sqlite` })
    await store.set('ada', session({ user: 'ada' }))
    await store.close()
    expect(mount('-o', 'remount,ro', mountPoint)).toBe(true)
    const again = open({}, { db: `sqlite://${mountPoint}/readonly.sqlite` })
    const [code] = await codes([again.set('bob', session())])
    expect(['ERR_SESSION_CONNECTION', 'ERR_SESSION_DATABASE']).toContain(code)
    expect(mount('-o', 'remount,rw', mountPoint)).toBe(true)
    await again.set('bob', session())
    expect((await again.ids()).sort()).toEqual(['ada', 'bob'])
    await again.close()
  })

  const limited = process.platform === 'win32' ? test.skip : test

  limited('is like a limit on the size of the files of a process', async () => {
    const result = await report('sqlite-limit.js', [place()], {
      shell: 'ulimit -S -f 2000'
    })
    expect(result.failed).toBeGreaterThan(0)
    expect(result.codes).toEqual(['ERR_SESSION_DATABASE'])
    expect(result.user).toBe('ada')
    if (result.raised) expect(result.after).toBeNull()
  })
})
