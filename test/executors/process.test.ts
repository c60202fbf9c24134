/** What only a process of its own gives a run: what it does to itself, it does to nobody else. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../../dist/index.js'
import { fileTree } from '../experiment/file-tree.ts'
import { valuesIn } from './file-content.ts'
import { failureOf, makeTestFolder, type Performed, perform, type TestFolder } from './performed.ts'

const PROCESSES = { executor: 'process', ncores: 2 } as const

let folder: TestFolder
beforeAll(() => {
  folder = makeTestFolder()
})
afterAll(() => folder.remove())

describe.skipIf(process.platform === 'win32')('a process that dies', () => {
  let told: Performed
  beforeAll(async () => {
    told = await perform('dies', PROCESSES, folder)
  })

  test.each([
    [1, 'was killed by SIGSEGV', /Native code in the job crashed/],
    [2, 'was killed by SIGKILL', /memory ran out \(check dmesg\)/],
    [3, 'was killed by SIGABRT', /aborted. Its last output is in the log/],
  ])('run %i fails and says why: %s', (run, how, hint) => {
    expect(failureOf(told, run)).toMatchObject({
      code: 'PYPET_EXECUTOR_FAILED',
      message: `the run's process ${how}`,
      hint: expect.stringMatching(hint),
      stack: '',
    })
  })

  test('takes no other along, and each run has a process of its own', async () => {
    expect(told).toMatchObject({ error: undefined, exitCode: 0, leftovers: [], printed: '' })
    expect([...told.stored].sort()).toEqual([0, 4])
    const values = await valuesIn(told.file, 'results/runs')
    for (const run of [0, 4]) expect(values.get(`run_0000000${run}/count/count`)).toEqual([1])
  })

  test('leaves its last words, under the number of its worker', () => {
    for (const [run, signal] of [
      [1, 'SIGSEGV'],
      [2, 'SIGKILL'],
    ] as const) {
      const lines = told.lines.filter((line) => line.run === run)
      expect(lines.map(({ message }) => message)).toEqual([`last words before ${signal}`])
      expect([1, 2]).toContain(lines[0]?.worker)
    }
  })
})

test('a run that exhausts its heap fails with the reason, the others go on', async () => {
  const told = await perform(
    'exhausts-heap',
    { ...PROCESSES, nodeOptions: '--max-old-space-size=64' },
    folder,
  )
  expect(failureOf(told, 1)).toMatchObject({
    code: 'PYPET_EXECUTOR_FAILED',
    message: expect.stringMatching(/^the run's process .*: JavaScript heap out of memory$/),
    hint: expect.stringMatching(/--max-old-space-size/),
  })
  expect([...told.stored].sort()).toEqual([0, 2, 3])
})

describe.skipIf(process.platform === 'win32')('--memory-limit', () => {
  test('ends a run that takes more, typed arrays included, and says how much it took', async () => {
    const told = await perform('hoards', { ...PROCESSES, memoryLimit: 250 }, folder)
    const { code, message, hint } = failureOf(told, 1)
    expect({ code, hint }).toEqual({
      code: 'PYPET_MEMORY_LIMIT',
      hint: expect.stringMatching(/^Raise --memory-limit/),
    })
    const [, took] =
      /^run_00000001 took (\d+) MB, above the limit of 250 MB \(--memory-limit\)$/.exec(message) ?? []
    expect(Number(took)).toBeGreaterThan(250)
    expect([...told.stored].sort()).toEqual([0, 2])
  })

  test('that no process can keep is told once, and no run is said to fail', async () => {
    const told = await perform('knows-this', { ...PROCESSES, memoryLimit: 10 }, folder)
    expect(told.error).toMatchObject({
      code: 'PYPET_EXECUTOR_FAILED',
      hint: expect.stringMatching(/./),
    })
    expect(told.outcomes).toEqual([])
  })
})

test('a job that does not load in processes is told once, with the line, and no run is said to fail', async () => {
  const told = await perform('not-in-processes', PROCESSES, folder)
  expect(told.error).toMatchObject({
    code: 'PYPET_JOB_NOT_LOADABLE',
    message: expect.stringMatching(
      /not-in-processes\.ts:4:\d+: it threw TypeError: this needs the main process/,
    ),
  })
  expect(told.outcomes).toEqual([])
})

test('processes that die at once with each job end the experiment', async () => {
  const told = await perform('kills-processes', PROCESSES, folder)
  expect(told.error).toMatchObject({
    code: 'PYPET_EXECUTOR_FAILED',
    message: expect.stringMatching(/^a worker process ended while starting/),
  })
  expect(told.outcomes).toEqual([])
})

describe.runIf(process.platform === 'linux')('--niceness', () => {
  test.each([{ executor: 'pool', ncores: 1 } as const, PROCESSES])(
    'is that of every worker, and main keeps its own: $executor',
    async (options) => {
      const told = await perform('tells-priority', { ...options, niceness: 7 }, folder)
      const values = await valuesIn(told.file, 'results/runs')
      const [own, main, highest] = ['own', 'main', 'highest'].map(
        (name) => values.get(`run_00000000/${name}/${name}`)?.[0],
      )
      expect({ own, highest }).toEqual({ own: 7, highest: 7 })
      expect(main).toBeLessThan(7)
      expect(told.lines).toEqual([])
    },
  )

  test.skipIf(process.getuid?.() === 0)('that is not allowed is one warning, and no failure', async () => {
    const told = await perform('computes', { ...PROCESSES, niceness: -5 }, folder)
    expect(told.stored.length).toBe(20)
    expect(told.lines.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'warn: workers keep their current priority: the system refused niceness -5 (EACCES)',
    ])
  })
})

test.skipIf(process.platform === 'win32')(
  'processes that are killed together, before they begin with a run, are one misfortune and no reason to give up',
  async () => {
    // The job is loaded here first. The third to fifth process wait for each other, and die. Run 1 keeps its process until another one was started.
    const job = fileTree({
      'job.mjs': `
import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'
const starts = new URL('starts', import.meta.url)
const count = () => readFileSync(starts, 'utf8').length
appendFileSync(starts, '.')
const number = count()
if (number >= 4 && number <= 6) {
  while (count() < 6) await delay(5)
  process.kill(process.pid, 'SIGKILL')
}
export default defineExperiment({
  parameters: { x: 0 },
  explore: { x: [0, 1, 2, 3, 4, 5, 6, 7] },
  async run(traj) {
    while (traj.par.x === 1 && count() < 7) await delay(5)
    traj.addResult('z', traj.par.x)
  },
})`,
    })
    const options = { ...PROCESSES, filename: join(job, 'f.h5'), logging: false, provenance: false }
    const summary = await run(join(job, 'job.mjs'), { options })
    expect(summary).toMatchObject({ runCount: 8, storedCount: 8 })
  },
)
