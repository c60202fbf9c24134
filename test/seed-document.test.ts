/**
 * The document that the project started from, "More about the Environment" of pypet, section by section. Each test is one
 * of its statements; where we differ on purpose, its title says so.
 */
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import h5wasm, { type Dataset } from 'h5wasm/node'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  cartesianProduct,
  Environment,
  type EnvironmentOptions,
  loadTrajectory,
  MemoryStorage,
  type Run,
  Trajectory,
} from '../dist/index.js'
import { openHdf5Reader } from '../src/reading/reader.ts'
import { keepEvents, writerProcesses } from './environment/experiments.ts'
import { fileTree } from './experiment/file-tree.ts'

const JOB_MODULE = `import { existsSync } from 'node:fs'
export default async (traj, held = []) => {
  const { x } = traj.par
  if (x < 0) traj.log.warn('x is negative')
  traj.log.info('x is ' + x)
  traj.log.debug('of no interest')
  while (held.includes(x) && !existsSync(new URL('go', import.meta.url))) await new Promise((done) => setTimeout(done, 5))
  traj.addResult('my_result', x * 10, { comment: 'Mostly harmless!' })
  traj.addDerivedParameter('half', x / 2)
  return x
}
`

/** An environment as in the document, in a folder of its own. */
function environmentIn(options: Partial<EnvironmentOptions> = {}) {
  const folder = fileTree({ 'job.mjs': JOB_MODULE })
  const filename = join(folder, 'experiments.h5')
  const env = new Environment({
    trajectory: 'trajectory',
    comment: '',
    logFolder: join(folder, 'log'),
    useHdf5: true,
    fileTitle: 'experiment',
    filename,
    ...options,
  })
  onTestFinished(() => env[Symbol.asyncDispose]())
  const traj = env.trajectory
  if (!traj.contains('parameters.x')) traj.addParameter('x', 0)
  return { folder, filename, env, traj, job: join(folder, 'job.mjs') }
}

/** An environment whose held runs go on as soon as another one is stored. */
function releasing(options: Partial<EnvironmentOptions>) {
  let go: () => void = () => undefined
  const reporter = keepEvents(({ type }) => {
    if (type === 'runs-stored') go()
  })
  const made = environmentIn({ ...options, reporter })
  go = () => writeFileSync(join(made.folder, 'go'), '')
  return made
}

/** The job as a function, which runs in this thread. */
const job = (traj: Run, ...args: readonly unknown[]) => {
  const { x } = traj.par as { x: number }
  traj.addResult('my_result', x * 10, { comment: 'Mostly harmless!' })
  return [x, ...args]
}

/** Shape and chunks, as h5wasm tells them. */
async function datasetOf(file: string, path: string) {
  await h5wasm.ready
  const opened = new h5wasm.File(file, 'r')
  try {
    const { shape, chunks } = (opened.get(path) as Dataset).metadata
    return { shape, chunks }
  } finally {
    opened.close()
  }
}

async function kindsIn(file: string, paths: readonly string[]): Promise<(string | undefined)[]> {
  using reader = await openHdf5Reader(file)
  return paths.map((path) => reader.kind(`/trajectory/${path}`))
}

describe('More about the Environment', () => {
  test('there is no need to store anything: it is stored before the runs, and at the end of each run', async () => {
    const { filename, env, traj } = environmentIn()
    traj.addResult('before', 1)
    traj.explore({ x: [1, 2] })
    await env.run(job)
    using loaded = await loadTrajectory(filename)
    expect(loaded.value('before')).toBe(1)
    expect(loaded.getFromRuns('my_result')).toEqual({ run_00000000: 10, run_00000001: 20 })
  })

  test('a string makes a new trajectory of that name, with the comment and the dynamically imported classes', () => {
    const Spikes = { name: 'Spikes', load: (items: Readonly<Record<string, unknown>>) => items }
    const { env } = environmentIn({ comment: 'a comment', dynamicImports: [Spikes] })
    expect([env.trajectory.name, env.trajectory.comment]).toEqual(['trajectory', 'a comment'])
    expect(env.trajectory.dynamicImports).toEqual([Spikes])
  })

  test('a given trajectory is taken as it is', async () => {
    const folder = fileTree({})
    const filename = join(folder, 'given.h5')
    const given = new Trajectory({ name: 'given', filename, parameters: { x: 3 } })
    await using env = new Environment({ trajectory: given, logFolder: join(folder, 'log') })
    expect(env.trajectory).toBe(given)
    expect(await env.run(job)).toEqual([[0, [3]]])
    expect(existsSync(filename)).toBe(true)
  })

  test('results of classes of your own are restored by their names', async () => {
    class Spikes {
      readonly times: readonly number[]
      constructor(times: readonly number[]) {
        this.times = times
      }
      static load(items: Readonly<Record<string, unknown>>) {
        return new Spikes([...(items.times as Float64Array)])
      }
      store() {
        return { times: Float64Array.from(this.times) }
      }
    }
    const { env, traj } = environmentIn({ dynamicImports: [Spikes] })
    await env.run((run) => run.addResult('spikes', new Spikes([1, 2])))
    expect(traj.getResult('spikes').instance()).toEqual(new Spikes([1, 2]))
  })
})

