/** What a job adds beside values: links, annotations, results of its own classes. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadTrajectory, run } from '../../dist/index.js'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `
import { defineExperiment, table } from 'pypet-ts'
class Spikes {
  constructor(times) { this.times = times }
  store() { return { times: this.times, count: this.times.length } }
}
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1 },
  run(traj) {
    const { x } = traj.par
    traj.addResult('fit.best', { value: x, nothing: null, at: new Date(x), z: { re: x, im: 1 } }, { annotations: { unit: 'mV', tries: [1, 2] } })
    traj.addResult('spikes', new Spikes(Float64Array.of(x, 2 * x)))
    traj.addResult('trace', { table: table({ t: [0, 1], v: Float32Array.of(x, 2) }), rows: [{ a: 1, b: 'x' }, { a: 2, b: 'y' }] })
    traj.addResult('weights', { indptr: [0, 1, 1], indices: [1], data: [x], shape: [2, 2] })
    traj.addLink('best', 'fit.best')
    if (x === 3) traj.addLink('nowhere', 'missing')
  },
})`

class Spikes {
  readonly items: Readonly<Record<string, unknown>>
  constructor(items: Readonly<Record<string, unknown>>) {
    this.items = items
  }
  static load(items: Readonly<Record<string, unknown>>): Spikes {
    return new Spikes(items)
  }
}

test('links, annotations, tables, matrices and classes of a job come back from the file', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const filename = join(folder, 'f.h5')
  const { storedCount, failedCount } = await run(join(folder, 'job.mjs'), {
    options: { filename, logFolder: join(folder, 'logs') },
    explore: ['x=1,2,3'],
  })
  expect([storedCount, failedCount]).toEqual([2, 1])
  using traj = await loadTrajectory(filename, { dynamicImports: [Spikes] })
  traj.idx = 1
  expect(traj.get('crun.best')).toBe(traj.get('crun.fit.best'))
  expect(traj.get('crun.best').annotations).toEqual({ unit: 'mV', tries: Float64Array.of(1, 2) })
  expect(traj.getResult('crun.best').toRecord()).toEqual({
    value: 2,
    nothing: null,
    at: new Date(2),
    z: { re: 2, im: 1 },
  })
  expect(traj.getResult('crun.spikes').instance()).toEqual(
    new Spikes({ times: Float64Array.of(2, 4), count: 2 }),
  )
  expect(traj.getResult('crun.trace').get('rows')).toMatchObject({ columns: { a: [1, 2], b: ['x', 'y'] } })
  expect(traj.getResult('crun.weights').get()).toMatchObject({
    format: 'csr',
    shape: [2, 2],
    data: Float64Array.of(2),
  })
  // Items are found by their names below the result's.
  expect(traj.value('crun.spikes.count')).toBe(2)
  expect(traj.getFromRuns('spikes.count', { useIndices: true })).toEqual({ 0: 2, 1: 2 })
  expect(Object.keys(traj.getFromRuns('fit.best'))).toEqual(['run_00000000', 'run_00000001'])
  // Without the class the data are there all the same, and it is said what is missing.
  using plain = await loadTrajectory(filename)
  const spikes = plain.getResult('results.runs.run_00000000.spikes')
  expect(spikes.get('count')).toBe(2)
  expect(() => spikes.instance()).toThrow(/Spikes/)
})
