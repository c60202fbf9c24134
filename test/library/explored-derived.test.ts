/** Derived parameters that a script adds are explored as others are, through all that is done with an experiment. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import {
  cartesianProduct,
  continueRun,
  Environment,
  integer,
  type JobResults,
  loadTrajectory,
  mergeFiles,
  mergeInto,
  type Run,
  Trajectory,
  verify,
} from '../../src/index.ts'
import { prepareExpansion } from '../../src/library/expand.ts'
import { performPrepared } from '../../src/library/run.ts'
import { summariseFile } from '../../src/results/summarise.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `import { existsSync } from 'node:fs'
export default function job(traj) {
  const { d } = traj.dpar.group
  if (d === 20 && existsSync(import.meta.dirname + '/broken')) throw new Error('not yet')
  const explored = traj.get('derived_parameters.group.d')
  if (traj.value('d') !== d || explored.get() !== d || !explored.isExplored || traj.dpar.d !== d) throw new Error('differs')
  const individual = traj.value('individual').map(Number)
  traj.addResult('z', [traj.par.x, d, ...individual, traj.dpar.constant])
  traj.addResult('draw', traj.random.uniform())
  traj.addDerivedParameter('own', d * 2)
  return [traj.par.x, d, [...individual]]
}`

const POINTS = {
  x: [1, 2, 3],
  'derived_parameters.group.d': [10, 20, 30],
  'derived_parameters.individual': [
    [1, 0],
    [1, 1],
    [1, 0],
  ],
}
const SEEN = [
  [1, 10, [1, 0]],
  [2, 20, [1, 1]],
  [3, 30, [1, 0]],
]
const EXPLORED = ['parameters.x', 'derived_parameters.group.d', 'derived_parameters.individual']

function withDerived<Traj extends Pick<Trajectory, 'addDerivedParameter'>>(traj: Traj): Traj {
  traj.addDerivedParameter('group.d', 0, { comment: 'derived' }).annotate({ unit: 'mm' })
  traj.addDerivedParameter('individual', [integer(0), integer(0)])
  traj.addDerivedParameter('constant', 7)
  return traj
}

function derivedIn(folder: string, name = 'f.h5'): Trajectory {
  const traj: Trajectory = new Trajectory({ name: 'T', filename: join(folder, name) })
  traj.addParameter('x', 0)
  return withDerived(traj)
}

/** All that a file says of each run's point. */
async function pointsIn(file: string): Promise<unknown[]> {
  using traj = await loadTrajectory(file)
  return Array.from(traj.iterRuns(), () => [
    traj.par.x,
    (traj.dpar as { group: { d: number } }).group.d,
    traj.value('individual'),
  ])
}

const values = (results: JobResults) => results.map(([, value]) => value)

test('a derived parameter is explored by its full name, or by a shortcut where no parameter has the name', async () => {
  const folder = fileTree({})
  const traj = derivedIn(folder)
  traj.addDerivedParameter('x', 5)
  traj.explore({ ...POINTS, 'derived_parameters.x': [5, 6, 7] })
  expect(Object.keys(traj.exploredParameters)).toEqual([...EXPLORED, 'derived_parameters.x'])
  expect([
    ...traj.findIdx(['derived_parameters.group.d', 'x'], (d: number, x: number) => d > 10 && x < 3),
  ]).toEqual([1])
  traj.expand({ 'parameters.x': [4], d: [40], individual: [[0, 0]], 'dpar.x': [8] })
  await traj.store()
  traj.close()
  using again = await loadTrajectory(traj.filename)
  expect(again.getParameter('dpar.x').getRange()).toEqual([5, 6, 7, 8])
  expect(again.runInformation(3).parameterSummary).toBe(
    'd: 40.0,   individual: [0, 0],   x: 8.0,   parameters.x: 4.0',
  )
  again.idx = 1
  expect(again.dpar).toMatchObject({ group: { d: 20 }, individual: [1, 1], x: 6, constant: 7 })
})

test('what belongs to a run, or to config, is not explored; and no parameter is called as a derived one', () => {
  const traj = derivedIn(fileTree({}))
  traj.addConfig('limit', 1)
  traj.startRun(0)
  traj.addDerivedParameter('own', 1)
  traj.restoreDefault()
  expect(() => traj.explore({ own: [1] })).toThrow(
    'cannot explore derived_parameters.runs.run_00000000.own: it belongs to one run',
  )
  expect(() => traj.explore({ 'config.limit': [1] })).toThrow(
    'cannot explore config.limit: it belongs to config',
  )
  expect(() => traj.explore({ e: [1] })).toThrow('parameters has no e')
  expect(() => traj.addParameter('derived_parameters.d', 1)).toThrow('derived parameters use it')
  expect(() => new Trajectory({ parameters: { derived_parameters: { d: 1 } } })).toThrow(
    'derived parameters use it',
  )
})

