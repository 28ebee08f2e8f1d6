// @ts-check
'use strict'

// Runs before `npm start`, `npm test` and `npm run check`: installs node_modules and builds the Rust addon if they are missing or stale.
// It uses nothing but Node itself, since node_modules may not be there yet.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const ROOT = path.join(__dirname, '..')
const MINIMUM_NODE = '20.19'
const RUST_SOURCES = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'rust-toolchain.toml', 'src', 'vendor']

/**
 * @param {string} version
 * @param {string} minimum
 */
function isAtLeast(version, minimum) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [minimumMajor = 0, minimumMinor = 0] = minimum.split('.').map(Number)
  return major > minimumMajor || (major === minimumMajor && minor >= minimumMinor)
}

/**
 * What a command prints, or null if it cannot be run.
 *
 * @param {string} command
 * @param {string[]} args
 */
function outputOf(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8'
  })
  return status === 0 ? stdout : null
}

/** @returns {string | null} */
function nodeProblem() {
  if (isAtLeast(process.versions.node, MINIMUM_NODE)) return null
  return `Node.js ${MINIMUM_NODE} or newer is needed, this is ${process.versions.node}: get it from https://nodejs.org`
}

/** @returns {string | null} */
function rustProblem() {
  const manifest = fs.readFileSync(path.join(ROOT, 'Cargo.toml'), 'utf8')
  const minimum = /^rust-version = "(.+)"$/m.exec(manifest)?.[1] ?? '0'
  const rustc = outputOf('rustc', ['--version'])
  if (rustc === null || outputOf('cargo', ['--version']) === null) {
    return `Rust ${minimum} or newer is needed, but cargo or rustc cannot be run: get them from https://rustup.rs`
  }
  const version = /\d+\.\d+\.\d+/.exec(rustc)?.[0] ?? '0'
  if (isAtLeast(version, minimum)) return null
  return `Rust ${minimum} or newer is needed, this is ${version}: run \`rustup update stable\` or get it from https://rustup.rs`
}

/** @returns {string | null} */
function compilerProblem() {
  // On Windows the Rust installer asks for the build tools by itself, and they are not on the PATH.
  if (process.platform === 'win32') return null
  const compilers = [process.env.CC, 'cc', 'gcc', 'clang']
  if (compilers.some((compiler) => compiler && outputOf(compiler, ['--version']) !== null)) return null
  const command = process.platform === 'darwin' ? 'xcode-select --install' : 'apt-get install build-essential'
  return `A C compiler is needed, but cc, gcc and clang cannot be run: get one with \`${command}\` or your system's own command`
}

/** @param {string} file */
function packagesOf(file) {
  return JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8')).packages
}

/** Whether node_modules holds what package-lock.json asks for. */
function isInstalled() {
  const wanted = packagesOf('package-lock.json')
  let installed
  try {
    installed = packagesOf('node_modules/.package-lock.json')
  } catch {
    return false
  }
  return Object.entries(wanted).every(([location, { version, optional, peer }]) => {
    if (location === '' || optional || peer) return true
    return installed[location]?.version === version
  })
}

/**
 * The newest time of change of a file or of any file in a folder.
 *
 * @param {string} file
 * @returns {number}
 */
function newestChange(file) {
  const stat = fs.statSync(file)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...fs.readdirSync(file).map((name) => newestChange(path.join(file, name))))
}

/** Whether the addon is there and no Rust source has changed since it was built. */
function isBuilt() {
  const lib = path.join(ROOT, 'lib')
  const addons = fs.existsSync(lib) ? fs.readdirSync(lib).filter((name) => name.endsWith('.node')) : []
  const generated = ['binding.js', 'binding.d.ts'].every((name) => fs.existsSync(path.join(lib, name)))
  if (addons.length === 0 || !generated) return false
  const built = Math.min(...addons.map((name) => fs.statSync(path.join(lib, name)).mtimeMs))
  return RUST_SOURCES.every((name) => newestChange(path.join(ROOT, name)) <= built)
}

/**
 * Prints to stderr, so that the output of the command proper stays clean.
 *
 * @param {string} message
 */
function say(message) {
  process.stderr.write(`${message}\n`)
}

/**
 * @param {string} purpose
 * @param {string[]} args
 */
function npm(purpose, args) {
  const command = `npm ${args.join(' ')}`
  say(`${purpose} (${command}) …`)
  const cli = process.env.npm_execpath
  const { status } = cli
    ? spawnSync(process.execPath, [cli, ...args], {
        cwd: ROOT,
        stdio: ['ignore', 2, 2]
      })
    : spawnSync(command, { cwd: ROOT, stdio: ['ignore', 2, 2], shell: true })
  if (status === 0) return
  say(`\`${command}\` failed: see the messages above`)
  process.exit(status ?? 1)
}

/** @param {(string | null)[]} problems */
function stopAt(problems) {
  const found = problems.filter((problem) => problem !== null)
  if (found.length === 0) return
  for (const problem of found) say(problem)
  process.exit(1)
}

stopAt([nodeProblem()])
const installed = isInstalled()
const built = isBuilt()
if (!installed || !built) {
  stopAt([built ? null : rustProblem(), compilerProblem()])
  if (!installed) npm('Installing the packages', ['ci', '--include=dev'])
  if (!built) npm('Building the Rust addon; the first time takes a few minutes', ['run', 'build'])
}
