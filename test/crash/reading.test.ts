/** Our own readers while an experiment runs: snapshots and the reader of `overview`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { takeSnapshot } from '../../src/journal/snapshot.ts'
import { readHdf5 } from '../../src/reading/read-hdf5.ts'
import { readRunStates } from '../../src/results/run-states.ts'
import { start } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { Hdf5Content } from '../storage/hdf5-content.ts'
import { isLongForm } from './long-form.ts'

const READS = isLongForm ? 500 : 20
const RUN_COUNT = isLongForm ? 200_000 : 20_000
/** The last runs wait until the file is read, however fast the others are. */
const LAST = 100

const JOB = `import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'reading',
  parameters: { x: 0 },
  explore: { x: Array.from({ length: ${RUN_COUNT} }, (_, n) => n) },
  async run(traj) {
    await delay(1)
    if (traj.par.x >= ${RUN_COUNT - LAST}) while (!existsSync(new URL('read', import.meta.url))) await delay(5)
    traj.addResult('z', traj.par.x ** 2)
  },
})
`

/** The experiment under way, and how many runs it has announced. */
async function underWay() {
  const folder = fileTree({ 'job.ts': JOB })
  const running = start(folder, ['run', 'job.ts', '--ncores', '2', '--file', 'reading.h5', '--json'])
  await running.until(({ stdout }) => stdout.includes('"runs-stored"'))
  const announced = () => Number(/.*"stored_count":(\d+)/s.exec(running.stdout)?.[1] ?? 0)
  return { folder, file: join(folder, 'reading.h5'), running, announced }
}

async function stop({ folder, running }: Awaited<ReturnType<typeof underWay>>): Promise<void> {
  running.process.kill('SIGINT')
  await running.until(({ stderr }) => stderr.includes('Ctrl-C again'))
  writeFileSync(join(folder, 'read'), '')
  expect((await running.ended()).exitCode).toBe(130)
}

/** The runs in a file, whose last one has the value that it must have. */
async function completeRuns(file: string): Promise<readonly string[]> {
  using content = await Hdf5Content.open(file)
  const runs = content.names('/reading/results/runs')
  const last = runs.at(-1) as string
  expect(content.dataset(`/reading/results/runs/${last}/z/z`).value).toBe(Number(last.slice(4)) ** 2)
  return runs
}

describe.skipIf(process.platform === 'win32')('while an experiment runs', () => {
  test('every snapshot is complete, holds what was announced before it, and never less than the one before', async () => {
    const experiment = await underWay()
    const { folder, file, announced } = experiment
    const copy = join(folder, 'copy.h5')
    const counts: number[] = []
    for (let read = 0; read < READS; read += 1) {
      const before = announced()
      takeSnapshot(file, copy, { overwrite: true })
      const runs = await completeRuns(copy)
      expect(runs.length).toBeGreaterThanOrEqual(before)
      counts.push(runs.length)
      // Announcements come in when the event loop turns.
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(counts.at(-1)).toBeGreaterThan(counts[0] as number)
    await stop(experiment)
  })

  test('the reader of overview sees one commit at a time, and never less than before', async () => {
    const experiment = await underWay()
    const { file, announced } = experiment
    const counts: number[] = []
    for (let read = 0; read < READS; read += 1) {
      const before = announced()
      const done = await readHdf5(file, (reader) => readRunStates(reader, '/reading').done)
      expect(done).toBeGreaterThanOrEqual(before)
      counts.push(done)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(counts.at(-1)).toBeGreaterThan(counts[0] as number)
    await stop(experiment)
  })
})
