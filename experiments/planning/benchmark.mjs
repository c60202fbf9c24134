/**
 * What planning a million points costs, against the goals:
 *
 *     npm run build && node experiments/planning/benchmark.mjs
 *
 * Ends with exit code 1 when a goal with a bound is missed. Ratios are against the command with one point, which loads
 * the same job.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../bin/pypet-ts.js', import.meta.url))
const JOB = fileURLToPath(new URL('job.mjs', import.meta.url))
const COUNT = 1_000_000
const REPEATS = 3
const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-planning-'))
// The peak of the process itself, told as it ends.
const meter = join(folder, 'meter.mjs')
writeFileSync(
  meter,
  `import { writeFileSync } from 'node:fs'
   process.on('exit', () => writeFileSync(process.env.METER, String(process.resourceUsage().maxRSS)))`,
)
const BOUNDS = ['a=0:1', 'b=0:1', 'c=0.001:10:log', 'n=1:100', 'kind=x,y,z'].flatMap((text) => [
  '--explore',
  text,
])
const sobol = (count) => ['--sample', `sobol:${count}`, ...BOUNDS]

const rows = [
  ['Sobol, the first three', [...sobol(COUNT), '--limit', '3'], 2, 200],
  ['random, the first three', ['--sample', `random:${COUNT}`, ...BOUNDS, '--limit', '3'], 2, 200],
  ['Latin hypercube, the first three', ['--sample', `lhs:${COUNT}`, ...BOUNDS, '--limit', '3'], 2, 200],
  ['Sobol, all as CSV', [...sobol(COUNT), '--csv']],
  ['Sobol, filtered by an expression', [...sobol(COUNT), '--where', 'a < b && kind == "x"', '--limit', '3']],
  ['Sobol, with a derived value', [...sobol(COUNT), '--derive', 'sum = a + b', '--limit', '3']],
  ['Sobol, n where a condition holds', [...sobol(COUNT), '--only-if', 'n: a < 0.5', '--limit', '3']],
]

try {
  const reference = median(
    Array.from({ length: REPEATS }, () => measure([...sobol(1), '--limit', '3']).seconds),
  )
  let isMissed = false
  for (const [what, words, secondsMax, megabytesMax] of rows) {
    const measured = Array.from({ length: REPEATS }, () => measure(words))
    const seconds = median(measured.map((one) => one.seconds))
    const megabytes = median(measured.map((one) => one.megabytes))
    const isOver = seconds > secondsMax || megabytes > megabytesMax
    isMissed ||= isOver
    const goal =
      secondsMax === undefined ? '' : `  goal: ${secondsMax} s, ${megabytesMax} MB${isOver ? ', MISSED' : ''}`
    process.stdout.write(
      `${what.padEnd(34)} ${(seconds / reference).toFixed(2).padStart(6)} x one point  ${seconds.toFixed(2)} s  ${megabytes.toFixed(0)} MB${goal}\n`,
    )
  }
  process.exitCode = isMissed ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function measure(words) {
  const memory = join(folder, 'memory')
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'plan', JOB, ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: `--import=${meter}`, METER: memory },
  })
  const seconds = (performance.now() - start) / 1000
  if (status !== 0) throw new Error(String(stderr))
  return { seconds, megabytes: Number(readFileSync(memory, 'utf8')) / 1000 }
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
}
