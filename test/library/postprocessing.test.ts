/** Post-processing: called after the runs, may add results and points, is called again, and survives interruptions. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
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
import { keepEvents, stoppedWhen } from '../environment/experiments.ts'
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
/** The same, whose first points wait from the second on for a file. */
const HELD = `import { existsSync } from 'node:fs'
${DOUBLING.replace(
  '  run(traj) {',
  `  async run(traj) {
    while (traj.idx === 1 && !existsSync(new URL('go', import.meta.url))) await new Promise((done) => setTimeout(done, 5))`,
)}`
const XS = [1, 2, 3, 6, 7, 8, 16, 17, 18, 36, 37, 38, 76, 77, 78, 156, 157, 158]

function folderWith(job: string) {
  const folder = fileTree({ 'job.mjs': job })
  return {
    folder,
    job: join(folder, 'job.mjs'),
    options: { filename: join(folder, 'file.h5'), logFolder: join(folder, 'logs') },
  }
}

/** What the file of a search holds that nobody interrupts. */
let unbroken: Readonly<Record<string, string>>
beforeAll(async () => {
  const { job, options } = folderWith(DOUBLING)
  await run(job, { options })
  unbroken = await withoutEnvironment(options.filename)
})

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
  test.each([
    ['among its first points', HELD, 'runs-stored', 1],
    ['when points were added for the third time', DOUBLING, 'runs-added', 3],
  ])('%s continues with the same points, to the same file', async (_, source, type, times) => {
    const { folder, job, options } = folderWith(source)
    let seenCount = 0
    const stop = stoppedWhen((event) => {
      seenCount += event.type === type ? 1 : 0
      return seenCount >= times
    })
    stop.signal.addEventListener('abort', () => writeFileSync(join(folder, 'go'), ''))
    const first = await run(job, { options, ...stop })
    expect(first.cntFile).toBe(join(folder, 'doubling.cnt'))
    expect(first.leftCount).toBeGreaterThan(0)
    const second = await continueRun(first.cntFile as string, { collect: true })
    expect(second.returned?.map(({ value }) => value)).toEqual(XS)
    expect(existsSync(join(folder, 'doubling.cnt'))).toBe(false)
    expect(await withoutEnvironment(options.filename)).toEqual(unbroken)
  })

  test('by kill -9 of everything goes on with the same points', async () => {
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
    expect(await withoutEnvironment(options.filename)).toEqual(unbroken)
  })
})

