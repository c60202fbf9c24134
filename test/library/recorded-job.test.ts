/** Which job a file names. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'T',
  parameters: { x: 0, 'model.script': 'other.mjs' },
  explore: { x: [0, 1] },
  run(traj) {
    traj.addResult('script', 'a script of the results')
  },
})`

test.each(['tree', 'columns'])(
  'results and parameters named script name no job (layout %s)',
  async (layout) => {
    const folder = fileTree({ 'job.mjs': JOB })
    const file = join(folder, 'file.h5')
    await pypet(folder, ['run', 'job.mjs', '--file', file, '--layout', layout, '--ncores', '1'])
    const expanded = await pypet(folder, ['expand', file, '--explore', 'x=2'])
    expect([expanded.stderr, expanded.exitCode]).toEqual(['', 0])
    const verified = await pypet(folder, ['verify', file])
    expect([verified.stderr, verified.exitCode]).toEqual(['', 0])
  },
)
