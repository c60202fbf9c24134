/** `restore` of files that may come from anybody: what it refuses, and that nothing is written then. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { restore } from '../../src/library/restore.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

type Leaves = Readonly<Record<string, string | Uint8Array>>

/** An HDF5 file with this provenance, and the folder that it is in. */
async function fileWith(leaves: Leaves): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = fileTree({})
  const file = join(folder, 'f.h5')
  const traj = new Trajectory({ name: 'demo', filename: file, parameters: { x: 1 } })
  for (const [name, value] of Object.entries(leaves))
    traj.addConfig(`environment.environment_0000000_a.provenance.${name}`, value)
  await traj.store()
  traj.close()
  return { folder, file }
}

const CONTENTS = Buffer.from('content')

/** Leaves for files of these paths, each with the same content. */
function keeping(paths: readonly (string | Buffer)[]): Leaves {
  const entry = (path: string | Buffer) => ({
    kind: 'untracked',
    path: Buffer.from(path as string).toString('base64'),
    offset: 0,
    bytes: CONTENTS.length,
  })
  return { files: JSON.stringify(paths.map(entry)), contents: new Uint8Array(CONTENTS), job: 'job.mjs' }
}

/** What is below a folder: names, and the content of files. Links are not followed. */
function below(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    names.map((name) => {
      const path = join(folder, name)
      return [name, lstatSync(path).isFile() ? readFileSync(path, 'base64') : 'other']
    }),
  )
}

describe('of paths in a file', () => {
  test.each<[found: string, ...paths: string[]]>([
    ['a file and, for "a/b", a folder', 'a', 'a/b'],
    ['a file and, for "a/b", a folder', 'a/b', 'a'],
    ['a file and, for "a/b/c/d", a folder', 'a/b/c/d', 'a/b'],
    ['a file and, for "a/b", a folder', 'A', 'a/b'],
    ['a file and, for "\u00e4/b", a folder', 'a\u0308', '\u00e4/b'],
    ['"a" occurs twice', 'a', 'a'],
    ['not a plain path', 'a', './a/b'],
    ['not a plain path', 'a', 'b//c'],
    ['not a plain path', 'a/'],
    ['not a plain path', ''],
    ['not a plain path', '.'],
    ['leads out of', '/etc/passwd'],
    ['leads out of', '../a'],
    ['leads out of', 'a/../../b'],
    ['leads out of', 'a\\..\\..\\b'],
    ['leads out of', 'a\0b'],
    ['leads out of', 'C:\\a'],
    ['leads out of', 'c:a'],
    ['leads out of', '\\\\server\\a'],
    ['leads out of', '\\a'],
    ['a git folder', '.git/hooks/post-checkout'],
    ['a git folder', 'sub/.git/config'],
    ['a git folder', 'sub\\.git\\config'],
    ['a git folder', '.GIT/config'],
    ['a git folder', '.git'],
    ['a git folder', '.git. ./config'],
    ['a git folder', 'git~1/config'],
    ['a git folder', '.g\u200cit/config'],
    ['a git folder', '.git::$INDEX_ALLOCATION/config'],
  ])('%s: %j %j is refused, and nothing is written', async (found, ...paths) => {
    const { folder, file } = await fileWith(keeping(['ok.mjs', ...paths]))
    const before = below(folder)
    const restoring = restore(file, { to: join(folder, 'new/again') })
    await expect(restoring).rejects.toMatchObject({
      code: 'PYPET_RESTORE_REFUSED',
      message: expect.stringContaining(found),
      hint: expect.any(String),
    })
    expect(below(folder)).toEqual(before)
  })

  test('names that only look like those of git, or differ in their bytes, are written', async () => {
    const odd = [Buffer.from([0x61, 0xff]), Buffer.from([0x61, 0xfe])]
    const paths = ['.gitignore', '.github/x', 'a.git/x', 'git', 'a b', 'a\\b', '..a', 'ä/b']
    const { folder, file } = await fileWith(keeping([...paths, ...odd]))
    const { files } = await restore(file, { to: join(folder, 'again') })
    expect(files.slice(0, paths.length)).toEqual(paths)
    for (const path of [...paths.map((name) => Buffer.from(name)), ...odd]) {
      const written = Buffer.concat([Buffer.from(`${folder}/again/`), path])
      expect(readFileSync(written)).toEqual(CONTENTS)
    }
  })

  test.each<[string, string]>([
    ['not JSON', '{'],
    ['not a list', '{"path":"YQ=="}'],
    ['entry 0', '[null]'],
    ['entry 0', '[{"path":"YQ==","offset":0,"bytes":1000}]'],
    ['entry 0', '[{"path":"YQ==","offset":-1,"bytes":1}]'],
    ['entry 0', '[{"path":["a"],"offset":0,"bytes":1}]'],
    ['entry 0', '[{"path":"YQ==","offset":9007199254740991,"bytes":9007199254740991}]'],
  ])('a damaged list is refused: %s in %s', async (found, list) => {
    const { folder, file } = await fileWith({ ...keeping([]), files: list })
    await expect(restore(file, { to: join(folder, 'again') })).rejects.toMatchObject({
      code: 'PYPET_RESTORE_REFUSED',
      message: expect.stringContaining(found),
    })
    expect(readdirSync(folder)).toEqual(['f.h5'])
  })

  test('the diff goes beside a kept file that has its name', async () => {
    const diff = new Uint8Array(Buffer.from('diff'))
    const { folder, file } = await fileWith({ ...keeping(['provenance.diff']), 'git.diff': diff })
    const restored = await restore(file, { to: join(folder, 'again') })
    expect([restored.hasDiff, restored.diff]).toEqual([true, 'provenance.2.diff'])
    expect(readFileSync(join(folder, 'again/provenance.diff'))).toEqual(CONTENTS)
    expect(readFileSync(join(folder, 'again/provenance.2.diff'), 'utf8')).toBe('diff')
  })
})

