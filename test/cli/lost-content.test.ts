/** An HDF5 file of an unfinished experiment that something else has overwritten is told from one that has just begun. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { pypet } from './pypet.ts'

const JOB = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 0 },
  explore: { x: [0, 1, 2] },
  run(traj) {
    if (traj.par.x === 2) throw new Error('not yet')
    traj.addResult('z', traj.par.x)
  },
})`

test('overview and continue say that its content is lost, and what the .cnt file knows', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  expect((await pypet(folder, ['run', 'job.mjs', '--quiet'])).exitCode).toBe(3)
  writeFileSync(join(folder, 'hdf5/demo.h5'), 'notes of somebody else')
  for (const words of [
    ['overview', 'hdf5/demo.h5'],
    ['continue', 'hdf5/demo.cnt', '--retry-failed'],
  ]) {
    const { exitCode, stderr } = await pypet(folder, words)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('it has lost its content: according to demo.cnt, it held 2 stored runs')
    expect(stderr).toContain('Restore both files')
  }
  expect(readdirSync(join(folder, 'hdf5')).sort()).toEqual(['demo.cnt', 'demo.h5'])
})