test('dotted names of Python name nothing here: a class is imported by the script; without it the items are readable', async () => {
  class Spikes {
    static load = () => new Spikes()
    store() {
      return { times: 3 }
    }
  }
  const named = environmentIn({ dynamicImports: ['mysim.results.Spikes'] })
  await expect(named.env.run((run) => run.addResult('spikes', 1))).rejects.toThrow(
    'cannot import mysim.results.Spikes: it does not name a module and a class',
  )
  const { env, traj } = environmentIn()
  await env.run((run) => run.addResult('spikes', new Spikes()))
  expect(() => traj.getResult('spikes').instance()).toThrow(
    /stored from the class Spikes, which is not given/,
  )
  expect(traj.getResult('spikes').toRecord()).toEqual({ times: 3 })
})

describe('log files', () => {
  test('the log folder gets a folder with the name of the trajectory, and in it all messages and the warnings', async () => {
    const { folder, env, traj, job: module } = environmentIn()
    traj.explore({ x: [1, -2] })
    await env.run(module)
    const logs = join(folder, 'log', 'trajectory')
    const main = readFileSync(join(logs, 'main.txt'), 'utf8')
    expect(main).toContain('INFO  run_00000000: x is 1')
    expect(main).toContain('WARN  run_00000001: x is negative')
    const warnings = readFileSync(join(logs, 'warnings_and_errors.txt'), 'utf8')
    expect(warnings).toContain('x is negative')
    expect(warnings).not.toContain('x is 1')
  })

  const linesIn = (folder: string, name: string) =>
    readFileSync(join(folder, 'log', 'trajectory', name), 'utf8')

  test.each([
    ['INFO unless another is set', {}, false],
    ['the one that is set', { logLevel: 'debug' }, true],
  ] as const)('the level is %s', async (_, options, isTold) => {
    const { folder, env, job: module } = environmentIn(options)
    await env.run(module)
    expect(linesIn(folder, 'main.txt')).toContain('INFO  run_00000000: x is 0')
    expect(linesIn(folder, 'main.txt').includes('of no interest')).toBe(isTold)
  })

  test('with multiprocessing there is a file for every process that performs runs, with what its runs say', async () => {
    const { folder, env, traj, job: module } = releasing({ ncores: 2 })
    traj.explore({ x: [1, 2, 3] })
    await env.run(module, [1])
    const processes = readdirSync(join(folder, 'log', 'trajectory')).filter((name) =>
      /^process_\d{4}\.txt$/.test(name),
    )
    // The first is held until the second has stored a run.
    expect(processes).toHaveLength(2)
    const said = processes.map((name) => [1, 2, 3].filter((x) => linesIn(folder, name).includes(`x is ${x}`)))
    expect(said.flat().sort()).toEqual([1, 2, 3])
    expect(said.filter((xs) => xs.includes(1))).toEqual([[1]])
  })
})

describe('the storage service', () => {
  test('of HDF5 is used unless another is wanted, with the name of the file and, for a new one, its title', async () => {
    const { filename, env } = environmentIn()
    await env.run(job)
    using reader = await openHdf5Reader(filename)
    expect(reader.attribute('/', 'TITLE')).toBe('experiment')
  })

  test('of your own is used with useHdf5 false, and no HDF5 file is written', async () => {
    const memory = new MemoryStorage()
    const { folder, env, traj } = environmentIn({
      useHdf5: false,
      storageService: memory,
    })
    traj.explore({ x: [1, 2] })
    await env.run(job)
    expect(memory.runs).toEqual([0, 1])
    expect(memory.record(1)?.leaves[0]?.values).toEqual({ my_result: 20 })
    expect(readdirSync(folder).filter((name) => /\.h5/.test(name))).toEqual([])
  })
})

