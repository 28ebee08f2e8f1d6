'use strict'

const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const readline = require('node:readline')
const { start: startChild } = require('./support/children')

const examples = path.join(__dirname, '../examples')

describe.each(['express', 'koa', 'fastify'])('the example on %s', (framework) => {
  let folder
  let servers

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
    servers = []
  })

  afterEach(async () => {
    for (const { kill } of servers) await kill('SIGKILL')
    fs.rmSync(folder, { recursive: true })
  })

  async function start() {
    const { child, failed, kill, stderr } = startChild(path.join(examples, framework, 'server.js'), [], {
      cwd: folder,
      env: { ...process.env, PORT: '0', NODE_ENV: 'production', SESSION_SECRET: 'x'.repeat(40) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    })
    servers.push({ kill })
    const [line] = await Promise.race([once(readline.createInterface(child.stdout), 'line'), failed])
    const end = async () => {
      expect(await kill('SIGTERM')).toEqual([0, null])
      expect(stderr()).toBe('')
    }
    return { origin: line.split(' ')[0], end }
  }

  /** A browser: it keeps cookies, and does not follow redirections. */
  function browser() {
    const cookies = new Map()
    return async (url, { form, ...headers } = {}) => {
      const response = await fetch(url, {
        method: form ? 'POST' : 'GET',
        body: form && new URLSearchParams(form),
        redirect: 'manual',
        headers: { ...headers, cookie: [...cookies].map((pair) => pair.join('=')).join('; ') }
      })
      for (const cookie of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)
        if (value === '') cookies.delete(name)
        else cookies.set(name, value)
      }
      const { status } = response
      // Koa signs an empty cookie too.
      const names = [...cookies.keys()].filter((name) => !name.endsWith('.sig'))
      return { status, headers: response.headers, body: await response.text(), cookies: names }
    }
  }

  test('logs people in, counts their visits across a restart, and logs them out', async () => {
    const before = await start()
    const visit = browser()
    const first = await visit(before.origin)
    expect(first).toMatchObject({ status: 200, body: expect.stringContaining('<h1>Log in</h1>'), cookies: [] })
    expect(first.headers.get('content-type')).toMatch(/^text\/html/)
    expect(first.headers.get('cache-control')).toBe('no-store')
    expect(first.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await visit(`${before.origin}/session`)).toMatchObject({ status: 303 })

    const login = await visit(`${before.origin}/login`, { form: { name: ' Ada <3 ' } })
    expect(login).toMatchObject({ status: 303, cookies: expect.arrayContaining([expect.any(String)]) })
    expect(login.headers.get('location')).toBe('/')
    expect((await visit(before.origin)).body).toContain('Hello, Ada &lt;3')
    await before.end()

    const after = await start()
    expect((await visit(after.origin)).body).toContain('<strong>2</strong> visits')
    const own = await visit(`${after.origin}/session`)
    expect(own.status).toBe(200)
    expect(own.body).toMatch(/<dt>Expires<\/dt><dd><time/)
    expect(own.body).toContain('Ada')
    const logout = await visit(`${after.origin}/logout`, { form: {} })
    expect(logout).toMatchObject({ status: 303, cookies: [] })
    expect((await visit(after.origin)).body).toContain('<h1>Log in</h1>')
    await after.end()
    expect(fs.readdirSync(folder).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(['sessions.sqlite'])
  })

  test('refuses invalid input', async () => {
    const { origin, end } = await start()
    const visit = browser()
    expect(await visit(`${origin}/login`, { form: { name: '  ' } })).toMatchObject({
      status: 400,
      body: expect.stringContaining('role="alert"'),
      cookies: []
    })
    expect((await visit(`${origin}/login`, { form: { name: 'x'.repeat(61) } })).status).toBe(400)
    expect((await visit(`${origin}/login`, { form: { name: 'x'.repeat(9000) } })).status).toBe(413)
    expect((await visit(`${origin}/login`, { form: { name: 'Eve' }, 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect(await visit(`${origin}/nowhere`)).toMatchObject({ status: 404, body: expect.stringContaining('Not found') })
    const style = await visit(`${origin}/style.css`)
    expect(style).toMatchObject({ status: 200, cookies: [] })
    expect(style.headers.get('content-type')).toMatch(/^text\/css/)
    await end()
  })
})
