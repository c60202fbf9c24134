/**
 * What JavaScript has no literal for is explored as numbers are: complex numbers, dates, and instances of a class of the
 * user's own that stores several values by name.
 */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  cartesianProduct,
  continueRun,
  Environment,
  type JobResults,
  loadTrajectory,
  mergeFiles,
  mergeInto,
  Trajectory,
  verify,
} from '../../src/index.ts'
import { openHdf5Reader } from '../../src/reading/reader.ts'
import { compactFile } from '../../src/storage/edit/compact-file.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

/** Its `store()` gives several values by name. */
class Spectrum {
  readonly name: string
  readonly peaks: readonly number[]

  constructor(name: string, peaks: readonly number[]) {
    this.name = name
    this.peaks = peaks
  }

  store() {
    return { name: this.name, peaks: this.peaks }
  }

  static load({ name, peaks }: { name: string; peaks: readonly number[] }): Spectrum {
    return new Spectrum(name, peaks)
  }
}

const CLASS = `export class Spectrum {
  constructor(name, peaks) { this.name = name; this.peaks = peaks }
  store() { return { name: this.name, peaks: this.peaks } }
  static load({ name, peaks }) { return new Spectrum(name, peaks) }
}
`
const SEEN = `(traj) => {
  const { c, d, s } = traj.par
  if (!(d instanceof Date) || !(s instanceof Spectrum)) throw new Error('no instance')
  if (traj.value('c').re !== c.re || traj.value('s').name !== s.name) throw new Error('differs')
  return [c.re, c.im, d.getTime(), s.name, ...s.peaks]
}`
/** As what it says, and what it draws. */
const JOB = `import { existsSync } from 'node:fs'
${CLASS}
const seen = ${SEEN}
export default function job(traj) {
  const point = seen(traj)
  if (point[0] === 3 && existsSync(import.meta.dirname + '/broken')) throw new Error('not yet')
  traj.addResult('z', point.map(String))
  traj.addResult('draw', traj.random.uniform())
  return point
}`

const DAY = 86_400_000
const PARAMETERS = { c: { re: 0, im: 0 }, d: new Date(0), s: new Spectrum('none', [0]) }
const POINTS = {
  c: [
    { re: 1, im: -0 },
    { re: 3, im: -4 },
    { re: 1, im: 0 },
  ],
  d: [new Date(0), new Date(DAY), new Date(0)],
  s: [new Spectrum('a', [1, 2]), new Spectrum('b', [3]), new Spectrum('a', [1, 2])],
}
const POINTS_SEEN = [
  [1, -0, 0, 'a', 1, 2],
  [3, -4, DAY, 'b', 3],
  [1, 0, 0, 'a', 1, 2],
]
const MORE = { c: [{ re: 5, im: 6 }], d: [new Date(2 * DAY)], s: [new Spectrum('c', [7, 8, 9])] }
const MORE_SEEN = [5, 6, 2 * DAY, 'c', 7, 8, 9]

const values = (results: JobResults) => results.map(([, value]) => value)

async function pointsIn(file: string): Promise<unknown[]> {
  using traj = await loadTrajectory(file, { dynamicImports: [Spectrum] })
  return Array.from(traj.iterRuns(), () => {
    const [c, s] = [traj.value<{ re: number; im: number }>('c'), traj.value<Spectrum>('s')]
    expect(s).toBeInstanceOf(Spectrum)
    return [c.re, c.im, traj.value<Date>('d').getTime(), s.name, ...s.peaks]
  })
}

test.each([
  { executor: 'inline', wrapMode: 'queue' },
  { executor: 'pool', wrapMode: 'lock' },
  { executor: 'pool', wrapMode: 'queue' },
  { executor: 'process', wrapMode: 'queue' },
] as const)(
  'a job sees those of its run, and of points that are added ($executor, $wrapMode)',
  async (options) => {
    const folder = fileTree({ 'job.mjs': JOB })
    const [filename, job] = [join(folder, 'f.h5'), join(folder, 'job.mjs')]
    await using env = new Environment({
      trajectory: 'T',
      filename,
      logging: false,
      ncores: 2,
      parameters: PARAMETERS,
      ...options,
    })
    env.trajectory.explore(POINTS)
    expect(values(await env.run(job))).toEqual(POINTS_SEEN)
    env.trajectory.expand(MORE)
    expect(values(await env.run(job))).toEqual([MORE_SEEN])
    expect(env.trajectory.getParameter('d').getRange()).toEqual([...POINTS.d, ...MORE.d])
    // The same in every executor and mode, since nothing but the values decides.
    expect(env.trajectory.getFromRuns('draw')).toMatchObject(DRAWN)
    expect(await pointsIn(filename)).toEqual([...POINTS_SEEN, MORE_SEEN])
  },
)

/** 0 and -0 are two points. */
const DRAWN = {
  run_00000000: 0.5930542536320311,
  run_00000001: 0.8342763023364519,
  run_00000002: 0.7403770487067473,
  run_00000003: 0.5262709570331836,
}