describe('config data added by the environment', () => {
  const DEFAULTS: readonly (readonly [string, unknown, unknown])[] = [
    ['environment.multiproc', false, true],
    ['environment.ncores', 1, 3],
    ['environment.continuable', true, false],
    ['hdf5.filename', 'experiments.h5', 'others.h5'],
    ['hdf5.fileTitle', 'experiment', 'another'],
    ['hdf5.configOverview', true, false],
    ['hdf5.parameterOverview', true, false],
    ['hdf5.derivedParameterOverview', true, false],
    ['hdf5.resultOverview', true, false],
    ['hdf5.exploredParameterOverview', true, false],
    ['hdf5.purgeDuplicateComments', true, false],
    ['hdf5.resultsPerRun', 0, 2],
    ['hdf5.derivedParametersPerRun', 0, 2],
  ]
  test.each(DEFAULTS)('%s is readable there, and is %j until it is changed', (name, value, other) => {
    const { traj } = environmentIn()
    const [group, leaf] = name.split('.') as [string, string]
    expect(traj.conf[group][leaf]).toBe(value)
    traj.conf[group][leaf] = other
    expect(traj.conf[group][leaf]).toBe(other)
  })

  test('the log folder is no config: it cannot be changed there', () => {
    const { traj } = environmentIn()
    expect(() => {
      traj.conf.environment.logFolder = 'elsewhere'
    }).toThrow(/logFolder cannot be assigned/)
  })

  test('environment.wrapMode is QUEUE, not LOCK as in the document: workers do not wait for each other', () => {
    expect(environmentIn().traj.conf.environment.wrapMode).toBe('QUEUE')
  })

  test('hdf5.exploredParameterOverviewInRuns is off, not on as in the document: it makes a small run twice as expensive', () => {
    expect(environmentIn().traj.conf.hdf5.exploredParameterOverviewInRuns).toBe(false)
  })

  test('the data can be changed until the runs begin, by the short names; on disk it has the names of pypet', async () => {
    const { filename, env, traj } = environmentIn()
    traj.conf.hdf5.fileTitle = 'another title'
    traj.conf.purgeDuplicateComments = 0
    traj.conf.hdf5.resultsPerRun = 3
    await env.run(job)
    using reader = await openHdf5Reader(filename)
    expect(reader.attribute('/', 'TITLE')).toBe('another title')
    const names = reader.children('/trajectory/config/environment')
    expect(names).toEqual([
      expect.stringMatching(/^environment_[0-9a-f]{7}_\d{4}_\d\d_\d\d_\d\dh\d\dm\d\ds$/),
    ])
    expect(reader.children(`/trajectory/config/environment/${names[0]}`)).toEqual(
      expect.arrayContaining(['continuable', 'multiproc', 'ncores', 'wrap_mode']),
    )
    expect(reader.children('/trajectory/config/hdf5')).toEqual(
      expect.arrayContaining([
        'filename',
        'file_title',
        'purge_duplicate_comments',
        'explored_parameter_overview_in_runs',
        'results_per_run',
        'derived_parameters_per_run',
      ]),
    )
    expect(traj.conf.hdf5.purge_duplicate_comments).toBe(false)
    expect(() => {
      traj.conf.hdf5.fileTitle = 'too late'
    }).toThrow(/cannot be assigned/)
  })

  test('a value that an option cannot have is refused before anything is written', async () => {
    const { filename, env, traj } = environmentIn()
    traj.conf.environment.ncores = -3
    await expect(env.run(job)).rejects.toMatchObject({
      code: 'PYPET_CONFIG_INVALID',
      message: expect.stringMatching(/ncores: expected a whole number >= 0, found -3/),
    })
    expect(existsSync(filename)).toBe(false)
  })
})

