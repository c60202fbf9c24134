/** Where a snapshot can be, and what is said where it cannot: the real command. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { takeSnapshot } from '../../src/journal/snapshot.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { temporaryBeside } from '../../src/temporary-names.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'
import { pypet } from './pypet.ts'

/** A folder with an HDF5 file `f.h5`. */
async function folderWithFile(): Promise<string> {
  const folder = fileTree({ notes: 'mine' })
  const traj = new Trajectory({ name: 'demo', filename: join(folder, 'f.h5'), parameters: { x: 1 } })
  traj.addResult('a', new Float64Array(20_000))
  await traj.store()
  traj.close()
  return folder
}

test.each([
  ['no/such/x.h5', 'the folder ~/no/such does not exist', "Create it first: mkdir -p '~/no/such'"],
  ["it's/x.h5", "the folder ~/it's does not exist", "Create it first: mkdir -p '~/it'\\''s'"],
  ['notes/x.h5', '~/notes is not a folder', 'Choose another file'],
  ['notes/below/x.h5', '~/notes is not a folder', 'Choose another file'],
  ['folder', 'is a folder', 'Give a file in it: ~/folder/f.h5'],
  ['dangling.h5', 'is a symbolic link to a missing file', 'Remove the link'],
  ['f.h5', 'is the source file itself', 'Choose another file'],
  ['link.h5', 'is the source file itself', 'Choose another file'],
  ['x.cnt', 'ends in .cnt', 'Choose another file'],
  ['notes', 'exists', '--overwrite'],
])('a copy at %s is refused: %s', async (target, found, hint) => {
  const folder = await folderWithFile()
  mkdirSync(join(folder, 'folder'))
  symlinkSync('nowhere', join(folder, 'dangling.h5'))
  symlinkSync('f.h5', join(folder, 'link.h5'))
  const before = readdirSync(folder)
  const { exitCode, stderr } = await pypet(folder, ['snapshot', 'f.h5', target])
  const lines = stderr.replaceAll(folder, '~')
  expect([exitCode, lines]).toEqual([2, expect.stringContaining(found)])
  expect(lines).toContain(hint)
  expect(readdirSync(folder)).toEqual(before)
})

test('what a link leads to is replaced, and the link stays', async () => {
  const folder = await folderWithFile()
  mkdirSync(join(folder, 'copies'))
  copyFileSync(join(folder, 'notes'), join(folder, 'copies/old.h5'))
  symlinkSync('copies/old.h5', join(folder, 'latest.h5'))
  const { exitCode } = await pypet(folder, ['snapshot', 'f.h5', 'latest.h5', '--overwrite'])
  expect(exitCode).toBe(0)
  expect(lstatSync(join(folder, 'latest.h5')).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(folder, 'copies/old.h5'))).toEqual(readFileSync(join(folder, 'f.h5')))
  expect(readdirSync(join(folder, 'copies'))).toEqual(['old.h5'])
})

test('a link under the temporary name is not followed', async () => {
  const folder = await folderWithFile()
  symlinkSync('notes', temporaryBeside(join(folder, 'x.h5'), 'snapshot'))
  takeSnapshot(join(folder, 'f.h5'), join(folder, 'x.h5'))
  expect(readFileSync(join(folder, 'notes'), 'utf8')).toBe('mine')
  expect(lstatSync(join(folder, 'x.h5')).isFile()).toBe(true)
  expect(readdirSync(folder).sort()).toEqual(['f.h5', 'notes', 'x.h5'])
})

test.runIf(existsSync('/proc/self'))('a folder that takes no files is named with the reason', async () => {
  const folder = await folderWithFile()
  const { exitCode, stderr } = await pypet(folder, ['snapshot', 'f.h5', '/proc/x.h5'])
  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/cannot write \/proc\/x\.h5: .*\(E/)])
})

test.skipIf(process.getuid?.() === 0)('a folder that may not be written is refused', async () => {
  const folder = await folderWithFile()
  mkdirSync(join(folder, 'locked'), 0o555)
  const { exitCode, stderr } = await pypet(folder, ['snapshot', 'f.h5', 'locked/x.h5'])
  chmodSync(join(folder, 'locked'), 0o755)
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('locked is not writable (EACCES)')])
})

test.skipIf(process.platform === 'win32')('where there is no room, nothing is left of the copy', async () => {
  const folder = await folderWithFile()
  writeFileSync(join(folder, 'x.h5'), 'old')
  const before = readdirSync(folder)
  const command = 'ulimit -f 64; exec "$0" "$1" snapshot f.h5 x.h5 --overwrite'
  const words = ['-c', command, process.execPath, join(ROOT, 'bin/pypet-ts.js')]
  const { status, stderr } = spawnSync('bash', words, { cwd: folder, encoding: 'utf8' })
  expect([status, stderr]).toEqual([2, expect.stringContaining('EFBIG')])
  expect(stderr).toContain('Check the free space')
  expect(readdirSync(folder)).toEqual(before)
  expect(readFileSync(join(folder, 'x.h5'), 'utf8')).toBe('old')
})
