/** Post-processing: called after the runs, may add results and points, is called again, and survives interruptions. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  continueRun,
  Environment,
  type JobResults,
  loadTrajectory,
  MemoryStorage,
  type PostprocessCallback,
  type Run,
  run,
  type Trajectory,
} from '../../dist/index.js'
import { pypet, start } from '../cli/pypet.ts'
import { contentOf } from '../crash/file-content.ts'
import { keepEvents } from '../environment/experiments.ts'
import { fileTree } from '../experiment/file-tree.ts'

/** Doubles the largest x until it is above 100, three points at a time. */
const DOUBLING = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'doubling',
  parameters: { x: 1, label: 'a' },
  explore: { x: [1, 2, 3], label: ['a', 'b', 'c'] },
  run(traj) {
    const { x } = traj.par
    traj.addResult('z', x * x)
    return x
  },
  postprocess(traj, results) {
    const largest = Math.max(...results.map(([, x]) => x))
    traj.addResult('rounds.after' + results.length, { largest, stored: traj.getFromRuns('z') ? traj.length : -1 })
    if (largest > 100) return
    return [0, 1, 2].map((more) => ({ x: 2 * largest + more, label: 'label ' + more }))
  },
})
`
const XS = [1, 2, 3, 6, 7, 8, 16, 17, 18, 36, 37, 38, 76, 77, 78, 156, 157, 158]

function folderWith(job: string) {
  const folder = fileTree({ 'job.mjs': job })
  return {
    folder,
    job: join(folder, 'job.mjs'),
    options: { filename: join(folder, 'file.h5'), logFolder: join(folder, 'logs') },
  }
}

describe.each([
  ['inline', { executor: 'inline' }],
  ['on two threads', { ncores: 2 }],
  ['on two threads, as soon as no runs are waiting', { ncores: 2, immediatePostprocessing: true }],
] as const)('post-processing %s', (name, workers) => {
  test('adds points until it has enough, and what it adds is in the file', async () => {
    const { job, options } = folderWith(DOUBLING)
    const { events, ...reporter } = keepEvents()
    const call = { options: { ...options, ...workers }, reporter, collect: true }
    const { returned, ...summary } = await run(job, call)
    using traj = await loadTrajectory(options.filename)
    const values = returned?.map(({ value }) => value as number) ?? []
    if (!name.includes('as soon as')) expect(values).toEqual(XS)
    expect(Math.max(...values)).toBeGreaterThan(100)
    expect(traj.length).toBe(values.length)
    expect(traj.getParameter('x').getRange()).toEqual(values)
    expect(Object.values(traj.getFromRuns('z'))).toEqual(values.map((x) => x * x))
    expect(traj.isCompleted()).toBe(true)
    expect(traj.get(`results.rounds.after${values.length}`).fullName).toContain('rounds')
    expect(summary).toMatchObject({ runCount: values.length, storedCount: values.length, leftCount: 0 })
    expect(summary.cntFile).toBeUndefined()
    const added = events.flatMap((event) => (event.type === 'runs-added' ? [event.addedCount] : []))
    expect(added.reduce((sum, count) => sum + count, 3)).toBe(values.length)
  })
})

describe('a search that is interrupted', () => {
  test.each([1, 3, 8, 13])(
    'after %i runs continues with the same points, to the same file',
    async (stopAfter) => {
      const unbroken = folderWith(DOUBLING)
      await run(unbroken.job, { options: unbroken.options })
      const { folder, job, options } = folderWith(DOUBLING)
      const stop = new AbortController()
      let storedCount = 0
      const reporter = keepEvents((event) => {
        if (event.type === 'runs-stored') storedCount += event.runs.length
        if (storedCount >= stopAfter) stop.abort()
      })
      const first = await run(job, {
        options,
        reporter,
        signal: stop.signal,
      })
      expect(first.cntFile).toBe(join(folder, 'doubling.cnt'))
      const second = await continueRun(first.cntFile as string, { collect: true })
      expect(second.returned?.map(({ value }) => value)).toEqual(XS)
      expect(existsSync(join(folder, 'doubling.cnt'))).toBe(false)
      expect(await withoutEnvironment(options.filename)).toEqual(
        await withoutEnvironment(unbroken.options.filename),
      )
    },
  )

  test('by kill -9 of everything goes on with the same points', async () => {
    const unbroken = folderWith(DOUBLING)
    await run(unbroken.job, { options: unbroken.options })
    const waiting = `import { existsSync } from 'node:fs'