describe('environment.wrap_mode', () => {
  /** What is there while both runs of two workers are active. */
  const active = async (options: Partial<EnvironmentOptions>) => {
    const begun = new Set<number>()
    const reporter = keepEvents((event) => {
      if (event.type === 'log' && event.run !== undefined) begun.add(event.run)
    })
    const { folder, filename, env, traj, job: module } = environmentIn({ ...options, ncores: 2, reporter })
    traj.explore({ x: [1, 2, 3] })
    const running = env.run(module, [1, 2, 3])
    while (begun.size < 2) await delay(5)
    await delay(100)
    const writers = writerProcesses()
    const found = {
      activeCount: begun.size,
      writerCount: writers.length,
      holdersOfFile: [process.pid, ...writers]
        .filter((id) => holds(id, filename))
        .map((id) => writers.includes(id)),
    }
    writeFileSync(join(folder, 'go'), '')
    expect(await running).toEqual([1, 2, 3].map((x, run) => [run, x]))
    return found
  }

  test.runIf(existsSync('/proc/self/fd'))(
    'QUEUE: another process is spawned, not one of the ncores, the only one that has the file open',
    async () => {
      const found = await active({ wrapMode: 'queue' })
      expect(found).toEqual({ activeCount: 2, writerCount: 1, holdersOfFile: [true] })
    },
  )

  test('LOCK: each process takes care of storage by itself, and there is no other', async () => {
    expect(await active({ wrapMode: 'lock' })).toMatchObject({ activeCount: 2, writerCount: 0 })
  })

  test('NONE: a service of your own is called without wrapping, and no process is spawned for it', async () => {
    const storageService = new MemoryStorage()
    expect(await active({ wrapMode: 'none', useHdf5: false, storageService })).toEqual({
      activeCount: 2,
      writerCount: 0,
      holdersOfFile: [],
    })
    expect(storageService.runs).toEqual([0, 1, 2])
  })

  test('NONE is not for the HDF5 service, which is not made for that', async () => {
    const { env, traj } = environmentIn()
    traj.conf.environment.wrapMode = 'NONE'
    await expect(env.run(job)).rejects.toMatchObject({
      code: 'PYPET_CONFIG_INVALID',
      message: 'wrapMode is none, but there is no storageService',
    })
  })
})

/** Whether a process has a file open. */
function holds(id: number, file: string): boolean {
  const folder = `/proc/${id}/fd`
  if (!existsSync(folder)) return false
  return readdirSync(folder).some((descriptor) => {
    try {
      return readlinkSync(join(folder, descriptor)) === file
    } catch {
      // It was closed meanwhile.
      return false
    }
  })
}

describe('overview tables', () => {
  const TABLES = ['config', 'parameters', 'derived_parameters', 'results', 'explored_parameters'].map(
    (name) => `overview/${name}_overview`,
  )
  const tablesAfter = async (change: (env: Environment) => void) => {
    const { filename, env, traj, job: module } = environmentIn()
    traj.explore({ x: [1, 2] })
    change(env as Environment)
    await env.run(module)
    return await kindsIn(filename, [...TABLES, 'results/runs/run_00000001/explored_parameters'])
  }

  test('of config, parameters, derived parameters, results and explored parameters are there', async () => {
    const there = Array(5).fill('dataset')
    expect(await tablesAfter(() => undefined)).toEqual([...there, undefined])
  })

  test('of the explored parameters of each run are there when they are switched on', async () => {
    const kinds = await tablesAfter((env) => {
      env.trajectory.conf.hdf5.exploredParameterOverviewInRuns = true
    })
    expect(kinds.at(-1)).toBe('dataset')
  })

  test.each([
    ['configOverview', 0],
    ['parameterOverview', 1],
    ['derivedParameterOverview', 2],
    ['resultOverview', 3],
    ['exploredParameterOverview', 4],
  ])('%s set to 0 leaves that table out, and no other', async (name, place) => {
    const kinds = await tablesAfter((env) => {
      env.trajectory.conf.hdf5[name] = 0
    })
    expect(kinds.map((kind) => kind === 'dataset')).toEqual(
      [0, 1, 2, 3, 4, 5].map((at) => at !== place && at !== 5),
    )
  })

  test('that are large are switched off by switchOffLargeOverview', async () => {
    const kinds = await tablesAfter((env) => env.switchOffLargeOverview())
    expect(kinds).toEqual(['dataset', 'dataset', undefined, undefined, 'dataset', undefined])
  })

  test('are all switched off by switchOffAllOverview; what identifies the runs stays', async () => {
    const kinds = await tablesAfter((env) => env.switchOffAllOverview())
    expect(kinds).toEqual(Array(6).fill(undefined))
  })

  test.each([
    ['resultsPerRun', 'results_overview'],
    ['derivedParametersPerRun', 'derived_parameters_overview'],
  ])('are sized by %s, an estimate that costs nothing where it is wrong', async (option, table) => {
    const rows = async (estimate: number) => {
      const { filename, env, traj, job: module } = environmentIn({ [option]: estimate })
      traj.explore({ x: Array.from({ length: 12 }, (_, x) => x) })
      await env.run(module)
      const dataset = await datasetOf(filename, `/trajectory/overview/${table}`)
      return [dataset.shape?.[0], dataset.chunks?.[0]]
    }
    expect(await rows(0)).toEqual([12, 8])
    expect(await rows(3)).toEqual([12, 36])
  })
})