test.each([
  { executor: 'inline', wrapMode: 'queue' },
  { executor: 'pool', wrapMode: 'lock' },
  { executor: 'process', wrapMode: 'queue' },
] as const)(
  'a job sees the values of its run, and of points that are added ($executor, $wrapMode)',
  async (options) => {
    const folder = fileTree({ 'job.mjs': JOB })
    await using env = new Environment({
      trajectory: 'T',
      filename: join(folder, 'f.h5'),
      logging: false,
      ncores: 2,
      parameters: { x: 0 },
      ...options,
    })
    withDerived(env.trajectory)
    env.trajectory.explore(POINTS)
    const job = join(folder, 'job.mjs')
    expect(values(await env.run(job))).toEqual(SEEN)
    env.trajectory.expand({
      x: [4],
      'derived_parameters.group.d': [40],
      'derived_parameters.individual': [[0, 0]],
    })
    expect(values(await env.run(job))).toEqual([[4, 40, [0, 0]]])
    const { trajectory: traj } = env
    // The same in every executor and mode, since nothing but the values decides.
    expect(traj.getFromRuns('draw')).toMatchObject({
      run_00000000: 0.11915517004946086,
      run_00000001: 0.4226510655393183,
      run_00000002: 0.26037072003014894,
    })
    expect(traj.getFromRuns('z')).toMatchObject({
      run_00000001: [2, 20, 1, 1, 7],
      run_00000003: [4, 40, 0, 0, 7],
    })
  },
)

test('an experiment is continued, expanded and verified; what its file says is whole', async () => {
  const folder = fileTree({ 'job.mjs': JOB, broken: '' })
  const [file, job] = [join(folder, 'f.h5'), join(folder, 'job.mjs')]
  {
    const options = { filename: file, logging: false, executor: 'inline', parameters: { x: 0 } } as const
    await using env = new Environment({ trajectory: 'T', ...options })
    withDerived(env.trajectory)
    env.trajectory.explore(POINTS)
    expect(values(await env.run(job))).toEqual([SEEN[0], SEEN[2]])
  }
  rmSync(join(folder, 'broken'))
  expect(await continueRun(file, { retryFailed: true })).toMatchObject({ storedCount: 3, failedCount: 0 })
  expect(await pointsIn(file)).toEqual(SEEN)
  const explore = ['x=3', 'derived_parameters.group.d=30,40', 'derived_parameters.individual=[1,0]']
  const expansion = await prepareExpansion({ file, job, explore, flags: { logging: false } })
  {
    await using experiment = expansion.experiment
    expect([expansion.addedCount, expansion.knownCount]).toEqual([1, 1])
    await performPrepared(experiment, {})
  }
  expect((await pointsIn(file))[3]).toEqual([3, 40, [1, 0]])
  expect(await verify(file, { runs: 'all' })).toMatchObject({ identicalCount: 4, differentCount: 0 })
  const { trajectories } = await summariseFile(file)
  expect(trajectories[0]?.explored.map(({ name }) => name)).toEqual([
    'x',
    'derived_parameters.group.d',
    'derived_parameters.individual',
  ])
  expect(trajectories[0]?.derivedParameters.entries.map(({ name }) => name)).toEqual(['own', 'constant'])
})

test('where nothing is explored, points of a derived parameter can be added: its default is the first of them', async () => {
  const folder = fileTree({ 'job.mjs': JOB.replace(' || !explored.isExplored', '') })
  const [file, job] = [join(folder, 'f.h5'), join(folder, 'job.mjs')]
  {
    await using env = new Environment({ trajectory: derivedIn(folder), logging: false, executor: 'inline' })
    await env.run(job)
  }
  const explore = ['derived_parameters.group.d=0,40']
  const expansion = await prepareExpansion({ file, job, explore, flags: { logging: false } })
  await using experiment = expansion.experiment
  expect([expansion.addedCount, expansion.knownCount]).toEqual([1, 1])
  await performPrepared(experiment, {})
  expect(await pointsIn(file)).toEqual([
    [0, 0, [0, 0]],
    [0, 40, [0, 0]],
  ])
  // The random numbers of the first are what they were.
  expect(await verify(file, { runs: 'all' })).toMatchObject({ identicalCount: 2 })
})