describe('of the folder', () => {
  const strange: [string, string, boolean][] = [
    ['file', 'is not a folder', false],
    ['file', 'is not a folder', true],
    ['file/below', 'is not a folder', false],
    ['dangling', 'is a symbolic link that does not lead to a folder', false],
    ['dangling/below', 'is a symbolic link that does not lead to a folder', false],
    ['used', 'is not empty', false],
    ['no/../used', 'is not empty', false],
  ]
  test.each(strange)('%s as the target is refused: it %s (force: %s)', async (to, found, force) => {
    const { folder, file } = await fileWith(keeping(['job.mjs', 'a/b']))
    writeFileSync(join(folder, 'file'), 'mine')
    symlinkSync('nowhere', join(folder, 'dangling'))
    mkdirSync(join(folder, 'used'))
    writeFileSync(join(folder, 'used/mine'), 'mine')
    const before = below(folder)
    const { exitCode, stderr } = await pypet(folder, [
      ...['restore', file, '--to', to],
      ...(force ? ['--force'] : []),
    ])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(found)])
    expect(stderr).toContain('nothing was restored')
    expect(below(folder)).toEqual(before)
  })

  test.each<[string, (used: string) => void, string]>([
    ['a link where a folder is needed', (used) => symlinkSync('..', join(used, 'a')), 'symbolic link'],
    [
      'a link where a file is needed',
      (used) => symlinkSync('../f.h5', join(used, 'job.mjs')),
      'symbolic link',
    ],
    ['a dangling link', (used) => symlinkSync('../planted', join(used, 'job.mjs')), 'symbolic link'],
    ['a file where a folder is needed', (used) => writeFileSync(join(used, 'a'), ''), 'is not a folder'],
    ['a folder where a file is needed', (used) => mkdirSync(join(used, 'job.mjs')), 'is not a file'],
  ])('%s in it is refused, also with force', async (_, plant, found) => {
    const { folder, file } = await fileWith(keeping(['first', 'job.mjs', 'a/b']))
    mkdirSync(join(folder, 'used'))
    plant(join(folder, 'used'))
    const before = below(folder)
    const restoring = restore(file, { to: join(folder, 'used'), force: true })
    await expect(restoring).rejects.toMatchObject({
      code: 'PYPET_RESTORE_REFUSED',
      message: expect.stringContaining(found),
    })
    expect(below(folder)).toEqual(before)
  })

  test('with force, files of the same name are replaced, and no other is touched', async () => {
    const { folder, file } = await fileWith(keeping(['job.mjs', 'a/b']))
    mkdirSync(join(folder, 'used/a'), { recursive: true })
    for (const name of ['job.mjs', 'mine', 'a/mine']) writeFileSync(join(folder, 'used', name), 'mine')
    await restore(file, { to: join(folder, 'used'), force: true })
    const mine = Buffer.from('mine').toString('base64')
    const content = CONTENTS.toString('base64')
    expect(below(join(folder, 'used'))).toEqual({
      a: 'other',
      'a/b': content,
      'a/mine': mine,
      'job.mjs': content,
      mine,
    })
  })

  test('what only writing reveals takes back all that was written', async () => {
    const { folder, file } = await fileWith(keeping(['job.mjs', 'a/b/c', 'x'.repeat(300)]))
    const { exitCode, stderr } = await pypet(folder, ['restore', file, '--to', 'new/again'])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('ENAMETOOLONG')])
    expect(stderr).toContain('nothing was restored')
    expect(readdirSync(folder)).toEqual(['f.h5'])
  })

  test.runIf(existsSync('/proc/self'))('below /proc it is refused at once', async () => {
    const { folder, file } = await fileWith(keeping(['job.mjs']))
    const { exitCode, stderr } = await pypet(folder, ['restore', file, '--to', '/proc/x/y'])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('nothing was restored')])
  })

  test.skipIf(process.getuid?.() === 0)('that may not be written is refused', async () => {
    const { folder, file } = await fileWith(keeping(['job.mjs']))
    mkdirSync(join(folder, 'locked'), 0o555)
    for (const to of ['locked', 'locked/below']) {
      const { exitCode, stderr } = await pypet(folder, ['restore', file, '--to', to])
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('is not writable (EACCES)')])
    }
    chmodSync(join(folder, 'locked'), 0o755)
  })
})
