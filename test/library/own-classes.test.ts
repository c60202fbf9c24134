/** Parameters of classes of the user's own, as in pypet's example 5: what a job is given, and what comes back from a file. */
import { readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { Environment } from '../../src/library/environment.ts'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { continueRun, run } from '../../src/library/run.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { verify } from '../../src/library/verify.ts'
import { temporaryPrefix } from '../../src/temporary-names.ts'
import { integer } from '../../src/values/value-forms.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

/** One stores a text, the other several values by name. */
const CLASSES = `export class Source {
  readonly text: string
  constructor(given: string | ((x: number) => number)) { this.text = String(given) }
  static load(text: string) { return new Source(text) }
  store() { return this.text }
  get length() { return this.text.length }
}
export class Spectrum {
  readonly lines: number[]
  readonly unit: string
  constructor(lines: number[], unit: string) { this.lines = lines; this.unit = unit }
  static load({ lines, unit }: { lines: Float64Array; unit: string }) { return new Spectrum([...lines], unit) }
  store() { return { lines: Float64Array.from(this.lines), unit: this.unit } }
  total() { return this.lines.reduce((sum, line) => sum + line, 0) }
}
`

/** Its third run fails until a file is there. */
const JOB = `import { existsSync } from 'node:fs'
import { cartesianProduct, defineExperiment } from 'pypet-ts'
import { Source, Spectrum } from './classes.ts'
export default defineExperiment({
  name: 'own',
  parameters: { x: 1, group: { spectrum: new Spectrum([1, 2], 'nm'), source: new Source((x) => 2 * x) } },
  explore: cartesianProduct({ x: [1, 2, 3] }),
  run(traj, mended?: string) {
    const { spectrum, source } = traj.par.group
    if (traj.par.x === 3 && mended !== undefined && !existsSync(mended)) throw new Error('not yet')
    const isOwn = spectrum instanceof Spectrum && source instanceof Source && traj.get('spectrum').get() === spectrum
    spectrum.lines.push(100)
    traj.addDerivedParameter('again', new Spectrum([traj.par.x], spectrum.unit))
    traj.addResult('total', spectrum.total())
    return [isOwn, spectrum.total(), source.text, traj.dpar.again.lines[0], traj.seed]
  },
})
`

test('a job is given instances in every executor, after continue, expand and verify', async () => {
  const folder = fileTree({ 'classes.ts': CLASSES, 'job.ts': JOB })
  const job = join(folder, 'job.ts')
  const options = (name: string) => ({ filename: join(folder, `${name}.h5`), logging: false })
  const told: string[] = []
  for (const executor of ['inline', 'pool', 'process'] as const) {
    const { returned = [] } = await run(job, { options: { ...options(executor), executor }, collect: true })
    told.push(JSON.stringify(returned))
    expect(returned.map(({ value }) => (value as unknown[]).slice(0, 4))).toEqual(
      [1, 2, 3].map((x) => [true, 103, '(x) => 2 * x', x]),
    )
  }
  expect(new Set(told).size).toBe(1)

  const mended = join(folder, 'mended')
  await run(job, { options: options('continued'), args: [mended] })
  writeFileSync(mended, '')
  const continued = await continueRun(join(folder, 'continued.h5'), {
    retryFailed: true,
    collect: true,
    options: { ncores: 2, logging: false },
  })
  expect(JSON.stringify(continued.returned)).toBe(told[0])

  expect(await verify(join(folder, 'pool.h5'), { runs: 'all' })).toMatchObject({ identicalCount: 3 })
  const expanded = await pypet(folder, ['expand', 'pool.h5', '--explore', 'x=4', '--no-log'])
  expect([expanded.exitCode, expanded.stderr]).toEqual([0, ''])
  const overview = await pypet(folder, ['overview', 'pool.h5'])
  expect(overview.stdout).toContain('Spectrum({')

  using traj = await loadTrajectory(join(folder, 'pool.h5'), {
    dynamicImports: ['Source', 'Spectrum'].map((name) => `${join(folder, 'classes.ts')}#${name}`),
  })
  const spectrum = traj.value<{ total(): number }>('group.spectrum')
  expect([spectrum.total(), traj.value<{ length: number }>('source').length]).toEqual([3, 12])
  expect(traj.value<{ lines: number[] }>('derived_parameters.runs.run_00000003.again').lines).toEqual([4])
})

test('a call that is refused leaves nothing of the modules of its classes', async () => {
  const folder = fileTree({ 'classes.ts': CLASSES, 'job.ts': JOB })
  const [job, filename] = [join(folder, 'job.ts'), join(folder, 'f.h5')]
  await run(job, { options: { filename, logging: false } })
  const ours = () => readdirSync(tmpdir()).filter((name) => name.startsWith(temporaryPrefix('')))
  const before = ours()
  const call = {
    job,
    args: [() => 1],
    options: { ncores: 2 },
    dynamicImports: [`${join(folder, 'classes.ts')}#Source`],
  }
  await expect(verify(filename, call)).rejects.toMatchObject({ code: 'PYPET_VALUE_UNSUPPORTED' })
  expect(ours()).toEqual(before)
})

test('without its class a value is shown as it was stored, and a warning says so once', async () => {
  const filename = join(fileTree({}), 'f.h5')
  class Source {
    static load = (text: string) => Object.assign(new Source(), { text })
    text = 'x + 1'
    store() {
      return this.text
    }
  }
  const traj = new Trajectory({ name: 't', filename, parameters: { source: new Source(), n: integer(2) } })
  traj.addParameter('other', new Source())
  expect(traj.value('source')).toBeInstanceOf(Source)
  expect([traj.getParameter('n').stored]).toMatchObject([{ dtype: 'int64' }])
  await traj.store()
  traj.close()
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  try {
    using loaded = await loadTrajectory(filename)
    expect([loaded.value('source'), loaded.value('other')]).toEqual(['x + 1', 'x + 1'])
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining('its class Source is not known'), { code: 'PYPET_CLASS_UNKNOWN' }],
    ])
    using known = await loadTrajectory(filename, { dynamicImports: [Source] })
    expect(known.value('source')).toEqual(Object.assign(new Source(), { text: 'x + 1' }))
    expect(warn.mock.calls).toHaveLength(1)
  } finally {
    warn.mockRestore()
  }
})