/** A trajectory that a script has performed at some points. */
async function performed(folder: string, name: string, points: object): Promise<Trajectory> {
  const traj = derivedIn(folder, name)
  traj.explore(points)
  for (const _ of traj.iterRuns()) {
    traj.addResult('z', traj.value<number>('d'))
    traj.finishRun()
  }
  await traj.store()
  return traj
}

test('trajectories that explore a derived parameter are merged with its values: in memory, in place, and into a new file', async () => {
  const folder = fileTree({})
  const [a, b, c] = ['a.h5', 'b.h5', 'c.h5'].map((name) => join(folder, name)) as [string, string, string]
  const first = await performed(folder, 'a.h5', {
    d: [10, 20],
    individual: [
      [1, 0],
      [1, 1],
    ],
  })
  // Where it is not explored it has its default.
  const second = await performed(folder, 'b.h5', { x: [1, 2] })
  second.close()
  const merged = [
    [0, 10, [1, 0]],
    [0, 20, [1, 1]],
    [1, 0, [0, 0]],
    [2, 0, [0, 0]],
  ]
  first.close()
  const report = await mergeFiles([{ file: a }, { file: b }], { file: c })
  expect(report.merged[0]?.leftOut).toEqual([])
  expect(await pointsIn(c)).toEqual(merged)
  await mergeInto({ file: b }, [{ file: a }])
  expect(await pointsIn(b)).toEqual([...merged.slice(2), ...merged.slice(0, 2)])
  const inMemory = derivedIn(folder, 'd.h5')
  inMemory.explore({ d: [30], individual: [[0, 1]] })
  using other = await loadTrajectory(a)
  await inMemory.merge(other)
  expect(inMemory.getParameter('d').getRange()).toEqual([30, 10, 20])
  expect(inMemory.getFromRuns('z')).toEqual({ run_00000001: 10, run_00000002: 20 })
  using explored = await loadTrajectory(c)
  const lacking = new Trajectory({ name: 'T', filename: join(folder, 'e.h5'), parameters: { x: 0 } })
  await expect(lacking.merge(explored)).rejects.toThrow('derived_parameters.group.d is missing here')
})

test('a trajectory that is loaded as a new one explores what the stored one does', async () => {
  const filename = join(fileTree({}), 'f.h5')
  const stored = withDerived(new Trajectory({ name: 'T', filename, parameters: { x: 0 } }))
  // @ts-expect-error There is no such parameter, whatever is derived.
  expect(() => stored.explore({ nope: [1] })).toThrow('parameters has no nope')
  stored.explore(cartesianProduct({ x: [1, 2], 'derived_parameters.group.d': [10, 20] }) as never)
  await stored.store()
  stored.close()
  const fresh = await loadTrajectory(filename, { asNew: 'again' })
  expect(fresh.getParameter('d').getRange()).toEqual([10, 20, 10, 20])
  expect(fresh.contains('constant')).toBe(false)
})

test('what pypet explores among the derived parameters is read, and can be added to', async () => {
  const file = join(fileTree({}), 'pypet.h5')
  writeFileSync(file, gunzipSync(readFileSync(new URL('../fixtures/pypet/e_derived.h5.gz', import.meta.url))))
  const before = [
    [1, 10, [1, 0, 0]],
    [2, 20, [1, 1, 0]],
  ]
  expect(await pointsIn(file)).toEqual(before)
  {
    using traj = await loadTrajectory(file)
    expect(Object.keys(traj.exploredParameters).sort()).toEqual([...EXPLORED].sort())
    traj.expand({
      x: [3, 4, 5],
      d: [30, 40, 50],
      individual: [
        [1, 1, 0],
        [0, 0, 1],
        [1, 1, 0],
      ],
    })
    await traj.store()
  }
  // The numbers of its arrays are half as wide as ours.
  const more = [
    [3, 30, [1, 1, 0]],
    [4, 40, [0, 0, 1]],
    [5, 50, [1, 1, 0]],
  ]
  expect(await pointsIn(file)).toEqual([...before, ...more])
  const loaded = await loadTrajectory(file)
  await using env = new Environment({ trajectory: loaded, filename: file, logging: false })
  const last = { x: [6, 7], d: [60, 70], individual: [POINT, POINT] }
  env.addPostprocessing((traj) => void (traj.length < 7 && traj.expand(last)))
  expect(values(await env.run((run: Run) => run.value('d')))).toEqual([10, 20, 30, 40, 50, 60, 70])
  expect((await pointsIn(file)).slice(4)).toEqual([more[2], [6, 60, POINT], [7, 70, POINT]])
})

const POINT = [0, 1, 1]
