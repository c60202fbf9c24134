/**
 * What pypet's own tests pin, by number (C1 to C63). Where an item does not apply, or we differ on purpose, its title
 * says so, and it asserts what we do instead.
 */
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  cartesianProduct,
  Environment,
  findUniquePoints,
  isPypetError,
  loadTrajectory,
  mergeFiles,
  type Run,
  run,
  Trajectory,
} from '../../dist/index.js'
import { openHdf5Reader } from '../../src/reading/reader.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { Hdf5Content } from '../storage/hdf5-content.ts'

function throwing(call: () => unknown): string | undefined {
  try {
    call()
  } catch (error) {
    return isPypetError(error) ? error.code : String(error)
  }
  return undefined
}

async function rejecting(call: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await call()
  } catch (error) {
    return isPypetError(error) ? error.code : String(error)
  }
  return undefined
}

const JOB = `
import { defineExperiment, parameter, integer } from 'pypet-ts'
export default defineExperiment({
  name: 'T',
  parameters: { x: parameter(1, { comment: 'xx' }), y: 1, trial: integer(0) },
  run(traj) {
    if (process.env.PYPET_TEST_FAIL === String(traj.idx)) throw new RangeError('x')
    traj.addResult('z', traj.par.x * traj.par.y, { comment: 'product' })
    return traj.par.x * traj.par.y
  },
})`

/** The experiment of pypet's checks, performed: x in 1, 2, 3 and y in 4, 5. */
async function performed(
  options: {
    readonly explore?: readonly string[]
    readonly name?: string
    readonly settings?: Readonly<Record<string, unknown>>
  } = {},
) {
  const folder = fileTree({ 'job.mjs': JOB })
  const filename = join(folder, 'f.h5')
  const result = await run(join(folder, 'job.mjs'), {
    options: {
      filename,
      name: options.name ?? 'T',
      logFolder: join(folder, 'logs'),
      ...options.settings,
    } as never,
    explore: options.explore ?? ['x=1,2,3', 'y=4,5'],
    collect: true,
  })
  return { folder, filename, result }
}

function fresh(parameters: Record<string, unknown> = {}): Trajectory {
  const given = {
    name: 'T',
    filename: join(fileTree({}), 'f.h5'),
    parameters: parameters as Record<string, number>,
  }
  return new Trajectory(given) as unknown as Trajectory
}

/** Stores, closes and loads again. */
async function reloaded(traj: Trajectory, options: Parameters<typeof loadTrajectory>[1] = { all: 'data' }) {
  await traj.store()
  traj.close()
  return await loadTrajectory(traj.filename, { name: traj.name, ...options })
}

function points(exploration: ReturnType<typeof cartesianProduct>): unknown[] {
  return findUniquePoints(exploration as never).map(({ point }) => point)
}

