/** Changes to a file from a script: all of one or nothing, whatever happens. */
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { prepareExpansion } from '../../src/library/expand.ts'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { editHdf5File } from '../../src/storage/edit/edit-file.ts'
import { pypet } from '../cli/pypet.ts'
import { compile } from '../compiled.ts'
import { fileTree } from '../experiment/file-tree.ts'

async function storedDemo(): Promise<{ readonly folder: string; readonly filename: string }> {
  const folder = fileTree({})
  const filename = join(folder, 'f.h5')
  const traj = new Trajectory({ name: 'demo', filename, parameters: { x: 1 } })
  traj.explore({ x: [1, 2] })
  traj.addResult('first', new Float64Array(1000).fill(1))
  await traj.store()
  traj.close()
  return { folder, filename }
}

test('an edit that throws has never happened', async () => {
  const { folder, filename } = await storedDemo()
  const failing = editHdf5File(filename, { trajectory: 'demo' }, ({ apply }) => {
    apply([{ type: 'create-group', path: '/demo/results/half' }])
    throw new RangeError('changed my mind')
  })
  await expect(failing).rejects.toThrow('changed my mind')
  expect(readdirSync(folder)).toEqual(['f.h5'])
  using traj = await loadTrajectory(filename)
  expect([traj.contains('half'), traj.value<Float64Array>('first')[999]]).toEqual([false, 1])
})

test('what cannot be stored leaves the tree and the file as they were', async () => {
  const { filename } = await storedDemo()
  const traj = await loadTrajectory(filename)
  traj.addResult('second', 2)
  // A child of a leaf: HDF5 itself refuses the group.
  await traj.store()
  // HDF5 does not write a file that this process is reading.
  traj.close()
  await expect(
    editHdf5File(filename, { trajectory: 'demo' }, ({ apply }) =>
      apply([{ type: 'create-group', path: '/demo/results/second' }]),
    ),
  ).rejects.toMatchObject({ code: 'PYPET_STORAGE_FAILED' })
  using again = await loadTrajectory(filename)
  expect(again.value('second')).toBe(2)
})

test.skipIf(process.platform === 'win32')(
  'a value that is to be replaced stays where the disk has no room for the new one',
  async () => {
    const { folder, filename } = await storedDemo()
    const script = await compile(`import { loadTrajectory } from '../src/library/load-trajectory.ts'
      const traj = await loadTrajectory(process.argv[2])
      traj.getResult('first').setItem('first', new Float64Array(500_000))
      await traj.store({ overwrite: true }).catch(({ code, message }) => console.log(code, message))`)
    const words = ['-c', 'ulimit -f 1000; exec "$0" "$@"', process.execPath, script, filename]
    const { stdout } = spawnSync('bash', words, { encoding: 'utf8' })
    expect(stdout).toMatch(/^PYPET_STORAGE_FAILED /)
    using traj = await loadTrajectory(filename)
    expect([traj.value<Float64Array>('first')[999], traj.length]).toEqual([1, 2])
    expect(readdirSync(folder)).toEqual(['f.h5'])
  },
)

describe('a kill', () => {
  test.each(['before the commit', 'after the commit'])(
    '%s of an edit leaves a file that opens',
    async (moment) => {
      const { folder, filename } = await storedDemo()
      const script = await compile(`import { editHdf5File } from '../src/storage/edit/edit-file.ts'
       await editHdf5File(process.argv[2], { trajectory: 'demo' }, async ({ apply, commit }) => {
         apply([{ type: 'create-group', path: '/demo/results/added' }])
         ${moment === 'after the commit' ? 'commit()' : ''}
         process.send('ready')
         await new Promise(() => setInterval(() => undefined, 1000))
       })`)
      const child = fork(script, [filename])
      await once(child, 'message')
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      expect(existsSync(`${filename}.edit.cnt`)).toBe(true)
      const isKept = moment === 'after the commit'
      // As it is: the commit is laid over what is read.
      const seen = await loadTrajectory(filename)
      expect(seen.contains('results.added')).toBe(isKept)
      seen.close()
      const continued = await pypet(folder, ['continue', 'f.h5.edit.cnt', '--dry-run'])
      expect(continued.exitCode).toBe(0)
      // The next change recovers it, and what belonged to the edit is gone.
      const traj = await loadTrajectory(filename)
      traj.addResult('later', 3)
      await traj.store()
      traj.close()
      using loaded = await loadTrajectory(filename)
      expect([loaded.contains('results.added'), loaded.value('later')]).toEqual([isKept, 3])
      expect(readdirSync(folder).sort()).toEqual(['f.h5'])
    },
  )
})

