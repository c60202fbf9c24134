/** Threads perform ranges of short runs. What is promised of a run holds within a range, too. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Environment, type ExperimentEvent, loadTrajectory, MemoryStorage, run } from '../../dist/index.js'
import { RANGE_RUNS_MAX, SharedRange } from '../../src/executors/shared-range.ts'
import { keepEvents, stoppedAfter } from '../environment/experiments.ts'
import { fileTree } from '../experiment/file-tree.ts'

const COUNT = 900

/** A job of runs that take microseconds, apart from the few that `body` is about. */
function folderOf(body: string, count = COUNT) {
  const folder = fileTree({
    'job.mjs': `
import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
import { defineExperiment } from 'pypet-ts'
const here = (name) => new URL(name, import.meta.url)
export default defineExperiment({
  name: 'ranges',
  parameters: { x: 0 },
  explore: { x: Array.from({ length: ${count} }, (_, n) => n) },
  run(traj) {
    const { x } = traj.par
    ${body}
    traj.addResult('z', 2 * x)
  },
})`,
  })
  const options = {
    filename: join(folder, 'file.h5'),
    logFolder: join(folder, 'logs'),
    executor: 'pool' as const,
    ncores: 2,
  }
  return { folder, job: join(folder, 'job.mjs'), options }
}

function logged(events: readonly ExperimentEvent[], level: string): string[] {
  return events.flatMap((event) => (event.type === 'log' && event.level === level ? [event.message] : []))
}

async function valuesIn(file: string): Promise<Record<number, number>> {
  using traj = await loadTrajectory(file)
  return Object.fromEntries(
    Object.entries(traj.getFromRuns('z') as Record<string, number>).map(([name, value]) => [
      Number(name.replace(/\D/g, '')),
      value,
    ]),
  )
}

function doubled(without: readonly number[] = [], count = COUNT): Record<number, number> {
  const runs = Array.from({ length: count }, (_, index) => index).filter((index) => !without.includes(index))
  return Object.fromEntries(runs.map((index) => [index, 2 * index]))
}