describe('explorations', () => {
  test('C1 the last factor of a cartesian product varies fastest', () => {
    expect(points(cartesianProduct({ p: [1, 2, 3], q: [42, 52.5] }) as never)).toEqual(
      [1, 2, 3].flatMap((p) => [42, 52.5].map((q) => ({ p, q }))),
    )
  })

  test('C2 combined parameters advance together', () => {
    const product = cartesianProduct({ p: [42, 52.5], q: ['a', 'b'], r: [1, 2, 3] }, ['r', ['p', 'q']])
    expect(points(product as never)).toEqual(
      [1, 2, 3].flatMap((r) => [
        { r, p: 42, q: 'a' },
        { r, p: 52.5, q: 'b' },
      ]),
    )
  })

  test('C3 unique points and the runs that have each', () => {
    const traj = fresh({ g: 33, h: 'a' })
    traj.explore({ g: [1, 2, 1, 2, 1, 2], h: ['a', 'a', 'a', 'a', 'b', 'b'] })
    const seen = new Map<string, number>()
    for (const _ of traj.iterRuns()) {
      const key = `${traj.value('g')} ${traj.value('h')}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
    expect([...seen.values()]).toEqual([2, 2, 1, 1])
  })

  test('C4 dictionaries nest and flatten: toDict gives both', () => {
    const traj = fresh({ 'a.b.c': 4, 'a.c': 5, d: 4 })
    const group = traj.getGroup('parameters')
    expect(group.toDict({ fastAccess: true, nested: true })).toEqual({ a: { b: { c: 4 }, c: 5 }, d: 4 })
    expect(group.toDict({ fastAccess: true })).toEqual({
      'parameters.a.b.c': 4,
      'parameters.a.c': 5,
      'parameters.d': 4,
    })
  })

  test('C5 exploring again with the same length adds parameters; other lengths are refused', () => {
    const traj = fresh({ a: 1, b: 1 })
    traj.explore({ a: [1, 2, 3, 4] }).explore({ b: [1, 1, 1, 2] })
    expect(traj.length).toBe(4)
    expect(throwing(() => fresh({ a: 1, b: 1 }).explore({ a: [1, 2], b: [1] }))).toBe(
      'PYPET_EXPLORATION_LENGTH',
    )
  })

  test('C6 values of another type are refused', () => {
    expect(throwing(() => fresh({ a: 1n }).explore({ a: [1.5] }))).toBe('PYPET_PARAMETER_TYPE')
  })

  test('C7 an empty list is refused, and exploring what is explored or locked', () => {
    expect(throwing(() => fresh({ a: 1 }).explore({ a: [] }))).toBe('PYPET_EXPLORATION_EMPTY')
    const traj = fresh({ a: 1, q: 1 })
    traj.explore({ a: [1, 2] })
    traj.getParameter('a').unlock()
    expect(throwing(() => traj.explore({ a: [3, 4] }))).toBe('PYPET_PARAMETER_TYPE')
    traj.getParameter('q').lock()
    expect(throwing(() => traj.explore({ q: [1, 2] }))).toBe('PYPET_PARAMETER_LOCKED')
  })

  test('C9 expand appends, and names exactly what is explored', () => {
    const traj = fresh({ a: 33.33, b: 1 })
    traj.explore({ a: [3, 2, 1], b: [1, 1, 1] })
    expect(throwing(() => traj.expand({ a: [2] }))).toBe('PYPET_EXPLORATION_INVALID')
    traj.expand({ a: [42, 43.42], b: [1, 1] })
    expect(traj.getParameter('a').getRange()).toEqual([3, 2, 1, 42, 43.42])
  })

  test('C11 the values follow the run, and the default comes back', () => {
    const traj = fresh({ a: 7 })
    traj.explore({ a: [1, 2, 3] })
    traj.idx = 1
    const first = traj.value('a')
    traj.crun = 'run_00000002'
    const second = traj.value('a')
    traj.restoreDefault()
    expect([first, second, traj.value('a'), traj.idx, traj.crun]).toEqual([2, 3, 7, -1, null])
  })

  test('C12 findIdx yields the runs at which a predicate holds', () => {
    const traj = fresh({ x: 0, z: '' })
    traj.explore({ x: [1, 2, 3, 4], z: ['p', 'm', 't', 'b'] })
    const holds = (x: number, z: string) => (x === 2 || x === 4) && 'mb'.includes(z)
    expect([...traj.findIdx(['x', 'z'], holds)]).toEqual([1, 3])
    expect([...traj.findIdx('x', (x: number) => x === 12)]).toEqual([])
  })

  test('C13 shrink forgets the exploration, of a stored trajectory only when forced', async () => {
    const traj = fresh({ x: 0 })
    traj.explore({ x: [1, 2, 3, 4] }).shrink()
    expect([traj.length, Object.keys(traj.exploredParameters)]).toEqual([1, []])
    traj.explore({ x: [1, 2] })
    await traj.store()
    expect(throwing(() => traj.shrink())).toBe('PYPET_TRAJECTORY_STORED')
    expect(traj.shrink({ force: true }).length).toBe(1)
    traj.close()
  })
})

describe('parameters', () => {
  test('C8 reading locks, unlocking lets it be set', () => {
    const parameter = fresh({ a: 1 }).getParameter('a')
    parameter.get()
    expect(throwing(() => parameter.set(2))).toBe('PYPET_PARAMETER_LOCKED')
    parameter.unlock()
    expect(parameter.set(2).get()).toBe(2)
  })

  test('C10 records, mixed lists and what has no type are refused; empty lists and arrays are taken, which pypet refuses', () => {
    const add = (value: unknown) => throwing(() => fresh().addParameter('a', value as never))
    expect([{ b: 1 }, [1, 'a'], new Map(), undefined].map(add)).toEqual(
      Array(4).fill('PYPET_VALUE_UNSUPPORTED'),
    )
    expect([[], new Float64Array(0)].map(add)).toEqual([undefined, undefined])
  })

  test('C21 no parameters during a run; derived parameters and results', () => {
    const traj = fresh({ x: 1 })
    traj.startRun(0)
    expect(throwing(() => traj.addParameter('q', 1))).toBe('PYPET_PARAMETER_TYPE')
    expect(traj.addDerivedParameter('d', 1).fullName).toBe('derived_parameters.runs.run_00000000.d')
    expect(traj.addResult('r', 1).fullName).toBe('results.runs.run_00000000.r')
  })

  test('C22 a taken name is refused; with noClobber the old one is given back unchanged', () => {
    const traj = fresh()
    const known = traj.addParameter('a.b', 42)
    expect(throwing(() => traj.addParameter('a.b', 43))).toBe('PYPET_NAME_TAKEN')
    traj.noClobber = true
    const again = traj.addParameter('a.b', 43)
    expect([again === known, again.get()]).toEqual([true, 42])
  })

  test('C23 a preset is the value of the parameter that is added later; one that is never used is an error', () => {
    const traj = fresh()
    traj.presetParameter('x', 5)
    traj.addParameter('x', 1)
    expect(traj.value('x')).toBe(5)
    traj.assertPresetsUsed()
    traj.presetParameter('nope', 1)
    expect(throwing(() => traj.assertPresetsUsed())).toBe('PYPET_PRESET_UNUSED')
  })

  test('C57 each distinct array of a range is stored once', async () => {
    const [a, b] = [Float64Array.of(1, 2), Float64Array.of(3, 4)]
    const traj = fresh({ a })
    traj.explore({ a: [a, b, a.slice(), b] })
    await traj.store()
    traj.close()
    using content = await Hdf5Content.open(traj.filename)
    expect(content.names('/T/parameters/a/explored__rr__/set_00000')).toHaveLength(2)
    using loaded = await loadTrajectory(traj.filename)
    expect(loaded.getParameter('a').range).toMatchObject({ index: [0, 1, 0, 1] })
  })
})

describe('natural naming', () => {
  test('C14 the nearest depth wins', () => {
    const traj = fresh({ 'depth0.depth1.depth2.findme': 42, 'depth0.depth1.findme': 43 })
    expect(traj.value('findme')).toBe(43)
  })

  test('C15 the same name twice at one depth is ambiguous, and the candidates are listed', () => {
    const traj = fresh({ 'g1.test': 1, 'g2.test': 2 })
    expect(() => traj.get('test')).toThrow(/parameters\.g1\.test, parameters\.g2\.test/)
    expect(throwing(() => traj.get('test'))).toBe('PYPET_NAME_AMBIGUOUS')
  })

  test('C16 a missing name is an error, or the default that is asked for', () => {
    const traj = fresh({ a: 1 })
    expect(throwing(() => traj.get('nope'))).toBe('PYPET_NODE_NOT_FOUND')
    expect(traj.getDefault('nope', 5)).toBe(5)
  })

  test('C17 par, dpar, res and conf are the branches; without shortcuts nothing is skipped', () => {
    const traj = fresh()
    traj.addParameter('a.b', 1)
    traj.addResult('r', 1)
    traj.addConfig('c', 1)
    traj.addDerivedParameter('d', 1)
    expect(['par', 'dpar', 'res', 'conf'].map((word) => traj.get(word).fullName)).toEqual([
      'parameters',
      'derived_parameters',
      'results',
      'config',
    ])
    traj.shortcuts = false
    expect(throwing(() => traj.get('b'))).toBe('PYPET_NODE_NOT_FOUND')
    expect((traj.par as { a: { b: number } }).a.b).toBe(1)
  })

  test('C18 in a run results go below its group, and are found by its number', () => {
    const traj = fresh({ x: 1 })
    traj.explore({ x: [1, 2] })
    traj.idx = 1
    expect(traj.addResult('zz', 5).fullName).toBe('results.zz')
    traj.startRun(1)
    expect(traj.addResult('z', 5).fullName).toBe('results.runs.run_00000001.z')
    expect(
      ['crun.z', 'results.runs.r_1.z', 'run_1.z', 'results.runs.1.z'].map((name) => traj.value(name)),
    ).toEqual([5, 5, 5, 5])
  })

  test('C19 wildcards are replaced by the run’s name, and its set’s', () => {
    const traj = fresh({ x: 1 })
    traj.explore({ x: [1, 2] })
    const all = traj.addResult('wc.$.h', 1).fullName
    traj.idx = 1
    const one = traj.addResult('wc.$.h', 1).fullName
    const set = traj.addResult('bu.$set.v', 1).fullName
    expect([all, one, set]).toEqual([
      'results.wc.run_ALL.h',
      'results.wc.run_00000001.h',
      'results.bu.run_set_00000.v',
    ])
    expect([traj.wildcards.resolve('$', 4007), traj.wildcards.resolve('$set', 4007)]).toEqual([
      'run_00004007',
      'run_set_00004',
    ])
  })

  test('C20 illegal names are refused; Python’s keywords are no concern of ours', () => {
    const add = (name: string) => throwing(() => fresh().addParameter(name, 1))
    expect(['test..hh', 'test.::!.h', '_crun', 'e'.repeat(129)].map(add)).toEqual(
      Array(4).fill('PYPET_NAME_ILLEGAL'),
    )
    expect(add('test.$.k.$dsa')).toBe('PYPET_WILDCARD_UNKNOWN')
    expect(add('not.for')).toBeUndefined()
  })

  test('C24 iterNodes is breadth first, and a predicate of runs leaves out the others', () => {
    const traj = fresh({ x: 1 })
    traj.explore({ x: [1, 2] })
    traj.addResult('run_00000000.r', 42)
    traj.addResult('run_00000001.r', 43)
    const depths = [...traj.iterNodes()].map(({ depth }) => depth)
    expect(depths).toEqual([...depths].sort((a, b) => a - b))
    const names = [...traj.iterNodes({ predicate: [1] })].map(({ fullName }) => fullName)
    expect(names.some((name) => name.includes('run_00000000'))).toBe(false)
    expect(names).toContain('results.run_00000001.r')
  })

  test('C25 toDict by full names; ambiguous short ones are refused', () => {
    const group = fresh({ 'a.b': 1, 'c.b': 2 }).getGroup('parameters')
    expect(group.toDict({ fastAccess: true })).toEqual({ 'parameters.a.b': 1, 'parameters.c.b': 2 })
    expect(throwing(() => group.toDict({ shortNames: true }))).toBe('PYPET_NAME_AMBIGUOUS')
  })
})

describe('results', () => {
  test('C26 values without names are numbered', () => {
    const result = fresh().addResult('r').set(1, 2)
    expect([result.get('r_1'), result.get(1), result.get(0), result.toRecord()]).toEqual([
      2,
      2,
      1,
      { r: 1, r_1: 2 },
    ])
  })

  test('C27 get without a name needs exactly one item', () => {
    const result = fresh().addResult('test')
    expect(throwing(() => result.get())).toBe('PYPET_ITEM_NOT_FOUND')
    result.set(1, 2, 42)
    expect(throwing(() => result.get())).toBe('PYPET_NAME_AMBIGUOUS')
    expect(throwing(() => result.get('nope'))).toBe('PYPET_ITEM_NOT_FOUND')
  })

  test('C28 unsupported types are refused; null is taken, which pypet refuses', () => {
    expect(throwing(() => fresh().addResult('r', new Set([1])))).toBe('PYPET_VALUE_UNSUPPORTED')
    expect(fresh().addResult('r', null).get()).toBeNull()
  })

  test('C29 a result with one item of its own name is its value', () => {
    const traj = fresh()
    traj.addResult('z', 5)
    traj.addResult('m', { a: 1, b: 2 })
    expect([traj.res.z, (traj.res.m as { fullName: string }).fullName, traj.getResult('z').get()]).toEqual([
      5,
      'results.m',
      5,
    ])
  })

  test('C30 annotations are named, numbered, stored and loaded', async () => {
    const traj = fresh({ a: 1 })
    traj.getParameter('a').annotate('one', 2, { k: 3 })
    using loaded = await reloaded(traj)
    expect(loaded.get('a').annotations).toEqual({ annotation: 'one', annotation_1: 2, k: 3 })
  })

  test('C31 links lead to their node, also from the file, and go with it', async () => {
    const traj = fresh({ 'a.b': 1 })
    traj.addLink('lk', traj.get('parameters.a'))
    traj.addLink('again', 'lk')
    expect([traj.get('lk'), traj.get('again')]).toEqual([traj.get('parameters.a'), traj.get('parameters.a')])
    const loaded = await reloaded(traj)
    expect([loaded.get('lk') === loaded.get('parameters.a'), loaded.value('lk.b')]).toEqual([true, 1])
    loaded.close()
    const own = fresh({ 'a.b': 1 })
    own.addLink('lk', own.get('parameters.a'))
    own.getGroup('parameters').removeChild('a', { recursive: true })
    expect(own.contains('lk')).toBe(false)
  })

  test('C55 empty containers keep their types; a tuple is a list here', async () => {
    const traj = fresh()
    traj.addResult('r', { a: [], c: {}, d: new Float64Array(0) })
    using loaded = await reloaded(traj)
    expect(loaded.getResult('r').toRecord()).toEqual({ a: [], c: {}, d: new Float64Array(0) })
  })

  test('C56 a record of 600 fields survives', async () => {
    const d = Object.fromEntries(
      Array.from({ length: 600 }, (_, index) => [`k${String(index).padStart(4, '0')}`, index]),
    )
    const traj = fresh()
    traj.addResult('r', { d })
    using loaded = await reloaded(traj)
    expect(loaded.getResult('r').get('d')).toEqual(d)
  })
})

describe('runs', () => {
  test('C32 what the jobs returned is sorted by run, and every run is completed', async () => {
    const { filename, result } = await performed()
    expect(result.returned).toEqual([4, 5, 8, 10, 12, 15].map((value, index) => ({ run: index, value })))
    using traj = await loadTrajectory(filename)
    expect(traj.isCompleted()).toBe(true)
  })

  test('C33 the skeleton has the nodes without data; loading gives the data', async () => {
    const { filename } = await performed()
    const traj = await loadTrajectory(filename, { autoLoad: false })
    await traj.loadSkeleton()
    expect(traj.getResult('results.runs.run_00000001.z').isEmpty).toBe(true)
    await traj.load({ results: 'data' })
    expect(traj.value('results.runs.run_00000001.z')).toBe(5)
    traj.close()
  })

  test('C34 getFromRuns gives one value a run, and those of run_ALL where a run has none', async () => {
    const { filename } = await performed()
    using traj = await loadTrajectory(filename)
    expect(traj.getFromRuns('z', { useIndices: true })).toEqual({ 0: 4, 1: 5, 2: 8, 3: 10, 4: 12, 5: 15 })
    expect(Object.keys(traj.getFromRuns('z'))[5]).toBe('run_00000005')
    const own = fresh({ x: 1 })
    own.explore({ x: [1, 2] })
    own.addResult('runs.run_ALL.w', 1)
    own.addResult('runs.run_00000001.w', 2)
    expect(own.getFromRuns('w')).toEqual({ run_00000000: 1, run_00000001: 2 })
  })

  test('C35 the file is the same from one core and from two, from QUEUE and LOCK; there is nothing that PIPE and LOCAL would add', async () => {
    const values = async (ncores: number, wrapMode = 'queue') => {
      const { filename } = await performed({ settings: { ncores, wrapMode } })
      using traj = await loadTrajectory(filename)
      return [traj.getFromRuns('z'), traj.getParameter('x').getRange()]
    }
    const expected = await values(1)
    expect(await values(2)).toEqual(expected)
    expect(await values(2, 'lock')).toEqual(expected)
  })

  test.each([
    ['an unknown option', { nonsense: 1 }, 'PYPET_CONFIG_UNKNOWN_KEY'],
    ['freeze_input, which does not exist here', { freezeInput: true }, 'PYPET_CONFIG_UNKNOWN_KEY'],
    ['a port with the lock', { port: 3000, wrapMode: 'lock' }, 'PYPET_CONFIG_UNKNOWN_KEY'],
    ['a cap of the memory of 0', { memoryCap: 0, ncores: 2 }, 'PYPET_USAGE'],
    ['a cap of the swap space of 101', { swapCap: 101, ncores: 2 }, 'PYPET_USAGE'],
    ['a process a run, and threads', { isolate: true, executor: 'pool' }, 'PYPET_CONFIG_INVALID'],
    ['inline with a time limit', { executor: 'inline', timeout: 1 }, 'PYPET_CONFIG_INVALID'],
    ['a negative number of cores', { ncores: -1 }, 'PYPET_USAGE'],
    ['a cap of the processors of 0', { cpuCap: 0, ncores: 2 }, 'PYPET_USAGE'],
    ['a cap of the processors of 101', { cpuCap: 101, ncores: 2 }, 'PYPET_USAGE'],
    ['several workers and none of several', { multiproc: false, executor: 'pool' }, 'PYPET_CONFIG_INVALID'],
    ['a process a run, and the main thread', { isolate: true, executor: 'inline' }, 'PYPET_CONFIG_INVALID'],
    ['a memory limit of threads', { memoryLimit: 100, executor: 'pool' }, 'PYPET_CONFIG_INVALID'],
    ['a niceness of the main thread', { niceness: 5, executor: 'inline' }, 'PYPET_CONFIG_INVALID'],
    ['no wrapping of the HDF5 file', { wrapMode: 'none' }, 'PYPET_CONFIG_INVALID'],
    ['a .cnt file that is kept and is not', { keepCnt: true, continuable: false }, 'PYPET_CONFIG_INVALID'],
    ['a seed below 0', { seed: -1 }, 'PYPET_USAGE'],
    ['a seed beyond 2^53', { seed: 2 ** 53 }, 'PYPET_USAGE'],
  ])('C36 %s is refused', async (_, settings, code) => {
    expect(await rejecting(() => performed({ settings }))).toBe(code)
    // A service may still be given to its trajectory.
    if ('useHdf5' in settings) return
    expect(await rejecting(async () => new Environment(settings as object))).toBe(code)
  })

  test('C36 no HDF5 file and no service is refused; an environment may get the service until it runs', async () => {
    expect(await rejecting(() => performed({ settings: { useHdf5: false } }))).toBe('PYPET_CONFIG_INVALID')
    await using env = new Environment({ useHdf5: false })
    expect(await rejecting(() => env.run(() => 1))).toBe('PYPET_CONFIG_INVALID')
  })

  test('C36 a pool with immediate post-processing, and the queue with continuing, exclude each other in pypet, not here', () => {
    const settings = {
      ncores: 2,
      immediatePostprocessing: true,
      wrapMode: 'queue',
      continuable: true,
    } as const
    expect(() => new Environment(settings)).not.toThrow()
  })

  test('C37 an error in a run does not stop the others, as it would in pypet: it is recorded, and what is stored stays', async () => {
    const folder = fileTree({ 'job.mjs': JOB })
    const { exitCode } = await pypet(
      folder,
      ['run', 'job.mjs', '--explore', 'x=1,2,3,4', '--file', 'f.h5', '--quiet'],
      {
        NODE_OPTIONS: '--import=data:text/javascript,process.env.PYPET_TEST_FAIL="2"',
      },
    )
    expect(exitCode).toBe(3)
    using traj = await loadTrajectory(join(folder, 'f.h5'))
    expect([0, 1, 2, 3].map((index) => traj.runInformation(index).completed)).toEqual([
      true,
      true,
      false,
      true,
    ])
    expect(traj.runInformation(2).failed).toBe(true)
  })

  const scripted = () => {
    const folder = fileTree({})
    const options = { filename: join(folder, 'f.h5'), logFolder: join(folder, 'logs') }
    const env = new Environment({ trajectory: 'script', parameters: { x: 0, y: 1 }, ...options })
    const job = (traj: Run, ...args: readonly unknown[]) => {
      const { x, y } = traj.par as { x: number; y: number }
      traj.addResult('z', x * y)
      return [x * y, ...args]
    }
    return { env, job }
  }

  test('C38 post-processing is called after the runs, may expand, and the new runs are performed', async () => {
    const { env, job } = scripted()
    await using _ = env
    env.trajectory.explore(cartesianProduct({ x: [1, 2, 3], y: [4, 5] }))
    const counts: number[] = []
    env.addPostprocessing((traj, results) => {
      counts.push(results.length)
      if (results.length === 6) traj.expand({ x: [9], y: [9] })
    })
    const results = await env.run(job)
    expect(counts).toEqual([6, 7])
    expect(results.at(-1)).toEqual([6, [81]])
    expect(env.trajectory.getFromRuns('z', { useIndices: true })[6]).toBe(81)
  })

  test('C39 a pipeline gives the job and its arguments, and is as a call of run', async () => {
    const { env, job } = scripted()
    await using _ = env
    const results = await env.pipeline((traj) => {
      traj.explore({ x: [1, 2], y: [3, 4] })
      return [job, ['an argument', 5]]
    })
    expect(results).toEqual([
      [0, [3, 'an argument', 5]],
      [1, [8, 'an argument', 5]],
    ])
  })

  test('C40 runMap gives each run its own argument', async () => {
    const { env, job } = scripted()
    await using _ = env
    env.trajectory.explore({ x: [1, 2], y: [3, 4] })
    expect(await env.runMap(job, ['a', 'b'], new Set([10, 20]))).toEqual([
      [0, [3, 'a', 10]],
      [1, [8, 'b', 20]],
    ])
    await expect(scripted().env.runMap(job, [])).rejects.toMatchObject({ code: 'PYPET_EXPLORATION_LENGTH' })
  })

  test('C41 after reloading only the new runs are performed, and the old results stay', async () => {
    const { folder, filename } = await performed()
    const { stdout } = await pypet(folder, [
      'expand',
      'f.h5',
      '--explore',
      'x=7',
      '--explore',
      'y=8',
      '--json',
    ])
    const stored = stdout.split('\n').filter((line) => line.includes('"runs":[6]'))
    expect(stored).toHaveLength(1)
    using traj = await loadTrajectory(filename)
    expect([
      traj.length,
      traj.value('results.runs.run_00000006.z'),
      traj.value('results.runs.run_00000000.z'),
    ]).toEqual([7, 56, 4])
  })

  test('C52 equal comments are stored once, unless they are not purged', async () => {
    const counts: number[] = []
    for (const purgeDuplicateComments of [true, false]) {
      const { filename } = await performed({ settings: { purgeDuplicateComments } })
      using traj = await loadTrajectory(filename)
      counts.push(traj.getAll('z').filter(({ comment }) => comment !== '').length)
    }
    expect(counts).toEqual([1, 6])
  })

  // pypet 0.7 looks for the comment alone, so that `w` would have none. The original document says: "since it is already
  // part of the very first result with the name 'my_result'". A name without its comment helps nobody, so we keep to that.
  test('C52 a comment is purged by the name of its result and its text, in continue and expand as well', async () => {
    const job = `
      import { defineExperiment } from 'pypet-ts'
      export default defineExperiment({ name: 'T', parameters: { x: 1 }, run(traj) {
        if (process.env.PYPET_TEST_FAIL === String(traj.idx)) throw new RangeError('x')
        for (const name of ['z', 'w']) traj.addResult(name, traj.par.x, { comment: 'the same' })
        traj.addDerivedParameter('d', traj.par.x, { comment: 'the same' })
        traj.addResult('own', 1, { comment: 'of ' + traj.idx })
      } })`
    const folder = fileTree({ 'job.mjs': job })
    const commented = async () => {
      using traj = await loadTrajectory(join(folder, 'f.h5'))
      const all = ['z', 'w', 'd'].flatMap((name) => traj.getAll(name))
      const own = traj.getAll('own').map(({ comment }) => comment)
      return [all.filter(({ comment }) => comment !== '').map(({ name }) => name), new Set(own).size]
    }
    const quiet = ['--no-log', '--quiet']
    const words = ['run', 'job.mjs', '--explore', 'x=1,2,3', '--file', 'f.h5', ...quiet]
    expect(await pypet(folder, words, { PYPET_TEST_FAIL: '2' })).toMatchObject({ exitCode: 3 })
    expect(await pypet(folder, ['continue', 'f.h5', '--retry-failed', ...quiet])).toMatchObject({
      exitCode: 0,
    })
    expect(await commented()).toEqual([['z', 'w', 'd'], 3])
    const expanding = await pypet(folder, ['expand', 'f.h5', '--explore', 'x=4,5', ...quiet])
    expect(expanding).toMatchObject({ exitCode: 0 })
    expect(await commented()).toEqual([['z', 'w', 'd'], 5])
  })

  test('C54 the table of runs says what each was', async () => {
    const { filename } = await performed()
    using traj = await loadTrajectory(filename)
    expect(traj.runInformation('run_00000000')).toMatchObject({
      idx: 0,
      name: 'run_00000000',
      parameterSummary: 'x: 1.0,   y: 4.0',
      completed: true,
    })
    const hexsha = String(traj.value('config.hexsha'))
    expect(traj.runInformation(5).environmentHexsha).toBe(hexsha.slice(0, 7))
    expect(traj.runInformation(5).runtime).toBeGreaterThan(0)
  })

  test('C60 continuing runs only what is missing; our journal is one .cnt file, removed at the end', async () => {
    const folder = fileTree({ 'job.mjs': JOB })
    const fail = { NODE_OPTIONS: '--import=data:text/javascript,process.env.PYPET_TEST_FAIL="2"' }
    await pypet(folder, ['run', 'job.mjs', '--explore', 'x=1,2,3,4', '--file', 'f.h5', '--quiet'], fail)
    expect(existsSync(join(folder, 'T.cnt'))).toBe(true)
    const { exitCode } = await pypet(folder, ['continue', 'T.cnt', '--retry-failed', '--quiet'])
    expect([exitCode, existsSync(join(folder, 'T.cnt'))]).toEqual([0, false])
    using traj = await loadTrajectory(join(folder, 'f.h5'))
    expect(traj.getFromRuns('z', { useIndices: true })).toEqual({ 0: 1, 1: 2, 2: 3, 3: 4 })
  })

  test('C62 single runs by hand: iterRuns goes through them, and what is added is stored by store', async () => {
    const traj = fresh({ x: 1 })
    traj.explore({ x: [3, 4] })
    for (const _ of traj.iterRuns()) traj.addResult('z', traj.value<number>('x') * 2)
    using loaded = await reloaded(traj)
    expect(loaded.value('results.runs.run_00000001.z')).toBe(8)
  })

  test('C63 progress is shown by the command, not by a function for jobs', async () => {
    const folder = fileTree({ 'job.mjs': JOB })
    const { stdout } = await pypet(folder, ['run', 'job.mjs', '--explore', 'x=0:50', '--file', 'f.h5'])
    expect(stdout).toContain('100 %  50 of 50 runs')
  })
})

describe('files', () => {
  test('C42 a name that is taken is refused; the file can be replaced', async () => {
    const { filename, folder } = await performed()
    const again = (settings: Record<string, unknown>) =>
      run(join(folder, 'job.mjs'), {
        options: { filename, logFolder: join(folder, 'logs'), ...settings } as never,
        explore: ['x=1'],
      })
    expect(await rejecting(() => again({}))).toBe('PYPET_TRAJECTORY_EXISTS')
    expect((await again({ overwrite: true })).runCount).toBe(1)
    expect(await rejecting(() => new Trajectory({ name: 'T', filename }).store())).toBe(
      'PYPET_TRAJECTORY_EXISTS',
    )
  })

  test('C43 every older version loads; one of a newer pypet-ts is refused unless forced', async () => {
    const { filename, folder } = await performed()
    const newer = join(folder, 'newer.h5')
    copyFileSync(filename, newer)
    const { setVersion } = await import('./newer-file.ts')
    await setVersion(newer, 'T', 'pypet-ts 99.0.0')
    expect(await rejecting(() => loadTrajectory(newer))).toBe('PYPET_TRAJECTORY_NEWER')
    using traj = await loadTrajectory(newer, { force: true })
    expect(traj.length).toBe(6)
  })

  test('C44 levels: nothing, the skeleton, the data, and the data over what is in memory', async () => {
    const traj = fresh()
    traj.addResult('r', 1, { comment: 'cc' })
    await traj.store()
    traj.close()
    const load = (results: 0 | 1 | 2) => loadTrajectory(traj.filename, { results, autoLoad: false })
    using nothing = await load(0)
    using skeleton = await load(1)
    using data = await load(2)
    data.getResult('r').setItem('r', 99)
    await data.load({ results: 2 })
    const kept = data.value('r')
    await data.load({ results: 3 })
    expect([
      nothing.contains('results.r'),
      skeleton.getResult('r').isEmpty,
      skeleton.get('r').comment,
      kept,
      data.value('r'),
    ]).toEqual([false, true, 'cc', 99, 1])
  })

  test('C45 an index counts trajectories by the order of their names', async () => {
    const filename = join(fileTree({}), 'f.h5')
    for (const name of ['bbb', 'aaa']) {
      const traj = new Trajectory({ name, filename })
      await traj.store()
      traj.close()
    }
    using last = await loadTrajectory(filename, { index: -1 })
    expect(last.name).toBe('bbb')
    expect(await rejecting(() => loadTrajectory(filename, { index: 5 }))).toBe('PYPET_TRAJECTORY_NOT_FOUND')
    expect(await rejecting(() => loadTrajectory(filename))).toBe('PYPET_TRAJECTORY_NOT_FOUND')
  })

  test('C46 as new: the parameters and their exploration, under another name', async () => {
    const { filename } = await performed()
    const traj = await loadTrajectory(filename, { asNew: 'N' })
    expect([traj.name, traj.length, Object.keys(traj.exploredParameters), traj.contains('z')]).toEqual([
      'N',
      6,
      ['parameters.x', 'parameters.y'],
      false,
    ])
    expect(traj.shrink().length).toBe(1)
  })

  test('C47 maxDepth stores down to a level', async () => {
    const traj = fresh({ 'd1.d2.d3.d4.d5': 5 })
    await traj.store({ maxDepth: 4 })
    traj.close()
    using loaded = await loadTrajectory(traj.filename)
    expect([loaded.contains('d3'), loaded.contains('d4')]).toEqual([true, false])
  })

  test('C48 what was removed from memory is loaded again on access', async () => {
    const traj = fresh()
    traj.addResult('I.am', 42)
    await traj.store()
    traj.getGroup('results').removeChild('I', { recursive: true })
    traj.autoLoad = true
    expect(traj.value('results.I.am')).toBe(42)
    traj.close()
  })

  test('C49 loading only some items, or all but some', async () => {
    const traj = fresh()
    traj.addResult('r', { a: 1, b: 2 })
    await traj.store()
    traj.close()
    using loaded = await loadTrajectory(traj.filename, { autoLoad: false })
    await loaded.loadItem('r', { only: 'a' })
    expect(loaded.getResult('r').toRecord()).toEqual({ a: 1 })
    expect(await rejecting(() => loaded.loadItem('r', { only: 'a', except: 'b' }))).toBe('PYPET_USAGE')
    await loaded.loadItem('r', { except: 'a' })
    expect(loaded.getResult('r').toRecord()).toEqual({ a: 1, b: 2 })
  })

  test('C50 storing again does not overwrite, unless it is told to', async () => {
    const traj = fresh()
    traj.addResult('r', 1)
    await traj.store()
    traj.getResult('r').setItem('r', 'longer than before')
    expect(await rejecting(() => traj.store())).toBe('PYPET_TRAJECTORY_STORED')
    const read = async () => {
      using loaded = await loadTrajectory(traj.filename)
      return loaded.value('r')
    }
    const before = await read()
    await traj.storeItem('r', { overwrite: true })
    expect([before, await read()]).toEqual([1, 'longer than before'])
    traj.close()
  })

  test('C51 what is deleted is not in the file any more, and its space is given back by compact', async () => {
    const traj = fresh()
    traj.addResult('r', new Float64Array(100_000).fill(1.5))
    traj.addResult('kept', 2)
    await traj.store()
    await traj.deleteItem('r')
    traj.getResult('r').empty()
    expect(await rejecting(() => traj.loadItem('results.r'))).toBe('PYPET_DATA_NOT_STORED')
    const { bytesBefore, bytesAfter } = await traj.compact()
    expect(bytesBefore - bytesAfter).toBeGreaterThan(700_000)
    traj.close()
    using loaded = await loadTrajectory(traj.filename)
    expect([loaded.contains('r'), loaded.value('kept')]).toEqual([false, 2])
  })

  test('C53 overviews stop at 1000 rows, and cut comments that the nodes keep whole', async () => {
    const traj = new Trajectory({ name: 'T', filename: join(fileTree({}), 'f.h5') })
    for (let index = 0; index < 1010; index += 1) traj.addParameter(`p${index}`, index)
    traj.get('p0').comment = 'k'.repeat(600)
    await traj.store()
    traj.close()
    using reader = await openHdf5Reader(traj.filename)
    const comments: unknown[] = []
    reader.scanRows('/T/overview/parameters_overview', ['comment'], (_, [comment]) => comments.push(comment))
    expect(comments).toHaveLength(1000)
    expect(comments[0]).toBe(`${'k'.repeat(509)}...`)
    using loaded = await loadTrajectory(traj.filename)
    expect(loaded.get('p0').comment).toHaveLength(600)
  })

  test('C58 merging adds the runs; duplicates can be left out, and where all of them are, none is added (pypet refuses)', async () => {
    const a = await performed({ name: 'A', explore: ['x=1,2'] })
    const b = await performed({ name: 'B', explore: ['x=2,3'] })
    const file = join(a.folder, 'c.h5')
    await mergeFiles([{ file: a.filename }, { file: b.filename }], { file }, { removeDuplicates: true })
    using traj = await loadTrajectory(file)
    expect([traj.length, traj.value('results.runs.run_00000002.z')]).toEqual([3, 3])
    const into = { file: `${file}2` }
    await mergeFiles([{ file }, { file: b.filename }], into, { removeDuplicates: true })
    using again = await loadTrajectory(into.file)
    expect(again.length).toBe(3)
  })

  test('C59 trials are counted on', async () => {
    const a = await performed({ name: 'A', explore: ['trial=0,1'] })
    const b = await performed({ name: 'B', explore: ['trial=0,1,2'] })
    const file = join(a.folder, 'c.h5')
    await mergeFiles([{ file: a.filename }, { file: b.filename }], { file }, { trialParameter: 'trial' })
    using traj = await loadTrajectory(file)
    expect(traj.getParameter('trial').getRange()).toEqual([0, 1, 2, 3, 4])
  })

  test('C61 a backup lies beside the file, and a trajectory can move into another', async () => {
    const traj = new Trajectory({ name: 'Bk', filename: join(fileTree({}), 'f.h5') })
    traj.addResult('a.b', 42)
    await traj.store()
    expect(existsSync(await traj.backup())).toBe(true)
    const filename = join(fileTree({}), 'g.h5')
    await traj.migrate({ filename })
    traj.addResult('c', 1)
    await traj.store()
    traj.close()
    using loaded = await loadTrajectory(filename)
    expect([loaded.value('a.b'), loaded.value('c')]).toEqual([42, 1])
  })
})
