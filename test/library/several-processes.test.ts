/** Scripts that store into one file at the same time, as in pypet's example 16. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { loadTrajectory, Trajectory } from '../../dist/index.js'
import { Hdf5File } from '../../src/hdf5/file.ts'
import type { Hdf5Operation } from '../../src/hdf5/operation.ts'
import { acquireLock } from '../../src/journal/file-lock.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'

const SCRIPT = `
import { loadTrajectory } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist/index.js')).href)}
const me = process.argv[2]
const traj = await loadTrajectory('f.h5')
process.send('loaded')
await new Promise((resolve) => process.once('message', resolve))
for (const n of [0, 1]) {
  traj.addResult('common.' + me + '.n' + n, n)
  traj.getResult('last').set(me + n)
  await traj.store({ overwrite: true })
  // While the others store.
  for (const [name, group] of Object.entries(traj.getGroup('common').toDict({ fastAccess: true, nested: true })))
    for (const [item, value] of Object.entries(group))
      if (item !== 'n' + value) throw new Error(name + '.' + item + ' is ' + value)
}
traj.startRun(Number(me))
traj.addResult('z', 10 * me)
traj.finishRun()
await traj.store()
traj.close()
process.disconnect()
`

test('several processes store into one file: they wait for each other, and nothing of any is lost', async () => {
  const folder = fileTree({ 'script.mjs': SCRIPT })
  const filename = join(folder, 'f.h5')
  const traj = new Trajectory({ name: 'shared', filename, parameters: { x: 0 } })
  traj.explore({ x: [1, 2, 3] })
  traj.addResult('last', 'nobody')
  await traj.store()
  traj.close()
  const children = [0, 1, 2].map((me) =>
    fork(join(folder, 'script.mjs'), [String(me)], { cwd: folder, silent: true }),
  )
  await Promise.all(children.map((child) => once(child, 'message')))
  const exits = children.map((child) => once(child, 'exit'))
  let printed = ''
  for (const child of children) child.stderr?.on('data', (text) => (printed += text))
  for (const child of children) child.send('go')
  expect(await Promise.all(exits), printed).toEqual([0, 1, 2].map(() => [0, null]))
  expect(printed).not.toMatch(/Error/)
  using stored = await loadTrajectory(filename)
  for (const me of [0, 1, 2]) for (const n of [0, 1]) expect(stored.value(`common.${me}.n${n}`)).toBe(n)
  expect(stored.value('last')).toMatch(/^[012]1$/)
  expect(stored.getFromRuns('z', { useIndices: true })).toEqual({ 0: 0, 1: 10, 2: 20 })
  expect(stored.isCompleted()).toBe(true)
  expect(readdirSync(folder).sort()).toEqual(['f.h5', 'script.mjs'])
})

test('two trajectories of one process store at the same time, too', async () => {
  const filename = join(fileTree({}), 'f.h5')
  const first = new Trajectory({ name: 'shared', filename })
  await first.store()
  const second = await loadTrajectory(filename)
  first.addResult('a', 1)
  second.addResult('b', 2)
  await Promise.all([first.store(), second.store()])
  first.close()
  second.close()
  using stored = await loadTrajectory(filename)
  expect([stored.value('a'), stored.value('b')]).toEqual([1, 2])
})

test('the wait is bounded: then storing is refused with who has the file, and succeeds later', async () => {
  const filename = join(fileTree({}), 'f.h5')
  const traj = new Trajectory({ name: 'waits', filename, lockWaitMs: 50 })
  await traj.store()
  traj.addResult('a', 1)
  const lock = acquireLock(filename, { trajectory: 'another one', breakLock: false })
  await expect(traj.store()).rejects.toMatchObject({
    code: 'PYPET_FILE_LOCKED',
    message: expect.stringMatching(
      /is being written by process \d+ on .* \(another one, since .*\); waited for 0.05 s$/,
    ),
    hint: expect.stringContaining('lockWaitMs'),
  })
  expect(traj.value('a')).toBe(1)
  lock.release()
  await traj.store()
  traj.close()
  const impatient = await loadTrajectory(filename, { lockWaitMs: 0 })
  const again = acquireLock(filename, { trajectory: 'another one', breakLock: false })
  impatient.addResult('b', 1)
  await expect(impatient.store()).rejects.toMatchObject({ code: 'PYPET_FILE_LOCKED' })
  again.release()
  impatient.close()
})

test('what is read while somebody else writes the file is as it is by then, and never a mixture', async () => {
  const filename = join(fileTree({}), 'f.h5')
  const traj = new Trajectory({ name: 'shared', filename })
  traj.addResult('a', new Float64Array(2000).fill(1))
  traj.addResult('n', 1)
  await traj.store()
  traj.close()
  using reading = await loadTrajectory(filename)
  expect([reading.value('n'), reading.runInformation(0).completed]).toEqual([1, false])
  // As another process does it, of which nobody tells this one.
  const write = async (operations: readonly Hdf5Operation[]) =>
    await Hdf5File.write(filename, 'append', (file) => file.apply(operations))
  const box = (path: string, values: Float64Array) =>
    ({
      type: 'write-box',
      path,
      bytes: new Uint8Array(values.buffer),
      offset: [0],
      count: [values.length],
    }) as const
  await write([
    box('/shared/results/a/a', new Float64Array(2000).fill(2)),
    { type: 'create-group', path: '/shared/results/later' },
  ])
  expect(reading.value<Float64Array>('a')).toEqual(new Float64Array(2000).fill(2))
  expect(reading.contains('results.later')).toBe(true)
})
