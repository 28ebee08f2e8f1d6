'use strict'

const { execFile } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { promisify } = require('node:util')
const databases = require('./support/databases')
const { GIVEN } = require('./support/programs/migration')
const { PATIENCE } = require('./support/time')

const root = path.join(__dirname, '..')
const fixture = path.join(__dirname, 'support/programs/migration.js')

/** The database on which each change is made. */
const ON = {
  'Coming from connect-session-sequelize': 'postgres',
  'connect-session-sequelize': 'postgres',
  'sequelstore-connect': 'postgres',
  'koa-generic-session-sequelize': 'mysql',
  'connect-pg-simple': 'postgres',
  'express-mysql-session': 'mysql',
  'connect-session-knex': 'sqlite',
  'better-sqlite3-session-store': 'sqlite'
}

/** It needs Sequelize 3, with which nothing else here works. */
const WITHOUT_BEFORE = ['sequelstore-connect']

/** The changes of a page, each with the heading above it, and the code before and after. */
function changesOf(page) {
  const text = fs.readFileSync(path.join(root, page), 'utf8')
  return text.split(/^## /m).flatMap((section) => {
    const heading = section.split('\n', 1)[0]
    const blocks = [...section.matchAll(/^```diff\n([\s\S]*?)^```$/gm)].map(([, block]) => block.split('\n'))
    const side = (block, sign) =>
      block
        .filter((line) => !line.startsWith(sign))
        .map((line) => line.slice(1))
        .join('\n')
    return blocks.map((block, nth) => ({
      name: `${page}, ${heading}, ${nth + 1}`,
      heading,
      before: side(block, '+'),
      after: side(block, '-')
    }))
  })
}

const changes = [...changesOf('README.md'), ...changesOf('docs/migration.md')]

/** The statements that the package tells its users to run. */
const tableOfPgSimple = () => fs.readFileSync(require.resolve('connect-pg-simple/table.sql'), 'utf8')

describe('the changes from other stores', () => {
  let folder

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sessions-'))
    const modules = path.join(folder, 'node_modules')
    fs.mkdirSync(modules)
    for (const name of fs.readdirSync(path.join(root, 'node_modules'))) {
      fs.symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name))
    }
    fs.symlinkSync(root, path.join(modules, 'rust-sequelize-store'))
    fs.symlinkSync(path.join(__dirname, 'support/better-sqlite3.js'), path.join(modules, 'better-sqlite3.js'))
  })

  afterEach(async () => {
    fs.rmSync(folder, { recursive: true })
    await Promise.all(databases.map((database) => database.enabled && database.reset()))
  })

  afterAll(() => Promise.all(databases.map((database) => database.enabled && database.end())))

  /** Runs one side of a change, which reads a session and writes another, and resolves with the one that it read. */
  async function run(code, place, read, write) {
    const given = Object.keys(GIVEN).filter(
      (name) => new RegExp(`\\b${name}\\b`).test(code) && !new RegExp(`const ${name}\\b`).test(code)
    )
    const lines = given.map((name) => `const ${name} = require(${JSON.stringify(fixture)}).GIVEN.${name}()`)
    const script = [...lines, code, `require(${JSON.stringify(fixture)}).use(store)`].join('\n')
    fs.writeFileSync(path.join(folder, 'application.js'), script)
    const { stdout } = await promisify(execFile)(process.execPath, ['application.js'], {
      cwd: folder,
      timeout: PATIENCE,
      env: { ...process.env, DATABASE_URL: place.db, WRITE: write, ...(read && { READ: read }) }
    })
    return JSON.parse(stdout.split('\n').at(-2)).read
  }

  test('cover all packages', () => {
    expect(new Set(changes.map(({ heading }) => heading))).toEqual(new Set(Object.keys(ON)))
  })

  for (const change of changes) {
    const database = databases.find(({ dialect }) => dialect === ON[change.heading])
    const onDatabase = database?.enabled ? test : test.skip

    onDatabase(change.name, async () => {
      const { before, after, heading } = change
      const place = database.place()
      if (heading === 'connect-pg-simple') await database.query(place, tableOfPgSimple())
      const sides = WITHOUT_BEFORE.includes(heading) ? [after, after] : [before, after, before]
      let last
      for (const [i, code] of sides.entries()) {
        const read = await run(code, place, last, `sid-${i}`)
        if (last !== undefined) expect(read).toMatchObject({ user: last })
        last = `sid-${i}`
      }
    })
  }
})
