/** Names of columns stay what they were when more columns are found. */
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { readHdf5 } from '../../src/reading/read-hdf5.ts'
import { cellReader } from '../../src/results/block.ts'
import { RunData } from '../../src/results/run-data.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

// No sampled run has the derived parameter: neither the first, the middle nor the last one.
const JOB = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'T',
  parameters: { x: 0 },
  explore: { x: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
  run(traj) {
    const { x } = traj.par
    traj.addResult('z', x / 7)
    traj.addDerivedParameter('half', x / 2)
    if (x === 2) traj.addDerivedParameter('z', 'derived')
    if (x === 3) traj.addResult('late', x)
  },
})`

// Neither columns nor a summary tells of it.
const CONFIG = JSON.stringify({
  overviews: { columns: false, derivedParametersSummary: false, resultsSummary: false },
})

let file: string

beforeAll(async () => {
  const folder = fileTree({ 'job.mjs': JOB, 'pypet.config.json': CONFIG })
  await pypet(folder, ['run', 'job.mjs', '--file', 'file.h5', '--ncores', '1'])
  file = join(folder, 'file.h5')
})

test('a name that a result has is not given to a derived parameter that is found later', () =>
  readHdf5(file, (reader) => {
    const data = RunData.open(reader, 'T')
    const result = data.find('z')
    expect(result.kind).toBe('result')
    expect(data.lookIn(2).filter(({ name }) => name === 'z')).toEqual([result])
    expect(data.find('z')).toBe(result)
    const derived = data.find('derived_parameters.z')
    expect([derived.name, derived.kind]).toEqual(['derived_parameters.z', 'derived parameter'])
    const names = data.lookEverywhere().map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('late')
    expect(cellReader(data.read(derived))(2)).toBe('derived')
  }))

test('a survey of an earlier opening gives the same columns and values, and more can be found', () =>
  readHdf5(file, (reader) => {
    const first = RunData.open(reader, 'T')
    const again = RunData.open(reader, 'T', { survey: first.survey })
    const contents = (data: RunData) =>
      data.columns.map((column) => {
        const read = cellReader(data.read(column))
        return [column.name, column.kind, Array.from({ length: 10 }, (_, run) => read(run))]
      })
    expect(contents(again)).toEqual(contents(first))
    expect(again.lookEverywhere().length).toBe(first.lookEverywhere().length)
    expect(contents(again)).toEqual(contents(first))
    expect(contents(again).map(([name]) => name)).toContain('late')
  }))
