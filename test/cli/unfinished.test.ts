/** A trajectory with an unfinished experiment is changed by `continue` alone. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { prepareExpansion } from '../../src/library/expand.ts'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { performPrepared } from '../../src/library/run.ts'
import { compactFile } from '../../src/storage/edit/compact-file.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { eventsOf, factsOf, pypet, start, treeOf } from './pypet.ts'

/** Run 3 kills the whole command, or fails, while the file of that name is beside the job. */
const JOB = `
import { existsSync } from 'node:fs'
import { defineExperiment } from 'pypet-ts'
const isThere = (name) => existsSync(new URL(name, import.meta.url))
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1 },
  explore: { x: [0, 1, 2, 3, 4] },
  run(traj) {
    if (traj.par.x === 3 && isThere('killing')) process.kill(-process.pid, 'SIGKILL')
    if (traj.par.x === 3 && isThere('failing')) throw new Error('as asked')
    traj.addResult('z', traj.par.x * 2)
  },
})`

/** There are no groups of processes to kill on Windows. */
const posixTest = test.skipIf(process.platform === 'win32')

const KNOWN = ['expand', 'demo.h5', '--explore', 'x=3']
const NEW = ['expand', 'demo.h5', '--explore', 'x=3,9']

async function demo(mark: 'killing' | 'failing' | 'none', words: readonly string[] = []): Promise<string> {
  const folder = fileTree({ 'job.mjs': JOB, [mark]: '' })
  await pypet(folder, ['run', 'job.mjs', '--no-log', '--quiet', '--file', 'demo.h5', ...words])
  rmSync(join(folder, mark))
  return folder
}

/** A lock that a killed process has left is nobody's, and may be swept. Short, for a failure. */
function filesIn(folder: string): Record<string, string> {
  const files = Object.entries(treeOf(folder)).filter(([name]) => !name.endsWith('.lock'))
  return Object.fromEntries(
    files.map(([name, found]) => [name, createHash('sha1').update(found).digest('hex')]),
  )
}

/** The command that the hint of a refusal gives. */
function commandIn(stderr: string): string[] {
  const [, command] = /pypet-ts (continue \S+(?: --[a-z-]+)*)/.exec(stderr.replace(/\.( |\n)/g, '$1')) ?? []
  return (command as string).split(' ')
}

async function valuesIn(folder: string): Promise<unknown[]> {
  using traj = await loadTrajectory(join(folder, 'demo.h5'))
  return Object.values(traj.getFromRuns('z', { useIndices: true }))
}

posixTest.each([
  ['killed', 'killing', 'demo in .*demo.h5 is an unfinished experiment'],
  ['ended, with a run that failed', 'failing', 'demo in .*demo.h5 has failed runs.*: 1 run'],
] as const)(
  'an experiment that was %s is not expanded, by known points or new ones, but by what the refusal says',
  async (_, mark, message) => {
    const folder = await demo(mark)
    const before = filesIn(folder)
    for (const words of [KNOWN, NEW]) {
      const refused = await pypet(folder, words)
      expect([refused.exitCode, refused.stdout]).toEqual([2, ''])
      expect(refused.stderr).toMatch(new RegExp(message))
      expect(filesIn(folder)).toEqual(before)
      expect(commandIn(refused.stderr).slice(0, 2)).toEqual(['continue', 'demo.cnt'])
    }
    const { stderr } = await pypet(folder, KNOWN)
    expect((await pypet(folder, [...commandIn(stderr), '--quiet'])).exitCode).toBe(0)
    expect(readdirSync(folder).sort()).toEqual(['demo.h5', 'job.mjs'])
    const expanded = await pypet(folder, [...NEW, '--no-log', '--json'])
    expect([expanded.exitCode, factsOf(expanded)]).toEqual([
      0,
      expect.objectContaining({ run_count: 6, stored_count: 6 }),
    ])
    expect(await valuesIn(folder)).toEqual([0, 2, 4, 6, 8, 18])
  },
)

