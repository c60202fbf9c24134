/**
 * What the wrap mode `lock` costs: the job of `../throughput`, 1,000 runs on 2 cores, by turns in both modes.
 * `npm run build` comes first; then `node experiments/storage-modes/benchmark.mjs`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../dist/index.js'

const ROUNDS = Number(process.argv[2] ?? 5)
const job = new URL('../throughput/job.ts', import.meta.url)
const seconds = { queue: [], lock: [] }
let waiting = ''

for (let round = 0; round < ROUNDS; round += 1) {
  for (const wrapMode of ['queue', 'lock']) {
    const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-modes-'))
    const startMs = performance.now()
    await run(job, {
      options: {
        wrapMode,
        ncores: 2,
        executor: 'pool',
        filename: join(folder, 'file.h5'),
        logFolder: folder,
      },
      reporter: {
        emit(event) {
          if (event.type === 'log' && event.message.includes('waiting for the lock')) waiting = event.message
        },
        async close() {},
      },
    })
    seconds[wrapMode].push((performance.now() - startMs) / 1000)
    rmSync(folder, { recursive: true, force: true })
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const ratio = median(seconds.lock) / median(seconds.queue)
process.stdout.write(`lock against queue, 1,000 runs, 2 cores: ${ratio.toFixed(2)} (goal: 3)\n${waiting}\n`)
