/** Results of runs that were stored while their file was watched: read from the columns beside the tree. */
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { Hdf5File } from '../../src/hdf5/file.ts'
import { RunSet } from '../../src/journal/run-set.ts'
import { readHdf5 } from '../../src/reading/read-hdf5.ts'
import { cellReader } from '../../src/results/block.ts'
import { RunData } from '../../src/results/run-data.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'T',
  parameters: { x: 0 },
  explore: { x: [0, 1, 2, 3, 4, 5, 6, 7] },
  run(traj) {
    const { x } = traj.par
    traj.addResult('z', x === 2 ? NaN : x === 3 ? -0 : x / 7)
    traj.addResult('n', 2n ** 62n + BigInt(x))
    traj.addResult('isEven', x % 2 === 0)
    traj.addResult('label', 'ä'.repeat(x))
    traj.addResult('trace', Float64Array.of(x, 2 * x))
    traj.addResult('either', x < 4 ? x : 'four')
    traj.addDerivedParameter('half', x / 2)
    if (x > 5) traj.addResult('rare', x)
    if (x === 7) throw new Error('seven')
  },
})`

let file: string

beforeAll(async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  await pypet(folder, ['run', 'job.mjs', '--file', 'file.h5', '--ncores', '1'])
  file = join(folder, 'file.h5')
})

/** All values of all columns, by name. */
function valuesOf(fresh?: RunSet): Promise<Readonly<Record<string, readonly unknown[]>>> {
  return readHdf5(file, (reader) => {
    const data = RunData.open(reader, 'T', { fresh })
    return Object.fromEntries(
      data.lookEverywhere().map((column) => {
        const read = cellReader(data.read(column))
        return [column.fullName, Array.from({ length: data.runCount }, (_, run) => read(run))]
      }),
    )
  })
}

test('they are what their leaves say, whichever runs they are', async () => {
  const expected = await valuesOf()
  expect(expected['results.z']?.slice(0, 4)).toEqual([0, 1 / 7, NaN, -0])
  expect(expected['results.rare']).toEqual([...Array(6).fill(null), 6, null])
  expect(await valuesOf(RunSet.ofRanges([0, 8]))).toEqual(expected)
  expect(await valuesOf(RunSet.ofRanges([1, 3, 5, 8]))).toEqual(expected)
})

test('only theirs are read from the copy, which another program may have left behind', async () => {
  const bytes = new Uint8Array(Float64Array.of(42).buffer)
  const path = '/T/overview/columns/z'
  await Hdf5File.write(file, 'append', (hdf5) =>
    hdf5.apply([{ type: 'write-box', path, offset: [4], count: [1], bytes }]),
  )
  expect((await valuesOf())['results.z']?.[4]).toBe(4 / 7)
  expect((await valuesOf(RunSet.ofRanges([5, 8])))['results.z']?.[4]).toBe(4 / 7)
  expect((await valuesOf(RunSet.ofRanges([4, 8])))['results.z']?.[4]).toBe(42)
})
