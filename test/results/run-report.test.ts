/** What a file holds of one run. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readHdf5 } from '../../src/reading/read-hdf5.ts'
import { RunData } from '../../src/results/run-data.ts'
import { RunReports } from '../../src/results/run-report.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { JOB } from '../view/viewed.ts'

test('a report without values tells the rest, and reads no column of values', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  await pypet(folder, ['run', 'job.mjs', '--ncores', '1'])
  const reportWith = (withValues: boolean) =>
    readHdf5(join(folder, 'hdf5/waves.h5'), (reader) => {
      const data = RunData.open(reader, 'waves')
      return new RunReports(reader, data, { withSources: false, withValues }).report('11')
    })
  const [whole, short] = [await reportWith(true), await reportWith(false)]
  expect([whole.columns.length > 0, whole.status]).toEqual([true, 'failed'])
  expect(short).toEqual({ ...whole, columns: [], explored: [], constants: [], derived: [], results: [] })
})
