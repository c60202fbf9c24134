/**
 * What logs cost: runs of about a millisecond, each with one line at `info`, against the same runs without logs, and with
 * logs at `error`, where the line goes no further than its thread. `npm run build` comes first; then
 * `node experiments/logging/benchmark.mjs [runs] [rounds]`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../dist/index.js'

const RUNS = Number(process.argv[2] ?? 5000)
const ROUNDS = Number(process.argv[3] ?? 5)
const job = new URL('./job.ts', import.meta.url)

const VARIANTS = {
  info: { logLevel: 'info' },
  error: { logLevel: 'error' },
  off: { logging: false },
}
const PLACES = {
  'in the main thread': { executor: 'inline' },
  'on 2 threads': { executor: 'pool', ncores: 2 },
}

/** Seconds of the runs on the clock, and of all processors for this process and its threads. */
async function measure(options, runCount) {
  const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-logging-'))
  const before = process.cpuUsage()
  try {
    const { durationMs, storedCount } = await run(job, {
      options: { ...options, filename: join(folder, 'file.h5'), logFolder: join(folder, 'logs') },
      explore: [`x=0:${runCount}`],
    })
    if (storedCount !== runCount) throw new Error(`${storedCount} of ${runCount} runs are stored`)
    const { user, system } = process.cpuUsage(before)
    return { wall: durationMs / 1000, processor: (user + system) / 1e6 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const percent = (ratio) => `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`

for (const [place, options] of Object.entries(PLACES)) {
  const rounds = []
  await measure(options, Math.min(RUNS, 500))
  for (let round = 0; round < ROUNDS; round += 1) {
    const measured = {}
    // By turns, and each time in another order: what the machine does beside it hits all of them.
    const names = Object.keys(VARIANTS)
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(turn + round) % names.length]
      measured[name] = await measure({ ...options, ...VARIANTS[name] }, RUNS)
    }
    rounds.push(measured)
  }
  for (const other of ['off', 'error']) {
    const ratio = (of) => median(rounds.map((round) => round.info[of] / round[other][of]))
    const against = other === 'off' ? 'no logs' : 'the level error'
    process.stdout.write(
      `${place}, info against ${against}: time ${percent(ratio('wall'))}, processor ${percent(ratio('processor'))}\n`,
    )
  }
  const runMs = (median(rounds.map((round) => round.off.wall)) / RUNS) * 1000
  process.stdout.write(`  a run without logs: ${runMs.toFixed(2)} ms\n`)
}