describe.each(['queue', 'lock', 'none'] as const)('in the wrap mode %s', (wrapMode) => {
  const memoryOf = () => (wrapMode === 'none' ? new MemoryStorage() : undefined)

  test.each([
    ['whole', Number.POSITIVE_INFINITY],
    ['interrupted', 2],
  ])('a search is the same, %s', async (_, additions) => {
    // Jobs of a memory store nothing that could be loaded.
    const { job, options } = folderWith(
      DOUBLING.replace("traj.getFromRuns('z') ? traj.length : -1", 'traj.length'),
    )
    const storageService = memoryOf()
    const service = storageService === undefined ? {} : { storageService }
    const mode = storageService === undefined ? { wrapMode } : {}
    let addedCount = 0
    const stop = stoppedWhen((event) => {
      addedCount += event.type === 'runs-added' ? 1 : 0
      return addedCount >= additions
    })
    const call = { options: { ...options, ncores: 2, ...mode }, ...service, collect: true }
    let last = await run(job, { ...call, ...stop })
    expect(last.leftCount > 0).toBe(additions < Number.POSITIVE_INFINITY)
    if (last.cntFile !== undefined) last = await continueRun(last.cntFile, { collect: true, ...service })
    expect(last.returned?.map(({ value }) => value)).toEqual(XS)
    await storageService?.writeHdf5(options.filename)
    expect(await withoutEnvironment(options.filename)).toEqual(unbroken)
  })

  const job = (traj: Run, factor = 1000) => {
    const z = (traj.par as { x: number }).x * factor
    traj.addResult('z', z)
    return z
  }
  /** An environment of a script, in this mode. */
  const scriptIn = (folder: string) => {
    const storageService = memoryOf()
    const filename = join(folder, 'file.h5')
    const env = new Environment({
      trajectory: 'script',
      filename,
      logFolder: join(folder, 'logs'),
      ...(storageService === undefined ? { wrapMode } : { storageService }),
    })
    return { env, filename, storageService }
  }

  test('a pipeline gives its post-processing arguments, and what that adds is run with those of the job', async () => {
    const { env: made, filename, storageService } = scriptIn(fileTree({}))
    await using env = made
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
    await storageService?.writeHdf5(filename)
    using traj = await loadTrajectory(filename)
    expect(Object.values(traj.getFromRuns('z'))).toEqual([10, 20, 30, 300, 400])
  })

  test('runMap gives each run its own argument, and none to those that post-processing adds', async () => {
    const { env: made, filename, storageService } = scriptIn(fileTree({}))
    await using env = made
    env.trajectory.addParameter('x', 1)
    env.trajectory.explore({ x: [1, 2, 3] })
    const seen: JobResults[] = []
    env.addPostprocessing((_later, found) => {
      seen.push(found)
      return found.length < 5 ? [{ x: found.length }] : undefined
    })
    const own = [
      [0, 10],
      [1, 40],
      [2, 90],
    ]
    const added = [
      [3, 3000],
      [4, 4000],
    ]
    expect(await env.runMap(job, [10, 20, 30])).toEqual([...own, ...added])
    expect(seen).toEqual([own, [...own, added[0]], [...own, ...added]])
    await storageService?.writeHdf5(filename)
    using traj = await loadTrajectory(filename)
    expect(Object.values(traj.getFromRuns('z'))).toEqual([10, 40, 90, 3000, 4000])
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

/** Run 1 ends when post-processing has seen run 0, and gives up after so many milliseconds. */
const SEEN_MEANWHILE = (patience: number) => `import { existsSync, writeFileSync } from 'node:fs'
import { defineExperiment } from 'pypet-ts'
const seen = new URL('seen', import.meta.url)
export default defineExperiment({
  name: 'meanwhile',
  parameters: { x: 1 },
  explore: { x: [1, 2] },
  async run(traj) {
    const end = Date.now() + ${patience}
    while (traj.idx === 1 && !existsSync(seen)) {
      if (Date.now() > end) throw new Error('not seen')
      await new Promise((done) => setTimeout(done, 5))
    }
    traj.addResult('z', traj.par.x)
    return traj.par.x
  },
  postprocess(traj, results) {
    writeFileSync(seen, '')
    traj.addResult('after' + results.length, results.map(([run]) => run))
  },
})
`

describe('immediate post-processing', () => {
  test.each([
    ['queue', 'pool'],
    ['lock', 'pool'],
    ['queue', 'process'],
  ] as const)(
    'is called while a run is active, in the wrap mode %s with the executor %s',
    async (wrapMode, executor) => {
      const { job, options } = folderWith(SEEN_MEANWHILE(30_000))
      const settings = { ...options, wrapMode, executor, ncores: 2, immediatePostprocessing: true }
      expect(await run(job, { options: settings })).toMatchObject({ storedCount: 2, failedCount: 0 })
      using traj = await loadTrajectory(options.filename)
      expect([traj.value('after1'), traj.value('after2')]).toEqual([[0], [0, 1]])
    },
  )

  test('is what the option asks for: without it, a run that waits for post-processing waits in vain', async () => {
    const { job, options } = folderWith(SEEN_MEANWHILE(300))
    expect(await run(job, { options: { ...options, ncores: 2 } })).toMatchObject({
      storedCount: 1,
      failedCount: 1,
    })
    using traj = await loadTrajectory(options.filename)
    expect([traj.value('after1'), traj.contains('after2')]).toEqual([[0], false])
  })
})

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
    ['returns a number', () => 7, /it returned 7, which is not a list of points/],
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
      /it already exists/,
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

  test.each([
    ['when runs have ended', 'undefined', 'continue', true],
    ['not when failed runs stop the experiment', 'Promise.reject(new Error("always"))', 'stop', false],
  ])('is called %s', async (_, first, onError, isCalled) => {
    const { folder } = folderWith(calling(first))
    await pypet(folder, ['run', 'job.mjs', '--file', 'file.h5', '--on-error', onError])
    expect(existsSync(join(folder, 'called'))).toBe(isCalled)
  })

  test.skipIf(process.platform === 'win32')(
    'is not called after Ctrl-C, but when continue has ended the runs',
    async () => {
      const held = `new Promise((done) => {
      console.log('active')
      const timer = setInterval(() => existsSync(new URL('go', import.meta.url)) && done(clearInterval(timer)), 5)
    })`
      const { folder } = folderWith(calling(held))
      const started = start(folder, ['run', 'job.mjs', '--file', 'file.h5', '--verbose'])
      await started.until(({ stderr, stdout }) => (stderr + stdout).includes('active'))
      started.process.kill('SIGINT')
      await started.until(({ stderr }) => /Ctrl-C|interrupt|stopp/i.test(stderr))
      writeFileSync(join(folder, 'go'), '')
      expect((await started.ended()).exitCode).toBe(130)
      expect(existsSync(join(folder, 'called'))).toBe(false)
      expect((await pypet(folder, ['continue', 'called.cnt', '--quiet'])).exitCode).toBe(0)
      expect(existsSync(join(folder, 'called'))).toBe(true)
    },
  )
})

/** The first run does something of its own first; post-processing leaves a file behind. */
function calling(first: string): string {
  return `import { existsSync, writeFileSync } from 'node:fs'
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'called',
  parameters: { x: 1 },
  explore: { x: [1, 2, 3] },
  async run(traj) {
    if (traj.idx === 0) await ${first}
    traj.addResult('z', traj.par.x)
  },
  postprocess: () => writeFileSync(new URL('called', import.meta.url), ''),
})
`
}

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

  test.runIf(existsSync('/proc/self/io'))(
    'a round reads what is new only, however many there were',
    async () => {
      const { job, options } = folderWith(`import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  parameters: { x: 0 },
  explore: { x: [0] },
  run: (traj) => (traj.addResult('z', new Float64Array(1000).fill(traj.par.x)), traj.par.x),
  postprocess: (traj, results) => (results.length < 40 ? [{ x: results.length }] : []),
})
`)
      const read: number[] = []
      const reporter = keepEvents((event) => {
        if (event.type === 'runs-added') read.push(bytesRead())
      })
      await run(job, { options, reporter })
      expect(read).toHaveLength(39)
      // The median: one round of a slow experiment also reads a module that is loaded when it is needed.
      const typical = (first: number, last: number) =>
        median(read.slice(first + 1, last + 1).map((bytes, at) => bytes - (read[first + at] as number)))
      expect(typical(28, 38)).toBeLessThan(2 * typical(5, 15) + 1_000)
    },
  )
})

/** Bytes that this process has read so far, of whatever. */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] as number
}