${DOUBLING.replace(
  '  run(traj) {',
  `  async run(traj) {
    while (traj.par.x === 37 && !existsSync('go')) await new Promise((done) => setTimeout(done, 5))`,
)}`
    const { folder, options } = folderWith(waiting)
    const started = start(folder, ['run', 'job.mjs', '--file', 'file.h5', '--json'])
    await started.until(({ stdout }) => stdout.includes('"stored_count":10'))
    process.kill(-(started.process.pid as number), 'SIGKILL')
    await started.ended()
    writeFileSync(join(folder, 'go'), '')
    const { exitCode } = await pypet(folder, ['continue', 'doubling.cnt', '--quiet'])
    expect(exitCode).toBe(0)
    expect(await withoutEnvironment(options.filename)).toEqual(
      await withoutEnvironment(unbroken.options.filename),
    )
  })
})

describe.each(['queue', 'lock', 'none'] as const)('in the wrap mode %s', (wrapMode) => {
  test('a search is the same, whole and interrupted', async () => {
    const unbroken = folderWith(DOUBLING)
    await run(unbroken.job, { options: unbroken.options })
    const expected = inAnyOrder(await withoutEnvironment(unbroken.options.filename))
    for (const stopAfter of [Number.POSITIVE_INFINITY, 8]) {
      const { job, options } = folderWith(
        DOUBLING.replace("traj.getFromRuns('z') ? traj.length : -1", 'traj.length'),
      )
      const memory = wrapMode === 'none' ? new MemoryStorage() : undefined
      const call = {
        options: { ...options, ncores: 2, ...(memory === undefined && { wrapMode }) },
        ...(memory !== undefined && { storageService: memory }),
      }
      const stop = new AbortController()
      let storedCount = 0
      const reporter = keepEvents((event) => {
        if (event.type === 'runs-stored') storedCount += event.runs.length
        if (storedCount >= stopAfter) stop.abort()
      })
      const first = await run(job, { ...call, reporter, signal: stop.signal, collect: true })
      const last =
        first.cntFile === undefined
          ? first
          : await continueRun(first.cntFile, {
              collect: true,
              ...(memory !== undefined && { storageService: memory }),
            })
      expect(last.returned?.map(({ value }) => value)).toEqual(XS)
      await memory?.writeHdf5(options.filename)
      expect(inAnyOrder(await withoutEnvironment(options.filename))).toEqual(expected)
    }
  })

  test('a pipeline, runMap and post-processing of a script are the same', async () => {
    const folder = fileTree({})
    const memory = wrapMode === 'none' ? new MemoryStorage() : undefined
    const filename = join(folder, 'file.h5')
    await using env = new Environment({
      trajectory: 'script',
      filename,
      logFolder: join(folder, 'logs'),
      ...(memory === undefined ? { wrapMode } : { storageService: memory }),
    })
    const job = (traj: Run, factor: number) => {
      const z = (traj.par as { x: number }).x * factor
      traj.addResult('z', z)
      return z
    }
    const results = await env.pipeline((traj) => {
      traj.addParameter('x', 1)
      traj.explore({ x: [1, 2, 3] })
      return {
        job,
        args: [10],
        postprocess: (_later: Trajectory, found: JobResults, most: number) =>
          found.length < most ? [{ x: found.length * 10 }] : undefined,
        postprocessArgs: [5],
      }
    })
    expect(results).toEqual([
      [0, 10],
      [1, 20],
      [2, 30],
      [3, 300],
      [4, 400],
    ])
    await memory?.writeHdf5(filename)
    using traj = await loadTrajectory(filename)
    expect(Object.values(traj.getFromRuns('z'))).toEqual([10, 20, 30, 300, 400])
  })
})

describe.each(['queue', 'lock', 'none'] as const)(
  'a search that has ended, in the wrap mode %s',
  (wrapMode) => {
    const SEEN = `import { appendFileSync, existsSync } from 'node:fs'
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'seen',
  parameters: { x: 1 },
  explore: { x: [1, 2, 3] },
  run(traj) {
    if (traj.par.x === 2 && !existsSync(new URL('mended', import.meta.url))) throw new Error('not yet')
    traj.addResult('z', traj.par.x)
  },
  postprocess(_traj, results) {
    appendFileSync(new URL('calls', import.meta.url), results.length + '\\n')
  },
})
`
    const PROVENANCE = /^config\.environment\.\w+\.provenance\.argv$/

    test('is not looked at again, unless failed runs are performed again; its provenance is told once', async () => {
      const { folder, job, options } = folderWith(SEEN)
      const told: string[] = []
      class Listening extends MemoryStorage {
        override extend(extension: Parameters<MemoryStorage['extend']>[0]): void {
          told.push(...extension.leaves.map(({ location }) => location))
          super.extend(extension)
        }
      }
      const service = wrapMode === 'none' ? { storageService: new Listening() } : {}
      const modes = wrapMode === 'none' ? {} : { wrapMode }
      const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n')
      const first = await run(job, { options: { ...options, ...modes, keepCnt: true }, ...service })
      const cntFile = first.cntFile as string
      expect(calls()).toEqual(['2'])
      for (let session = 0; session < 2; session += 1) {
        expect((await continueRun(cntFile, { ...service })).cntFile).toBe(cntFile)
        expect(calls()).toEqual(['2'])
      }
      writeFileSync(join(folder, 'mended'), '')
      await continueRun(cntFile, { retryFailed: true, ...service })
      expect(calls()).toEqual(['2', '3'])
      await continueRun(cntFile, { ...service })
      expect(calls()).toEqual(['2', '3'])
      if (wrapMode === 'none') expect(told.filter((location) => PROVENANCE.test(location))).toHaveLength(1)
    })
  },
)

/** The overview of results has its rows in the order in which the runs of two cores arrived. */
function inAnyOrder(content: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(content).filter(([path]) => !path.endsWith('/results_overview')))
}

/** The job differs in a line, the environment in its name. */
async function withoutEnvironment(file: string): Promise<Readonly<Record<string, string>>> {
  const content = await contentOf(file)
  return Object.fromEntries(
    Object.entries(content).filter(([path]) => !/\/config\/environment\/|config_overview/.test(path)),
  )
}

describe('post-processing that goes wrong', () => {
  const failing = (body: string) => `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'wrong',
  parameters: { x: 1, n: 3n },
  explore: { x: [1, 2], n: [1n, 2n] },
  run: (traj) => traj.addResult('z', traj.par.x),
  postprocess(traj, results) { ${body} },
})
`
  const cases: readonly (readonly [string, PostprocessCallback, RegExp])[] = [
    ['throws', () => Promise.reject(new Error('no luck')), /post-processing failed: Error: no luck/],
    ['returns a number', () => 7, /it returned 7, which is no points to run next/],
    ['returns points of another parameter', () => [{ y: 1 }], /has no y/],
    ['returns points that lack one', () => [{ x: 1 }], /n is missing/],
    [
      'returns values of another type',
      () => [{ x: 'one', n: 1n }],
      /parameters.x: \[0\] is a str, the default a float64/,
    ],
    ['returns lists of unequal lengths', () => ({ x: [1, 2], n: [1n] }), /they advance together/],
    ['adds what cannot be stored', (traj) => traj.addResult('f', () => 1), /cannot be stored/],
    [
      'adds a name that is there',
      (traj) => [traj.addResult('r', 1), traj.addResult('r', 2)],
      /it is there already/,
    ],
  ]
  test.each(cases)(
    '%s ends the experiment in order: every run is stored',
    async (_, postprocess, message) => {
      const folder = fileTree({})
      const filename = join(folder, 'file.h5')
      await using env = new Environment({ trajectory: 'wrong', filename, logFolder: join(folder, 'logs') })
      env.trajectory.addParameter('x', 1)
      env.trajectory.addParameter('n', 3n)
      env.trajectory.explore({ x: [1, 2], n: [1n, 2n] })
      env.addPostprocessing(postprocess)
      const running = env.run((traj) => traj.addResult('z', traj.par.x as number))
      await expect(running).rejects.toMatchObject({
        code: 'PYPET_POSTPROCESSING_FAILED',
        message: expect.stringMatching(message),
        hint: expect.stringContaining('wrong.cnt'),
      })
      using traj = await loadTrajectory(filename)
      expect(traj.getFromRuns('z')).toEqual({ run_00000000: 1, run_00000001: 2 })
      expect(traj.length).toBe(2)
    },
  )

  test('ends the command with exit code 3, the reason and how to go on, and no stack', async () => {
    const { folder } = folderWith(failing('throw new Error("no luck")'))
    const { exitCode, stderr } = await pypet(folder, ['run', 'job.mjs', '--file', 'file.h5'])
    expect(exitCode).toBe(3)
    expect(stderr).toContain('post-processing failed: Error: no luck')
    expect(stderr).toContain('pypet-ts continue wrong.cnt')
    expect(stderr).not.toContain('    at ')
  })

  test('and is mended, is called again by continue with what the runs had returned', async () => {
    const { folder } = folderWith(failing('throw new Error("no luck")'))
    await pypet(folder, ['run', 'job.mjs', '--file', 'file.h5'])
    fileTreeIn(folder, failing('if (results.length < 3) return [{ x: 5, n: 4 }]'))
    const { exitCode, stderr } = await pypet(folder, [
      'continue',
      'wrong.cnt',
      '--allow-changed-job',
      '--quiet',
    ])
    expect([exitCode, stderr]).toEqual([0, ''])
    using traj = await loadTrajectory(join(folder, 'file.h5'))
    expect(traj.getParameter('x').getRange()).toEqual([1, 2, 5])
  })

  test('is not called while failed runs stop the experiment, nor by Ctrl-C', async () => {
    const { folder } = folderWith(
      failing('console.log("called")').replace(
        "run: (traj) => traj.addResult('z', traj.par.x)",
        'run() { throw new Error("always") }',
      ),
    )
    const { exitCode, stderr } = await pypet(folder, [
      'run',
      'job.mjs',
      '--file',
      'file.h5',
      '--verbose',
      '--on-error',
      'stop',
    ])
    expect(exitCode).toBe(3)
    expect(stderr).not.toContain('called')
  })
})

function fileTreeIn(folder: string, job: string): void {
  writeFileSync(join(folder, 'job.mjs'), job)
}

describe('what post-processing sees', () => {
  test('arguments, results sorted by run, failed runs left out, and a store of its own in between', async () => {
    const folder = fileTree({})
    const seen: unknown[] = []
    await using env = new Environment({
      trajectory: 'seen',
      filename: join(folder, 'file.h5'),
      logFolder: join(folder, 'logs'),
      parameters: { x: 0 },
    })
    env.trajectory.explore({ x: [3, 2, 1, 0] })
    env.addPostprocessing(
      async (traj, results, ...args: unknown[]) => {
        seen.push(results, args, traj.length, traj.getFromRuns('z', { useIndices: true }))
        traj.addResult('first', 1)
        await traj.store()
        using other = await loadTrajectory(traj.filename, { name: 'seen' })
        seen.push(other.value('first'))
        traj.addLink('shortcut', 'results.first')
      },
      'a',
      { b: 1 },
    )
    await env.run((traj) => {
      if (traj.par.x === 2) throw new Error('two')
      traj.addResult('z', traj.par.x)
      return traj.par.x * 10
    })
    expect(seen).toEqual([
      [
        [0, 30],
        [2, 10],
        [3, 0],
      ],
      ['a', { b: 1 }],
      4,
      { 0: 3, 2: 1, 3: 0 },
      1,
    ])
    expect(env.trajectory.value('shortcut')).toBe(1)
    expect(env.summary).toMatchObject({ failedCount: 1, storedCount: 3 })
  })

  test('explores a trajectory that explored nothing: the one run keeps its defaults', async () => {
    const { job, options } =
      folderWith(`export default (traj) => (traj.addResult('z', traj.par.x), traj.par.x)
export const postprocess = (traj, results) => (results.length < 3 ? [{ x: results.length }] : undefined)
`)
    const config = join(job, '..', 'pypet.config.json')
    writeFileSync(config, '{ "parameters": { "x": 42 } }')
    const { returned } = await run(job, { options, collect: true })
    expect(returned?.map(({ value }) => value)).toEqual([42, 1, 2])
    using traj = await loadTrajectory(options.filename)
    expect(traj.getParameter('x').getRange()).toEqual([42, 1, 2])
  })

  test('a hundred rounds take time for what is new only', async () => {
    const { job, options } = folderWith(`import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  parameters: { x: 0 },
  explore: { x: [0] },
  run: (traj) => traj.par.x,
  postprocess: (traj, results) => (results.length < 100 ? [{ x: results.length }] : []),
})
`)
    const times: number[] = []
    const reporter = keepEvents((event) => {
      if (event.type === 'runs-added') times.push(performance.now())
    })
    await run(job, { options, reporter })
    expect(times).toHaveLength(99)
    const early = (times[35] as number) - (times[5] as number)
    const late = (times[98] as number) - (times[68] as number)
    expect(late / early).toBeLessThan(4)
  })
})
