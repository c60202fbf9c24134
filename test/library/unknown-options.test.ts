/** What plain JavaScript gives as an option and is none: refused by every call that has options. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type MergeOptions, mergeFiles, mergeInto } from '../../src/library/merge.ts'
import { restore } from '../../src/library/restore.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { verify } from '../../src/library/verify.ts'
import type { VerifyOptions } from '../../src/library/verify-runs.ts'
import { parameter } from '../../src/run/parameter.ts'
import { fileTree } from '../experiment/file-tree.ts'

const traj = new Trajectory({ name: 'T', filename: join(fileTree({}), 'T.h5'), parameters: { x: 1 } })
const FILES = [{ file: 'a.h5' }, { file: 'b.h5' }]
const INTO = { file: 'c.h5' }
/** Plain JavaScript has no types. */
const given = (options: object) => options as never

test.each<[string, string, () => unknown]>([
  ['coment', 'comment', () => parameter(1, given({ coment: 'c' }))],
  ['removeDuplicate', 'removeDuplicates', () => mergeFiles(FILES, INTO, given({ removeDuplicate: true }))],
  ['overwite', 'overwrite', () => mergeFiles(FILES, given({ ...INTO, overwite: true }))],
  ['nam', 'name', () => mergeFiles([given({ file: 'a.h5', nam: 'a' }), { file: 'b.h5' }], INTO)],
  ['conflict', 'conflicts', () => mergeInto(INTO, FILES, given({ conflict: 'keep-first' }) as MergeOptions)],
  ['trialParametr', 'trialParameter', () => traj.merge(traj, given({ trialParametr: 'trial' }))],
  ['sampl', 'sample', () => verify('a.h5', given({ sampl: 3 }) as VerifyOptions)],
  ['forse', 'force', () => restore('a.h5', given({ to: 'b', forse: true }))],
  ['maxDeph', 'maxDepth', () => traj.get('x', given({ maxDeph: 1 }))],
  ['shortcut', 'shortcuts', () => traj.getAll('x', given({ shortcut: false }))],
  ['withLink', 'withLinks', () => traj.contains('x', given({ withLink: true }))],
  ['recursiv', 'recursive', () => [...traj.iterNodes(given({ recursiv: false }))]],
  ['fastAcces', 'fastAccess', () => traj.toDict(given({ fastAcces: true }))],
  ['useIndexes', 'useIndices', () => traj.getFromRuns('x', given({ useIndexes: true }))],
  ['recursve', 'recursive', () => traj.getGroup('parameters').removeChild('x', given({ recursve: true }))],
  ['fromTrajectry', 'fromTrajectory', () => traj.deleteItem('x', given({ fromTrajectry: true }))],
  ['forc', 'force', () => traj.shrink(given({ forc: true }))],
])('the option %s is refused, and %s named', async (name, nearest, call) => {
  await expect((async () => call())()).rejects.toMatchObject({
    code: 'PYPET_CONFIG_UNKNOWN_KEY',
    where: name,
    hint: `Did you mean ${nearest}?`,
  })
})