posixTest('an unfinished experiment is not edited by scripts, and its file is not compacted', async () => {
  const folder = await demo('killing')
  const file = join(folder, 'demo.h5')
  const before = filesIn(folder)
  using traj = await loadTrajectory(file)
  traj.addResult('more', 1)
  await expect(traj.store()).rejects.toMatchObject({
    code: 'PYPET_CNT_EXISTS',
    hint: expect.stringContaining('pypet-ts continue '),
  })
  traj.close()
  await expect(compactFile(file)).rejects.toMatchObject({ code: 'PYPET_CNT_EXISTS' })
  expect(filesIn(folder)).toEqual(before)
})

posixTest(
  'the .cnt file of a complete experiment, which was kept, gives way to that of its expansion',
  async () => {
    const folder = await demo('none', ['--keep-cnt'])
    expect(existsSync(join(folder, 'demo.cnt'))).toBe(true)
    const expanded = await pypet(folder, [...NEW, '--no-log', '--keep-cnt', '--quiet'])
    expect([expanded.exitCode, expanded.stderr]).toEqual([0, ''])
    expect(readdirSync(folder).sort()).toEqual(['demo.cnt', 'demo.h5', 'job.mjs'])
    const again = await pypet(folder, ['continue', 'demo.h5'])
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining('all 6 runs are stored')])
    expect(await valuesIn(folder)).toEqual([0, 2, 4, 6, 8, 18])
  },
)

posixTest(
  'a plan that was made of an older state of the file is refused when the file is locked',
  async () => {
    const folder = await demo('none')
    const file = join(folder, 'demo.h5')
    const flags = { logging: false }
    // Both are planned before either is performed: the first to come is the one that counts.
    const stale = await prepareExpansion({ file, explore: ['x=3'], flags })
    await using experiment = stale.experiment
    expect((await pypet(folder, [...NEW, '--no-log', '--quiet'])).exitCode).toBe(0)
    const before = filesIn(folder)
    await expect(performPrepared(experiment, {})).rejects.toMatchObject({
      code: 'PYPET_TRAJECTORY_CHANGED',
      message: expect.stringContaining('it now has 6 runs, before 5; nothing was written'),
    })
    expect(filesIn(folder)).toEqual(before)
  },
)

posixTest('of another trajectory under its name, a plan is refused, too', async () => {
  const folder = await demo('none')
  const file = join(folder, 'demo.h5')
  await using stale = (await prepareExpansion({ file, explore: ['x=3'], flags: { logging: false } }))
    .experiment
  const words = ['--explore', 'x=5,6,7,8,9', '--overwrite', '--file', 'demo.h5', '--no-log', '--quiet']
  expect((await pypet(folder, ['run', 'job.mjs', ...words])).exitCode).toBe(0)
  await expect(performPrepared(stale, {})).rejects.toThrow('x of run 0 has changed')
})

posixTest('an experiment is merged that has just begun, and has no tables of its overview yet', async () => {
  const folder = await demo('none')
  const slow = `import { setTimeout } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1 },
  explore: { x: [11, 12] },
  run: async (traj) => { await setTimeout(100_000) },
})`
  const other = fileTree({ 'slow.mjs': slow })
  const words = [
    'run',
    'slow.mjs',
    '--json',
    '--no-log',
    '--no-provenance',
    '--file',
    join(folder, 'begun.h5'),
  ]
  const begun = start(other, words)
  await begun.until(() => begun.stdout.includes('experiment-started'))
  process.kill(-(begun.process.pid as number), 'SIGKILL')
  await begun.ended()
  expect(eventsOf({ stdout: begun.stdout })).toHaveLength(1)
  for (const files of [
    ['begun.h5', 'demo.h5'],
    ['demo.h5', 'begun.h5'],
  ]) {
    const into = `merged-${files[0]}`
    const merged = await pypet(folder, ['merge', ...files, '--into', into])
    expect([merged.exitCode, merged.stderr]).toEqual([0, ''])
    using traj = await loadTrajectory(join(folder, into))
    expect(traj.length).toBe(7)
  }
})