describe('purging duplicate comments', () => {
  /** As they are when the file is loaded again. */
  const comments = async (purgeDuplicateComments: boolean | 0, own = (_: number) => 'Mostly harmless!') => {
    const { env, filename, traj: before } = environmentIn()
    before.conf.hdf5.purgeDuplicateComments = purgeDuplicateComments
    before.explore({ x: [42, -55] })
    await env.run((run) => run.addResult('my_result', run.idx, { comment: own(run.idx) }))
    using traj = await loadTrajectory(filename)
    return [0, 1].map((run) => traj.get(`results.runs.run_0000000${run}.my_result`).comment)
  }

  test('an equal comment of an equal result is stored with the first run only', async () => {
    expect(await comments(true)).toEqual(['Mostly harmless!', ''])
  })

  test('comments that are not exactly the same are stored, each of them', async () => {
    const comment = (run: number) => (run === 0 ? 'Mostly harmless!' : 'mostly harmless!')
    expect(await comments(true, comment)).toEqual(['Mostly harmless!', 'mostly harmless!'])
  })

  test('hdf5.purgeDuplicateComments 0 stores it with each', async () => {
    expect(await comments(0)).toEqual(['Mostly harmless!', 'Mostly harmless!'])
  })
})

describe('multiprocessing', () => {
  test('is enabled on the trajectory: multiproc and ncores', async () => {
    const { env, traj, job: module } = environmentIn()
    traj.conf.multiproc = true
    traj.conf.ncores = 2
    traj.explore({ x: [1, 2, 3] })
    expect(await env.run(module)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ])
    expect([traj.conf.environment.multiproc, traj.conf.environment.executor]).toEqual([true, 'pool'])
  })

  test('needs data that can be sent: arguments and returned values that cannot are refused by name', async () => {
    const { env, traj, job: module } = environmentIn()
    traj.conf.ncores = 2
    await expect(env.run(module, () => 1)).rejects.toMatchObject({
      code: 'PYPET_VALUE_UNSUPPORTED',
      message: expect.stringContaining(
        'the arguments of the job cannot be sent to threads: arguments[0] is a function',
      ),
    })
    traj.conf.ncores = 1
    await env.run(() => () => 1)
    expect(traj.runInformation(0).failed).toBe(true)
  })

  test('needs a job that other processes can load: a function of a script runs in the main thread alone', async () => {
    const { env } = environmentIn({ ncores: 2 })
    await expect(env.run(job)).rejects.toMatchObject({ code: 'PYPET_JOB_NOT_LOADABLE' })
  })
})

describe('running an experiment', () => {
  test('the job gets a single run first, and then the arguments as they were handed over', async () => {
    const { env, traj } = environmentIn()
    traj.explore(cartesianProduct({ x: [1, 2] }))
    const results = await env.run(job, 'an argument', { keyword: 1 })
    expect(results).toEqual([
      [0, [1, 'an argument', { keyword: 1 }]],
      [1, [2, 'an argument', { keyword: 1 }]],
    ])
  })

  test('a single run sees one point, not what else is explored, and adds results and derived parameters only', async () => {
    const { env, traj } = environmentIn()
    traj.explore({ x: [1, 2] })
    const seen: unknown[] = []
    await env.run((run) => {
      seen.push([(run.par as { x: number }).x, 'explore' in run, 'addParameter' in run, run.length])
    })
    expect(seen).toEqual([
      [1, false, false, 2],
      [2, false, false, 2],
    ])
  })

  test('what jobs return is sorted by run, whichever ended first', async () => {
    const { env, traj, job: module } = environmentIn({ ncores: 2 })
    traj.explore({ x: [5, 4, 3, 2, 1] })
    expect(await env.run(module)).toEqual([5, 4, 3, 2, 1].map((x, run) => [run, x]))
  })

  test('one experiment runs at a time in an environment, and two after the other', async () => {
    const { env, traj } = environmentIn()
    const first = env.run(job)
    await expect(env.run(job)).rejects.toMatchObject({ code: 'PYPET_USAGE' })
    await first
    traj.addResult('between', 1)
    await traj.store()
    expect(await env.run(job)).toEqual([])
  })
})