test('an experiment is continued, gains points by post-processing, and is verified; what its file says is whole', async () => {
  const folder = fileTree({ 'job.mjs': JOB, broken: '' })
  const [file, job] = [join(folder, 'f.h5'), join(folder, 'job.mjs')]
  {
    const options = { filename: file, logging: false, executor: 'inline', parameters: PARAMETERS } as const
    await using env = new Environment({ trajectory: 'T', ...options })
    env.trajectory.explore(POINTS)
    env.addPostprocessing((traj) => void (traj.length < 4 && traj.expand(MORE)))
    expect(values(await env.run(job))).toEqual([POINTS_SEEN[0], POINTS_SEEN[2], MORE_SEEN])
  }
  rmSync(join(folder, 'broken'))
  expect(await continueRun(file, { retryFailed: true })).toMatchObject({ storedCount: 4, failedCount: 0 })
  expect(await pointsIn(file)).toEqual([...POINTS_SEEN, MORE_SEEN])
  expect(await verify(file, { runs: 'all' })).toMatchObject({ identicalCount: 4, differentCount: 0 })
})

describe('by commands', () => {
  const COMMANDS = `import { cartesianProduct, defineExperiment } from 'pypet-ts'
${CLASS}
const seen = ${SEEN}
export default defineExperiment({
  parameters: { c: { re: 0, im: 0 }, d: new Date(0) , s: new Spectrum('none', [0]) },
  run: (traj) => traj.addResult('z', seen(traj).map(String)),
})`

  test('texts say complex numbers and dates; overview, plan and verify show them', async () => {
    const folder = fileTree({ 'job.mjs': COMMANDS })
    const flags = ['--explore', 'c=1-2i,-.5e1j,(3+0j),i', '--explore', 'd=1970-01-02,1970-01-03T12:00']
    const planned = await pypet(folder, ['plan', 'job.mjs', ...flags])
    expect(planned.stdout).toContain('1-2i')
    expect(planned.stdout).toContain('1970-01-03T12:00:00.000Z')
    const performed = await pypet(folder, ['run', 'job.mjs', '--file', 'f.h5', ...flags])
    expect(performed).toMatchObject({ exitCode: 0 })
    const points = (await pointsIn(join(folder, 'f.h5'))).map((point) => (point as unknown[]).slice(0, 3))
    expect(points).toEqual(
      [
        [1, -2],
        [0, -5],
        [3, 0],
        [0, 1],
      ].flatMap(([re, im]) => [DAY, 2.5 * DAY].map((time) => [re, im, time])),
    )
    const { stdout } = await pypet(folder, ['overview', 'f.h5', '--runs'])
    expect(stdout).toContain('complex128')
    expect(stdout).toMatch(/0 {4}done .*1-2i +'1970-01-02T00:00:00\.000Z'/)
    expect(await pypet(folder, ['verify', 'f.h5'])).toMatchObject({ exitCode: 0 })
    const expanded = await pypet(folder, [
      'expand',
      'f.h5',
      '--explore',
      'c=9+9i,i',
      '--explore',
      'd=1970-01-02',
    ])
    expect([expanded.exitCode, expanded.stderr]).toEqual([0, ''])
    // i on that day has been there.
    expect((await pointsIn(join(folder, 'f.h5'))).length).toBe(9)
    expect(existsSync(join(folder, 'f.h5.T.cnt'))).toBe(false)
  })

  test('config files write dates as texts, and complex numbers as what they consist of', async () => {
    const config = {
      explore: { points: [{ d: '1970-01-02' }, { d: '1970-01-03T12:00:00Z' }] },
      parameters: { d: '1970-01-05', c: { re: 1, im: 2 } },
    }
    const folder = fileTree({ 'job.mjs': COMMANDS, 'c.json': JSON.stringify(config) })
    const performed = await pypet(folder, ['run', 'job.mjs', '--file', 'f.h5', '--config', 'c.json'])
    expect([performed.exitCode, performed.stderr]).toEqual([0, ''])
    using traj = await loadTrajectory(join(folder, 'f.h5'))
    expect(traj.getParameter('d').getRange()).toEqual([new Date(DAY), new Date(2.5 * DAY)])
    expect([traj.par.d, traj.par.c]).toEqual([new Date(4 * DAY), { re: 1, im: 2 }])
  })

  test.each([
    ['c=1+', 'c is a complex128, found "1+"'],
    ['c=1+2', 'c is a complex128, found "1+2"'],
    ['d=yesterday', 'd is a date, found "yesterday"'],
    ['d=1970-13-01', 'd is a date, found "1970-13-01"'],
    ['d=1970-02-30', 'd is a date, found "1970-02-30"'],
    ['s=a', 's is a record, found "a"'],
  ])('%s is refused with what to write', async (text, found) => {
    const folder = fileTree({ 'job.mjs': COMMANDS })
    const { exitCode, stderr } = await pypet(folder, ['plan', 'job.mjs', '--explore', text])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(found)
    expect(stderr).toMatch(/hint: (Write|Give|Set)/)
  })
})

