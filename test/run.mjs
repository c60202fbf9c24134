/**
 * What `npm test` does: builds what is out of date, checks style, types and what nobody uses (knip.json), runs the tests, and says
 * how long that took.
 *
 *     npm test                   everything
 *     npm test -- storage        the tests whose path contains `storage`; other words and flags are vitest's, too
 */
import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
// Said at the end of the output, before the line that counts (test/closing-line.ts); CI may have begun earlier.
process.env.TESTS_STARTED_MS ??= String(Date.now())
const words = process.argv.slice(2)

if (!isBuilt()) await perform('npm run --silent build')
// Of a part, its tests are what somebody waits for.
if (words.every((word) => word.startsWith('-')))
  await perform('npm run --silent lint', 'npx tsc -p test', 'npx tsc -p src/view/page')
process.exit(await start('npx', ['vitest', 'run', ...words]))

/** Whether the last build, by compiler and bundler, is younger than all that it is made of. */
function isBuilt() {
  const made = ['dist/index.d.ts', 'dist/built'].map(timeOf)
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).map((path) =>
    join('src', path),
  )
  const all = [
    'src',
    ...sources,
    'bin/build.mjs',
    'node_modules/h5wasm/package.json',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
  ]
  return Math.min(...made) > Math.max(...all.map(timeOf))
}

function timeOf(path) {
  return statSync(join(ROOT, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** At the same time; what fails ends everything. */
async function perform(...commands) {
  const statuses = await Promise.all(commands.map((command) => start(...split(command))))
  const failed = statuses.find((status) => status !== 0)
  if (failed !== undefined) process.exit(failed)
}

function split(command) {
  const [program, ...args] = command.split(' ')
  return [program, args]
}

function start(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit', shell: process.platform === 'win32' })
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}
