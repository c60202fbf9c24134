/** What the command says of runs that post-processing adds, and of a promise that never comes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { pypet } from './pypet.ts'

const JOB = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'grows',
  parameters: { x: 0 },
  explore: { x: [0, 1] },
  run(traj) {
    traj.addResult('z', traj.par.x)
    return traj.par.x
  },
  postprocess: (traj, results) => (results.length < 7 ? [{ x: results.length }] : undefined),
})`

test('added runs are told: as events each time, on a pipe whenever their number has doubled, in the log', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const { stdout } = await pypet(folder, ['run', 'job.mjs', '--json'])
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === 'runs-added')
  expect(events.map(({ added_count, run_count }) => [added_count, run_count])).toEqual(
    [3, 4, 5, 6, 7].map((count) => [1, count]),
  )
  const lines = await pypet(folder, ['run', 'job.mjs', '--file', 'other.h5', '--name', 'lines'])
  expect(lines.stdout.split('\n').filter((line) => line.includes('added'))).toEqual([
    '1 run added, 3 in all',
    '1 run added, 6 in all',
  ])
  const log = readFileSync(join(folder, 'logs/lines/main.txt'), 'utf8')
  expect(log.match(/INFO {2}\d+ run added/g)).toHaveLength(5)
  expect(log).not.toContain('worker')
})

test('a service whose open never resolves ends the command with an error', async () => {
  const service = `export default { open: () => new Promise(() => undefined), failRun() {}, close() {} }
export const openWorker = () => ({ storeRun() {} })`
  const folder = fileTree({ 'job.mjs': JOB, 'service.mjs': service })
  const { exitCode, stderr } = await pypet(folder, ['run', 'job.mjs', '--storage-service', 'service.mjs'])
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('something that was awaited never comes')])
})