test('a stored parameter that is set to an instance of another class with the same values is another one', async () => {
  const filename = join(fileTree({}), 'f.h5')
  class One {
    static load = () => new One()
    store() {
      return 1
    }
  }
  class Two {
    static load = () => new Two()
    store() {
      return 1
    }
  }
  const traj = new Trajectory({ name: 't', filename, parameters: { own: new One() } })
  await traj.store()
  const node = traj.getParameter('own')
  node.unlock()
  node.set(new Two())
  await expect(traj.store()).rejects.toMatchObject({ code: 'PYPET_TRAJECTORY_STORED' })
  await traj.store({ overwrite: true })
  traj.close()
  using loaded = await loadTrajectory(filename, { dynamicImports: [One, Two] })
  expect(loaded.value('own')).toBeInstanceOf(Two)
})

test('a script explores instances, and its jobs get them: a function here, a module with the classes on threads', async () => {
  const folder = fileTree({
    'classes.mjs': `export class Scale {
  constructor(factor) { this.factor = factor }
  static load(factor) { return new Scale(factor) }
  store() { return this.factor }
  of(x) { return this.factor * x }
}
`,
    'job.mjs': `export default (traj) => traj.par.scale.of(2)
`,
  })
  const module = join(folder, 'classes.mjs')
  const { Scale } = (await import(module)) as {
    Scale: new (factor: number) => { store(): number; of(x: number): number }
  }
  const begin = (name: string, more: object) => {
    const filename = join(folder, `${name}.h5`)
    const env = new Environment({ trajectory: name, filename, logging: false, ...more })
    env.trajectory.addParameter('scale', new Scale(1))
    env.trajectory.explore({ scale: [new Scale(2), new Scale(3)] })
    return env
  }
  const results = [
    [0, 4],
    [1, 6],
  ]
  await using here = begin('here', {})
  expect(
    await here.run((traj) => (traj.par as unknown as { scale: { of(x: number): number } }).scale.of(2)),
  ).toEqual(results)
  await using threads = begin('threads', { ncores: 2, dynamicImports: [`${module}#Scale`] })
  expect(await threads.run(join(folder, 'job.mjs'))).toEqual(results)
  threads.trajectory.idx = 1
  expect(threads.trajectory.value<{ of(x: number): number }>('scale').of(2)).toBe(6)

  await using without = begin('without', { ncores: 2 })
  await expect(without.run(join(folder, 'job.mjs'))).rejects.toMatchObject({
    code: 'PYPET_CLASS_UNKNOWN',
    message: expect.stringContaining('scale is an instance of Scale, which the job '),
    hint: expect.stringContaining("dynamicImports: ['./my-classes.ts#Scale']"),
  })
})

test('modules of classes that are not there, or have no such class, are refused by name', async () => {
  const folder = fileTree({ 'classes.mjs': 'export class Own { static load() {} }\n' })
  const filename = join(folder, 'f.h5')
  const traj = new Trajectory({ name: 't', filename })
  await traj.store()
  traj.close()
  for (const [reference, message, hint] of [
    [`${folder}/classes.mjs#Other`, 'exports no class Other with a static load', 'It exports Own.'],
    [`${folder}/none.mjs#Own`, 'none.mjs does not exist', './my-classes.ts#Spectrum'],
    ['mysim.results.Spikes', 'it does not name a module and a class', './my-classes.ts#Spectrum'],
  ] as const) {
    await expect(loadTrajectory(filename, { dynamicImports: [reference] })).rejects.toMatchObject({
      code: 'PYPET_CLASS_UNKNOWN',
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    })
  }
})

test('what a class stores must be what a parameter can hold', () => {
  const given = (stored: unknown) => {
    class Odd {
      static load = () => new Odd()
      store = () => stored
    }
    return () => new Trajectory({ name: 't' }).addParameter('odd', new Odd())
  }
  expect(given({})).toThrow('parameters.odd.store() cannot be stored: found an empty object')
  expect(given([{ a: 1 }])).toThrow('found a table of 1 rows')
  expect(given(() => 1)).toThrow('found a function')
  class NoLoad {
    store = () => 1
  }
  expect(() => new Trajectory({ name: 't' }).addParameter('x', new NoLoad())).toThrow('an instance of NoLoad')
})