describe('pypet-ts expand and merge', () => {
  const JOB = `
    import { defineExperiment } from 'pypet-ts'
    export default defineExperiment({ name: 'demo', parameters: { x: 1, y: 1 }, run(traj) { traj.addResult('z', traj.par.x * traj.par.y) } })`

  /** Performed once; each test has a copy. */
  let stored: string
  beforeAll(async () => {
    stored = fileTree({ 'job.mjs': JOB })
    await pypet(stored, ['run', 'job.mjs', '--explore', 'x=1,2', '--file', 'f.h5', '--quiet'])
  })
  const copyOfStored = () => {
    const folder = fileTree({})
    cpSync(stored, folder, { recursive: true })
    return folder
  }

  test('only new points run, and nothing is left behind', async () => {
    const folder = copyOfStored()
    const { exitCode, stdout, stderr } = await pypet(folder, ['expand', 'f.h5', '--explore', 'x=1,2,3,4'])
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toContain('2 points added, 2 existed already; 2 runs to compute\n')
    expect(stdout).toContain('4 runs stored in f.h5, 2 of them before')
    expect(readdirSync(folder).sort()).toEqual(['f.h5', 'job.mjs', 'logs'])
    using traj = await loadTrajectory(join(folder, 'f.h5'))
    expect(traj.getFromRuns('z', { useIndices: true })).toEqual({ 0: 1, 1: 2, 2: 3, 3: 4 })
  })

  test('points are told apart by every bit of their numbers, and by all that their texts hold', async () => {
    const job = `import { defineExperiment } from 'pypet-ts'
      export default defineExperiment({ name: 'keys', parameters: { x: 0, s: '', t: '' }, run() {} })`
    const folder = fileTree({ 'job.mjs': job })
    const file = join(folder, 'f.h5')
    const traj = new Trajectory({ name: 'keys', filename: file, parameters: { x: 0, s: '', t: '' } })
    traj.explore({ x: [0, 0], s: ['a\u0001b', 'a'], t: ['c', 'd'] })
    await traj.store()
    traj.close()
    const added = async (explore: readonly string[]) => {
      const call = { file, explore: [...explore], job: join(folder, 'job.mjs'), flags: { logging: false } }
      const { experiment, addedCount } = await prepareExpansion(call)
      await experiment[Symbol.asyncDispose]()
      return addedCount
    }
    expect(await added(['x=0', 's=a', 't=b\u0001c'])).toBe(1)
    expect(await added(['x=-0', 's=a', 't=d'])).toBe(1)
    expect(await added(['x=-0,0', 's=a', 't=d'])).toBe(0)
  })

  test.each([
    [['expand', 'f.h5', '--explore', 'q=1'], /there is no parameter q/],
    [['expand', 'f.h5', '--explore', 'y=1'], /cannot expand demo: x is missing/],
    [['expand', 'f.h5', '--explore', 'x=a'], /x is a float64, found "a"/],
    [['expand', 'f.h5', '--job', 'nope.mjs'], /nope\.mjs/],
    [['expand', 'nope.h5', '--explore', 'x=1'], /nope\.h5/],
    [['merge', 'f.h5', '--into', 'g.h5'], /at least two files/],
    [['merge', 'f.h5', 'nope.h5', '--into', 'g.h5'], /nope\.h5/],
    [['merge', 'f.h5', 'job.mjs', '--into', 'g.h5'], /job\.mjs/],
  ])('%j is refused with exit code 2, and changes nothing', async (words, message) => {
    const folder = copyOfStored()
    const { exitCode, stderr } = await pypet(folder, words)
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)])
    expect(readdirSync(folder).sort()).toEqual(['f.h5', 'job.mjs', 'logs'])
    expect(readFileSync(join(folder, 'f.h5')).equals(readFileSync(join(stored, 'f.h5')))).toBe(true)
  })
})
