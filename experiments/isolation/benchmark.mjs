/**
 * What a process of its own costs a run, as ratios to the smallest process of Node.js there is: bare seconds would say
 * more about the machine than about the program.
 *
 *     npm run build && node experiments/isolation/benchmark.mjs [repeats]
 *
 * Both take turns, and the medians are compared.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../bin/pypet-ts.js', import.meta.url))
const JOB = fileURLToPath(new URL('job.ts', import.meta.url))
const RUN_COUNT = 40
const NODES = 10
const repeats = Number(process.argv[2] ?? 5)
const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-benchmark-'))

try {
  process.stdout.write(`${cpus().length} cores, Node.js ${process.versions.node}\n`)
  for (const ncores of [1, 2]) {
    const runs = []
    const nodes = []
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      runs.push((durationMs(ncores) * ncores) / RUN_COUNT)
      nodes.push(nodeMs())
    }
    const ratio = (median(runs) / median(nodes)).toFixed(2)
    process.stdout.write(`ncores ${ncores}: a run takes its worker ${ratio} x node -e 0 (goal: at most 2)\n`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** From the first run to the last one stored. */
function durationMs(ncores) {
  const flags = ['--isolate', '--json', '--ncores', String(ncores), '--overwrite']
  const text = execFileSync(process.execPath, [CLI, 'run', JOB, ...flags], { cwd: folder, encoding: 'utf8' })
  return JSON.parse(text.trim().split('\n').at(-1)).duration_ms
}

function nodeMs() {
  const startMs = performance.now()
  for (let node = 0; node < NODES; node += 1) spawnSync(process.execPath, ['-e', '0'])
  return (performance.now() - startMs) / NODES
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}
