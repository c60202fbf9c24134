/** What a merge is given: files that are not there, no files, unfinished ones; nothing is left behind. */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { mergeFiles, mergeFolder } from '../../src/library/merge.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { pypet, start, treeOf } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1 },
  run(traj) {
    if (traj.par.x === 9) process.kill(process.pid, 'SIGKILL')
    traj.addResult('z', traj.par.x * 2)
  },
})
`

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = fileTree({ 'job.mjs': JOB })
  for (const [file, values] of Object.entries(files)) {
    const ended = await pypet(folder, [
      'run',
      'job.mjs',
      '--no-log',
      '--quiet',
      '--explore',
      `x=${values}`,
      '--file',
      file,
    ])
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
  }
  return folder
}

test.each([
  [['a.h5', 'nope.h5', '--into', 'new/deep/c.h5'], 'nope.h5: the file does not exist'],
  [['nope.h5', 'a.h5', '--into', 'new/c.h5'], 'nope.h5: the file does not exist'],
  [['job.mjs', 'a.h5', '--into', 'new/c.h5'], 'job.mjs as HDF5: it has no HDF5 signature'],
  [['a.h5', '--into', 'c.h5'], 'a merge needs at least two files, found only a.h5'],
  [['a.h5', 'a.h5', '--into', 'a.h5', '--overwrite'], 'a.h5: it is one of the files to merge'],
  [['a.h5', 'a.h5', '--into', 'empty', '--overwrite'], 'empty: it is not a file'],
  [
    ['empty', '--into', 'c.h5'],
    'cannot merge the folder empty: a merge needs at least two files (.h5 or .hdf5), found none',
  ],
  [
    ['.', '--into', 'c.h5'],
    'cannot merge the folder .: a merge needs at least two files (.h5 or .hdf5), found only a.h5',
  ],
  [['nope', '--into', 'c.h5'], 'a merge needs at least two files, found only nope'],
])('merge %j is refused with exit code 2, and leaves nothing behind', async (words, message) => {
  const folder = await folderOf({ 'a.h5': '1,2' })
  mkdirSync(join(folder, 'empty'))
  const before = treeOf(folder)
  const { exitCode, stdout, stderr } = await pypet(folder, ['merge', ...words])
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr).toContain(message)
  expect(stderr).toMatch(/^ {2}hint: ./m)
  expect(treeOf(folder)).toEqual(before)
})

test('a folder that is none is named in scripts', async () => {
  const folder = fileTree({ 'a.txt': '' })
  const merging = (name: string) => mergeFolder(join(folder, name), { file: join(folder, 'c.h5') })
  await expect(merging('nope')).rejects.toMatchObject({
    code: 'PYPET_FILE_NOT_FOUND',
    message: `cannot merge the folder ${join(folder, 'nope')}: there is no such folder`,
  })
  await expect(merging('a.txt')).rejects.toThrow('it is not a folder')
})

test('an unfinished file is merged as of its last commit, and not replaced', async () => {
  const folder = await folderOf({ 'b.h5': '5,6' })
  const words = ['run', 'job.mjs', '--no-log', '--quiet', '--explore', 'x=1,2,3,9', '--file', 'a.h5']
  // The last run kills the whole command.
  await start(folder, words).ended()
  const names = readdirSync(folder).sort()
  expect(names).toContain('demo.cnt')
  const [a, b, c] = ['a.h5', 'b.h5', 'c.h5'].map((name) => join(folder, name)) as [string, string, string]
  await mergeFiles([{ file: a }, { file: b }], { file: c })
  expect(readdirSync(folder).sort()).toEqual([...names, 'c.h5'].sort())
  using traj = await loadTrajectory(c)
  expect(Object.values(traj.getFromRuns('z', { useIndices: true }))).toEqual(
    expect.arrayContaining([2, 4, 6, 10, 12]),
  )
  await expect(mergeFiles([{ file: b }, { file: c }], { file: a, overwrite: true })).rejects.toThrow(
    /it belongs to an unfinished experiment, .*demo\.cnt/,
  )
})

test('whoever has the file open that a merge replaces sees the merged one', async () => {
  const folder = fileTree({})
  const [a, b, c] = ['a.h5', 'b.h5', 'c.h5'].map((name) => join(folder, name)) as [string, string, string]
  for (const [filename, x] of [
    [a, 1],
    [b, 2],
    [c, 3],
  ] as const) {
    const traj = new Trajectory({ name: 'demo', filename, parameters: { x } })
    traj.addResult(`only.of${x}`, x)
    await traj.store()
    traj.close()
  }
  using reading = await loadTrajectory(c)
  expect([reading.contains('only.of3'), reading.length]).toEqual([true, 1])
  await mergeFiles([{ file: a }, { file: b }], { file: c, overwrite: true })
  expect([reading.contains('only.of3'), reading.value('only.of2'), reading.length]).toEqual([false, 2, 2])
})
