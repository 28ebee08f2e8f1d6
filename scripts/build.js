// @ts-check
'use strict'

// Builds the addon. Its panics name source files; the paths of this machine are left out of them.

const { spawnSync } = require('node:child_process')
const os = require('node:os')
const path = require('node:path')

const ROOT = path.join(__dirname, '..')

/** Separates the flags in CARGO_ENCODED_RUSTFLAGS, where they may contain spaces. */
const SEPARATOR = '\u001f'

/** Folders whose paths are replaced, and by what. A later one wins over those that contain it. */
const PREFIXES = [
  [process.env.CARGO_HOME || path.join(os.homedir(), '.cargo'), 'cargo'],
  [ROOT, 'rust-sequelize-store']
]

/**
 * The flags of rustc that the environment asks for. Cargo reads one variable only, the encoded one if there is one.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function givenFlags({ CARGO_ENCODED_RUSTFLAGS, RUSTFLAGS = '' }) {
  const flags = CARGO_ENCODED_RUSTFLAGS?.split(SEPARATOR) ?? RUSTFLAGS.split(/\s+/)
  return flags.filter((flag) => flag !== '')
}

/**
 * The environment with the flags added.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string[]} added
 * @returns {NodeJS.ProcessEnv}
 */
function withFlags(env, added) {
  const flags = [...givenFlags(env), ...added]
  // napi-rs appends flags of its own to RUSTFLAGS for some targets, so the encoded variable is used only if it is needed.
  const encoded = env.CARGO_ENCODED_RUSTFLAGS !== undefined || added.some((flag) => /\s/.test(flag))
  return encoded ? { ...env, CARGO_ENCODED_RUSTFLAGS: flags.join(SEPARATOR) } : { ...env, RUSTFLAGS: flags.join(' ') }
}

const remapped = PREFIXES.map(([folder, name]) => `--remap-path-prefix=${folder}=${name}`)
const napi = path.join(ROOT, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js')
const args = ['build', '--platform', '--output-dir', 'lib', '--js', 'binding.js', '--dts', 'binding.d.ts']
const { status } = spawnSync(process.execPath, [napi, ...args, ...process.argv.slice(2)], {
  cwd: ROOT,
  env: withFlags(process.env, remapped),
  stdio: 'inherit'
})
process.exit(status ?? 1)
