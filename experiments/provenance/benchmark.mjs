/**
 * What collecting provenance costs: the time from the start of the command to the first stored result, in a git repository
 * of 1,000 files of which some have changed, by turns with and without `--no-provenance`.
 * `npm run build` comes first; then `node experiments/provenance/benchmark.mjs [rounds]`.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROUNDS = Number(process.argv[2] ?? 9)
const COMMAND = fileURLToPath(new URL('../../bin/pypet-ts.js', import.meta.url))
const JOB = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  parameters: { x: 0 },
  explore: { x: [0, 1, 2, 3] },
  run: (traj) => traj.addResult('z', traj.par.x),
})
`

const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-provenance-'))
try {
  makeRepository()
  const times = { with: [], without: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    times.without.push(await firstResultMs(['--no-provenance']))
    times.with.push(await firstResultMs([]))
  }
  const ratio = median(times.with) / median(times.without)
  process.stdout.write(
    `time to the first result, with provenance against without: ${ratio.toFixed(2)} (goal: 1.1)\n`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function makeRepository() {
  const git = (...args) =>
    execFileSync('git', ['-c', 'user.name=me', '-c', 'user.email=me@example.org', ...args], { cwd: folder })
  git('init', '--quiet')
  for (let index = 0; index < 1000; index += 1) {
    const place = join(folder, `part${index % 20}`)
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, `file${index}.txt`), `${index}\n`.repeat(200))
  }
  writeFileSync(join(folder, 'job.mjs'), JOB)
  writeFileSync(join(folder, '.gitignore'), 'results\n')
  git('add', '.')
  git('commit', '--quiet', '--message', 'all')
  for (let index = 0; index < 5; index += 1)
    appendFileSync(join(folder, `part${index}/file${index}.txt`), 'more\n')
}

/** Milliseconds from the start of the command to the announcement of the first stored run. */
async function firstResultMs(flags) {
  const results = join(folder, 'results')
  const words = ['run', 'job.mjs', '--json', '--ncores', '2', '--file', join(results, 'file.h5')]
  const startMs = performance.now()
  const child = spawn(
    process.execPath,
    [COMMAND, ...words, '--log-folder', join(results, 'logs'), ...flags],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(child, 'close')
  let printed = ''
  let firstMs
  for await (const chunk of child.stdout) {
    printed += chunk
    if (firstMs === undefined && printed.includes('"runs-stored"')) firstMs = performance.now() - startMs
  }
  await ended
  if (firstMs === undefined) throw new Error(`no run was stored: ${printed}`)
  rmSync(results, { recursive: true, force: true })
  return firstMs
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}
