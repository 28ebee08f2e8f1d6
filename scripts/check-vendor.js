// @ts-check
'use strict'

// Checks that vendor/sqlx-core is the released crate with the changes of vendor/sqlx-core.patch and no others. With `--write`, writes the
// patch instead. Cargo does not download a crate that is replaced, so it is asked for it here; without a network, nothing is checked.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const VENDOR = path.join(__dirname, '..', 'vendor')
const PATCH = path.join(VENDOR, 'sqlx-core.patch')
const CRATE = 'sqlx-core'

/** What Cargo adds to a crate, and the crate does not need. */
const DROPPED = ['.cargo-ok', '.cargo_vcs_info.json', 'Cargo.lock', 'Cargo.toml.orig']

/** The version that is vendored. */
function vendoredVersion() {
  const manifest = fs.readFileSync(path.join(VENDOR, CRATE, 'Cargo.toml'), 'utf8')
  return /^version = "(.+)"$/m.exec(manifest)?.[1] ?? 'unknown'
}

/**
 * The folder of a released crate, or null.
 * @param {string} name
 */
function findReleased(name) {
  const sources = path.join(process.env.CARGO_HOME ?? path.join(os.homedir(), '.cargo'), 'registry', 'src')
  if (!fs.existsSync(sources)) return null
  const folders = fs.readdirSync(sources).map((registry) => path.join(sources, registry, name))
  return folders.find((folder) => fs.existsSync(path.join(folder, 'src'))) ?? null
}

/**
 * The differences between a released crate and the vendored one.
 * @param {string} released
 */
function difference(released) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-sequelize-store-vendor-'))
  try {
    fs.cpSync(released, path.join(folder, 'a'), {
      recursive: true,
      filter: (file) => !DROPPED.includes(path.basename(file))
    })
    fs.cpSync(path.join(VENDOR, CRATE), path.join(folder, 'b'), { recursive: true })
    for (const file of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const full = path.join(folder, file)
      fs.chmodSync(full, fs.statSync(full).isDirectory() ? 0o755 : 0o644)
    }
    const settings = ['core.autocrlf=false', 'core.abbrev=12', 'diff.algorithm=myers']
    const args = [
      ...settings.flatMap((setting) => ['-c', setting]),
      ...['diff', '--no-index', '--no-prefix', '--no-color', '--no-ext-diff', 'a', 'b']
    ]
    const { status, stdout, stderr } = spawnSync('git', args, { cwd: folder, encoding: 'utf8' })
    if (status !== 0 && status !== 1) throw new Error(`git diff failed: ${stderr}`)
    return stdout
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

function main() {
  const version = vendoredVersion()
  const name = `${CRATE}-${version}`
  if (findReleased(name) === null) {
    spawnSync('cargo', ['info', '--quiet', '--registry', 'crates-io', `${CRATE}@${version}`], {
      cwd: os.tmpdir(),
      stdio: 'ignore'
    })
  }
  const released = findReleased(name)
  if (released === null) {
    console.log(`not checked: ${name} is neither in Cargo's registry nor to be had`)
    return
  }
  const patch = difference(released)
  if (process.argv.includes('--write')) {
    fs.writeFileSync(PATCH, patch)
  } else if (patch !== fs.readFileSync(PATCH, 'utf8')) {
    console.error(
      `vendor/${CRATE} is not the released ${name} with vendor/${CRATE}.patch. Undo the change, or write the patch anew with ` +
        '`node scripts/check-vendor.js --write`.'
    )
    process.exitCode = 1
  }
}

main()