describe('resuming an experiment', () => {
  test('a .cnt file with the name of the trajectory lies beside the HDF5 file; continueRun performs what is missing', async () => {
    const stop = new AbortController()
    const performed: number[] = []
    const { folder, filename, env, traj } = environmentIn({ signal: stop.signal })
    traj.explore({ x: [1, 2, 3, 4, 5] })
    const counting = (run: Run, factor: unknown) => {
      performed.push(run.idx)
      if (run.idx === 1) stop.abort()
      return job(run, factor)
    }
    const first = await env.run(counting, 7)
    expect(first.length).toBeLessThan(5)
    const cnt = join(folder, 'trajectory.cnt')
    expect(existsSync(cnt)).toBe(true)
    await env[Symbol.asyncDispose]()
    await using again = new Environment({ logFolder: join(folder, 'log') })
    const all = await again.continueRun(cnt, { job: counting })
    expect(all).toEqual([1, 2, 3, 4, 5].map((x, run) => [run, [x, 7]]))
    expect([...performed].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4])
    expect(existsSync(cnt)).toBe(false)
    expect(again.trajectory.filename).toBe(filename)
    expect(Object.values(again.trajectory.getFromRuns('my_result'))).toEqual([10, 20, 30, 40, 50])
  })

  test('with continuable 0 there is nothing to go on with', async () => {
    const stop = new AbortController()
    const { folder, env, traj } = environmentIn({ signal: stop.signal })
    traj.conf.environment.continuable = 0
    traj.explore({ x: [1, 2, 3, 4, 5] })
    await env.run((run) => {
      stop.abort()
      return job(run)
    })
    expect(env.summary?.leftCount).toBe(4)
    expect(readdirSync(folder).filter((name) => name.endsWith('.cnt'))).toEqual([])
    await expect(env.continueRun(join(folder, 'trajectory.cnt'))).rejects.toMatchObject({
      code: 'PYPET_CNT_NOT_FOUND',
    })
  })

  test('this needs a file that is not corrupted: another is refused, and stays as it is', async () => {
    const stop = new AbortController()
    const { folder, filename, env, traj } = environmentIn({ signal: stop.signal })
    traj.explore({ x: [1, 2, 3] })
    const stopping = (run: Run) => {
      stop.abort()
      return job(run)
    }
    await env.run(stopping)
    expect(env.summary?.leftCount).toBe(2)
    await env[Symbol.asyncDispose]()
    const descriptor = openSync(filename, 'r+')
    writeSync(descriptor, new Uint8Array(64), 0, 64, 0)
    closeSync(descriptor)
    const before = [filename, join(folder, 'trajectory.cnt')].map((file) => readFileSync(file, 'base64'))
    await using again = new Environment({ logFolder: join(folder, 'log') })
    await expect(again.continueRun(join(folder, 'trajectory.cnt'), { job: stopping })).rejects.toMatchObject({
      code: 'PYPET_FILE_NOT_HDF5',
    })
    expect([filename, join(folder, 'trajectory.cnt')].map((file) => readFileSync(file, 'base64'))).toEqual(
      before,
    )
  })

  test('an error in your code is no crash: that run has failed, is recorded, and can be performed again', async () => {
    const { folder, env, traj } = environmentIn()
    traj.explore({ x: [1, 2] })
    const failing = (run: Run) => {
      if (run.idx === 1) throw new Error('a bug')
      return job(run)
    }
    expect(await env.run(failing)).toEqual([[0, [1]]])
    expect(traj.runInformation(1).failed).toBe(true)
    const again = await env.continueRun(join(folder, 'trajectory.cnt'), {
      retryFailed: true,
      job,
      allowChangedJob: true,
    })
    expect(again).toEqual([
      [0, [1]],
      [1, [2]],
    ])
  })
})