describe('runs in a range', () => {
  test('that kill their thread fail alone: the others are performed once, and stored', async () => {
    const { folder, job, options } = folderOf(`
      appendFileSync(here('performed'), x + '\\n')
      if (x === 412 || x === 413 || x === 780) process.reallyExit(3)`)
    const { events, ...reporter } = keepEvents()
    const summary = await run(job, { options, reporter })
    expect(summary).toMatchObject({ storedCount: COUNT - 3, failedCount: 3, strayErrorCount: 0 })
    const failed = events.flatMap((event) => (event.type === 'run-failed' ? [event.run] : []))
    expect(failed.sort((a, b) => a - b)).toEqual([412, 413, 780])
    expect(await valuesIn(options.filename)).toEqual(doubled([412, 413, 780]))
    const performed = readFileSync(join(folder, 'performed'), 'utf8').trim().split('\n').map(Number)
    expect(performed.sort((a, b) => a - b)).toEqual(Array.from({ length: COUNT }, (_, index) => index))
  })

  test('that fail leave the others as they are, and are retried alone', async () => {
    const { folder, job, options } = folderOf(`
      const mark = here('seen-' + x)
      if (x % 150 === 149 && !existsSync(mark)) {
        writeFileSync(mark, '')
        throw new Error('once')
      }
      if (x % 210 === 209) throw new Error('always')`)
    const { events, ...reporter } = keepEvents()
    const summary = await run(job, { options: { ...options, retries: 1 }, reporter })
    const always = [209, 419, 629, 839]
    expect(summary).toMatchObject({ storedCount: COUNT - always.length, failedCount: always.length })
    expect(await valuesIn(options.filename)).toEqual(doubled(always))
    const retried = events.flatMap((event) => (event.type === 'run-retried' ? [event.run] : []))
    expect(retried.sort((a, b) => a - b)).toEqual([149, 209, 299, 419, 449, 599, 629, 749, 839, 899])
    expect(existsSync(join(folder, 'seen-899'))).toBe(true)
  })

  test.each([
    ['the queue', undefined],
    ['a storage service', new MemoryStorage()],
  ])('that take long hold back none of those before them, in %s', async (_, storageService) => {
    // Run 600 ends only when every run before it is announced, whichever thread performed it.
    const { folder, job, options } = folderOf(`if (x === 600) while (!existsSync(here('announced')));`)
    const left = new Set(Array.from({ length: 600 }, (_unused, index) => index))
    const reporter = keepEvents((event) => {
      if (event.type !== 'runs-stored') return
      for (const index of event.runs) left.delete(index)
      if (left.size === 0) writeFileSync(join(folder, 'announced'), '')
    })
    const storage = storageService === undefined ? {} : { storageService }
    const summary = await run(job, { options: { ...options, ncores: 1 }, reporter, ...storage })
    expect(summary).toMatchObject({ storedCount: COUNT })
  })

  test('that replace the timers of their thread do not stop it', async () => {
    const { job, options } = folderOf(`
      if (x === 0) {
        globalThis.setImmediate = () => undefined
        globalThis.setTimeout = () => undefined
        performance.now = () => Number.NaN
      }`)
    expect(await run(job, { options: { ...options, ncores: 1 } })).toMatchObject({ storedCount: COUNT })
  })

  test('that take long leave all that comes behind them to the other threads', async () => {
    // Run 300 ends only when every other run is announced.
    const { folder, job, options } = folderOf(`if (x === 300) while (!existsSync(here('announced')));`)
    let storedCount = 0
    const reporter = keepEvents((event) => {
      if (event.type !== 'runs-stored') return
      storedCount += event.runs.length
      if (storedCount === COUNT - 1) writeFileSync(join(folder, 'announced'), '')
    })
    expect(await run(job, { options, reporter })).toMatchObject({ storedCount: COUNT })
  })

  test('stop between two when the experiment is stopped, and continue completes it', async () => {
    const { folder, job, options } = folderOf('', 20_000)
    const { reporter, signal } = stoppedAfter(1)
    const summary = await run(job, { options, reporter, signal })
    expect(summary).toMatchObject({ stoppedBy: 'signal', failedCount: 0 })
    expect(summary.storedCount).toBeGreaterThan(0)
    expect(summary.leftCount).toBeGreaterThan(0)
    expect(summary.storedCount + summary.leftCount).toBe(20_000)
    const stored = Object.keys(await valuesIn(options.filename)).length
    expect(stored).toBe(summary.storedCount)
    expect(existsSync(join(folder, 'ranges.cnt'))).toBe(true)
  })

  test('that wait for their thread do not start when the experiment is stopped', async () => {
    // Runs that return a value go one by one, so the next one is queued while run 300 waits for the stop.
    const { folder, job, options } = folderOf(`
      appendFileSync(here('performed'), '.')
      if (x === 300) {
        writeFileSync(here('waits'), '')
        while (!existsSync(here('stopped')));
      }
      return x`)
    const stop = new AbortController()
    const running = run(job, { options: { ...options, ncores: 1 }, collect: true, signal: stop.signal })
    while (!existsSync(join(folder, 'waits'))) await new Promise((resolve) => setImmediate(resolve))
    stop.abort()
    writeFileSync(join(folder, 'stopped'), '')
    expect(await running).toMatchObject({ storedCount: 301, stoppedBy: 'signal' })
    expect(readFileSync(join(folder, 'performed'), 'utf8')).toHaveLength(301)
  })

  test('stop between two after too many failures', async () => {
    const { folder, job, options } = folderOf(`
      appendFileSync(here('performed'), '.')
      if (x === 450) throw new Error('too many')`)
    const summary = await run(job, { options: { ...options, onError: 'stop', ncores: 1 } })
    expect(summary).toMatchObject({ stoppedBy: 'failures', failedCount: 1 })
    expect(summary.leftCount).toBeGreaterThan(0)
    expect(readFileSync(join(folder, 'performed'), 'utf8')).toHaveLength(summary.storedCount + 1)
  })

  test('have errors of their own after their end, which fail no other run', async () => {
    const { job, options } = folderOf(`
      if (x === 300) void Promise.reject(new Error('late'))
      if (x === 600) setImmediate(() => { throw new Error('later') })
      if (x === 750) setImmediate(() => process.reallyExit(3))`)
    const { events, ...reporter } = keepEvents()
    const summary = await run(job, { options, reporter })
    expect(summary).toMatchObject({ storedCount: COUNT, failedCount: 0, strayErrorCount: 2 })
    expect(logged(events, 'error').join('\n')).toMatch(
      /(?=.*Error: late\b)(?=.*Error: later)(?=.*a worker thread ended)/s,
    )
    expect(await valuesIn(options.filename)).toEqual(doubled())
  })

  test('wait for the storage when queueMaxsize says so', async () => {
    const { job, options } = folderOf('')
    expect(await run(job, { options: { ...options, queueMaxsize: 300 } })).toMatchObject({
      storedCount: COUNT,
    })
    expect(await valuesIn(options.filename)).toEqual(doubled())
  })
})