test('trajectories that explore them are merged, into a new file and in place', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const [a, b, c] = ['a.h5', 'b.h5', 'c.h5'].map((name) => join(folder, name)) as [string, string, string]
  for (const [filename, points] of [
    [a, POINTS],
    [b, MORE],
  ] as const) {
    const traj = new Trajectory({ name: 'T', filename, parameters: PARAMETERS })
    traj.explore(points)
    for (const run of traj.iterRuns()) traj.addResult('z', run)
    await traj.store()
    traj.close()
  }
  await mergeFiles([{ file: a }, { file: b }], { file: c })
  expect(await pointsIn(c)).toEqual([...POINTS_SEEN, MORE_SEEN])
  await mergeInto({ file: b }, [{ file: a }])
  expect(await pointsIn(b)).toEqual([MORE_SEEN, ...POINTS_SEEN])
  await expect(mergeInto({ file: b }, [{ file: a }], { removeDuplicates: true })).resolves.toMatchObject({
    runCount: 4,
  })
})

test('scripts and jobs write them alike: pypet finds a column of complex numbers, and one of texts', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const written = await Promise.all(
    ['script.h5', 'job.h5'].map(async (name) => {
      const filename = join(folder, name)
      const traj = new Trajectory({ name: 'T', filename, parameters: PARAMETERS })
      traj.explore(POINTS)
      if (name === 'script.h5') {
        await traj.store()
        traj.expand(MORE)
        await traj.store()
      } else {
        await using env = new Environment({ trajectory: traj, logging: false, executor: 'inline' })
        env.addPostprocessing((ended) => void (ended.length < 4 && ended.expand(MORE)))
        await env.run(join(folder, 'job.mjs'))
      }
      traj.close()
      return columnsIn(filename)
    }),
  )
  expect(written[0]).toEqual({
    c: [
      { real: 1, imaginary: -0 },
      { real: 3, imaginary: -4 },
      { real: 1, imaginary: 0 },
      { real: 5, imaginary: 6 },
    ],
    d: [0, DAY, 0, 2 * DAY].map((time) => new Date(time).toISOString()),
    s: [
      "{'name': 'a', 'peaks': [1.0, 2.0]}",
      "{'name': 'b', 'peaks': [3.0]}",
      "{'name': 'a', 'peaks': [1.0, 2.0]}",
      "{'name': 'c', 'peaks': [7.0, 8.0, 9.0]}",
    ],
  })
  expect(written[1]).toEqual(written[0])
})

test('a file that has no texts of its dates is expanded all the same', async () => {
  const filename = join(fileTree({}), 'f.h5')
  {
    const traj = new Trajectory({ name: 'T', filename, parameters: PARAMETERS })
    traj.explore(POINTS)
    await traj.store()
    traj.close()
  }
  await compactFile(filename, { drop: new Set(['/T/parameters/d/explored_data']) })
  {
    using traj = await loadTrajectory(filename, { dynamicImports: [Spectrum] })
    traj.expand(MORE)
    await traj.store()
  }
  expect(await pointsIn(filename)).toEqual([...POINTS_SEEN, MORE_SEEN])
})

async function columnsIn(file: string): Promise<Record<string, unknown[]>> {
  using reader = await openHdf5Reader(file)
  const columns: Record<string, unknown[]> = {}
  for (const name of ['c', 'd', 's']) {
    const cells: unknown[] = []
    reader.scanRows(`/T/parameters/${name}/explored_data`, ['data'], (_, [cell]) => cells.push(cell))
    columns[name] = cells
  }
  return columns
}

describe('what is not of the type of the default is refused', () => {
  const traj = () => new Trajectory({ parameters: { ...PARAMETERS, x: 1 } })

  test.each([
    ['a number for a complex one', { c: [1] }, 'complex128'],
    ['a complex number for a number', { x: [{ re: 1, im: 0 }] }, 'float64'],
    ['a number for a date', { d: [0] }, 'date'],
    ['what it stores for an instance', { s: [{ name: 'a', peaks: [1] }] }, 'record'],
  ])('%s', (_, points, found) => {
    expect(() => traj().explore(points as never)).toThrow(found)
  })

  test('and in a job, before its first run', async () => {
    const folder = fileTree({ 'job.mjs': JOB })
    await using env = new Environment({
      filename: join(folder, 'f.h5'),
      logging: false,
      parameters: PARAMETERS,
    })
    expect(() => env.trajectory.explore(cartesianProduct({ d: [new Date(Number.NaN)] }) as never)).toThrow(
      'an invalid date',
    )
    expect(existsSync(join(folder, 'f.h5'))).toBe(false)
  })
})