describe('what runs of a range get', () => {
  test('is their own point and their own arguments, and what they return is theirs', async () => {
    const { folder, options } = folderOf('')
    const module = join(folder, 'own.mjs')
    writeFileSync(
      module,
      `export default function run(traj, first, second) {
        traj.addResult('z', [traj.par.x, first, second])
        // Every third returns something.
        return traj.idx % 3 === 0 ? traj.par.x + first : undefined
      }`,
    )
    const env = new Environment({ ...options, trajectory: 'own' })
    env.trajectory.addParameter('x', 0)
    env.trajectory.explore({ x: Array.from({ length: 500 }, (_, index) => 1000 + index) })
    const indices = Array.from({ length: 500 }, (_, index) => index)
    const returned = await env.runMap(
      module,
      indices.map((index) => 2 * index),
      indices.map((index) => 3 * index),
    )
    await env[Symbol.asyncDispose]()
    expect(returned).toEqual(indices.map((index) => [index, index % 3 === 0 ? 1000 + 3 * index : undefined]))
    using traj = await loadTrajectory(options.filename)
    const values = Object.values(traj.getFromRuns('z') as Record<string, readonly number[]>)
    expect(values.map((each) => [...each])).toEqual(
      indices.map((index) => [1000 + index, 2 * index, 3 * index]),
    )
  })

  test('is the point of a run that was added meanwhile', async () => {
    const folder = fileTree({
      'job.mjs': `
import { defineExperiment } from 'pypet-ts'
let rounds = 0
export default defineExperiment({
  name: 'grown',
  parameters: { x: 0 },
  explore: { x: [0, 1, 2] },
  run(traj) { traj.addResult('z', 2 * traj.par.x) },
  postprocess: () => (rounds++ === 0 ? Array.from({ length: 300 }, (_, n) => ({ x: 3 + n })) : undefined),
})`,
    })
    const filename = join(folder, 'file.h5')
    const options = { filename, logFolder: join(folder, 'logs'), executor: 'pool' as const, ncores: 2 }
    expect(await run(join(folder, 'job.mjs'), { options })).toMatchObject({ storedCount: 303 })
    expect(await valuesIn(filename)).toEqual(doubled([], 303))
  })
})

test('a shared range gives each run to one side, whoever asks first', () => {
  const range = SharedRange.of(5)
  const ofThread = new SharedRange(range.numbers)
  expect([ofThread.beginRun(), ofThread.beginRun()]).toEqual([0, 1])
  ofThread.noteHandedOver()
  expect(range.takeBack()).toEqual({ first: 2, count: 3 })
  expect(range.takeBack()).toEqual({ first: 2, count: 0 })
  expect(ofThread.beginRun()).toBeUndefined()
  expect(range.progress).toEqual({ begunCount: 2, handedOverCount: 1 })
  expect(SharedRange.of(RANGE_RUNS_MAX).takeBack()).toEqual({ first: 0, count: RANGE_RUNS_MAX })
})
