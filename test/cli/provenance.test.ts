/** Where results come from, and the way back: real repositories, the real command. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { valuesIn } from '../executors/file-content.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { start } from './pypet.ts'

const FILES = {
  'src/job.mjs': `import { factor } from '../lib/factor.mjs'
export function job(traj) { traj.addResult('z', traj.par.x * factor) }`,
  'lib/factor.mjs': 'export const factor = 3\n',
  'pypet.config.json': '{ "name": "trajectory", "parameters": { "x": 1 }, "explore": { "x": [1, 2, 3] } }',
  '.gitignore': 'hdf5\nlogs\n',
}

function git(folder: string, ...words: string[]): string {
  const flags = ['-c', 'user.name=n', '-c', 'user.email=e@example.org', '-c', 'commit.gpgsign=false']
  return execFileSync('git', [...flags, ...words], { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
}

function repository(): string {
  const folder = fileTree(FILES)
  git(folder, 'init', '-q', '-b', 'main')
  git(folder, 'add', '.')
  git(folder, 'commit', '-q', '-m', 'first words')
  return folder
}

async function run(folder: string, words: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  return await start(folder, ['run', 'src/job.mjs', '--quiet', ...words], env).ended()
}

/** The leaves of the provenance, by their names below it. */
async function provenance(folder: string): Promise<Map<string, unknown>> {
  const values = await valuesIn(join(folder, 'hdf5/trajectory.h5'), 'config')
  const found = new Map<string, unknown>()
  for (const [path, cells] of values) {
    const name = /\/provenance\/(.+)\/data$/.exec(path)?.[1]
    const [cell] = cells as { readonly fields?: readonly (readonly [string, unknown])[] }[]
    if (name !== undefined) found.set(name, cell?.fields?.[0]?.[1] ?? cells)
  }
  return found
}

test('a clean tree: the commit is named, and what was used of the outside; of variables only PYPET_*', async () => {
  const folder = repository()
  const env = { FOO_TOKEN: 'hush-very-secret', PYPET_NCORES: '1' }
  expect((await run(folder, ['--require-clean'], env)).exitCode).toBe(0)
  const found = await provenance(folder)
  expect(found.get('git/hexsha')).toBe(git(folder, 'rev-parse', 'HEAD').trim())
  expect([found.get('git/branch'), found.get('git/state')]).toEqual(['main', 'clean'])
  expect(found.get('git/message')).toBe('first words')
  expect(found.get('variables')).toBe('PYPET_NCORES="1"')
  expect(found.get('options')).toContain('ncores = 1 (PYPET_NCORES)')
  // Tables may be compressed, so that the values count beside the bytes.
  const values = JSON.stringify([...found])
  expect(values).toContain('PYPET_NCORES')
  const bytes = readFileSync(join(folder, 'hdf5/trajectory.h5'), 'latin1').replaceAll('\0', '')
  for (const text of [values, bytes]) expect(/FOO_TOKEN|hush-very-secret/.test(text)).toBe(false)
})

test('the job comes back after it was changed and deleted, and gives equal results', async () => {
  const folder = repository()
  writeFileSync(join(folder, 'lib/factor.mjs'), 'export const factor = 7\n')
  const odd = Buffer.from('odd \n\xff name', 'latin1')
  const binary = Uint8Array.from([0, 255, 0, 13, 10])
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), odd]), binary)
  expect((await run(folder)).exitCode).toBe(0)
  expect((await provenance(folder)).get('git/state')).toBe('dirty')
  const before = await valuesIn(join(folder, 'hdf5/trajectory.h5'), 'results')
  const away = fileTree({})
  rmSync(join(folder, 'src'), { recursive: true })
  rmSync(join(folder, 'lib'), { recursive: true })
  const file = join(folder, 'hdf5/trajectory.h5')
  const restored = await start(away, ['restore', file, '--to', 'again']).ended()
  expect([restored.exitCode, restored.stderr]).toEqual([0, ''])
  const { stdout } = await start(folder, ['overview', file]).ended()
  expect(stdout).toMatch(/source {3}commit [0-9a-f]{12}, dirty\n/)
  expect(restored.stdout).toMatch(/git checkout [0-9a-f]{40}\n {2}git apply /)
  expect(restored.stdout).toContain('cd again && pypet-ts run src/job.mjs')
  const again = join(away, 'again')
  expect(readFileSync(Buffer.concat([Buffer.from(`${again}/`), odd]))).toEqual(Buffer.from(binary))
  git(folder, 'checkout', '-q', '.')
  git(folder, 'apply', join(again, 'provenance.diff'))
  expect(readFileSync(join(folder, 'lib/factor.mjs'), 'utf8')).toContain('7')
  expect((await run(again)).exitCode).toBe(0)
  expect(await valuesIn(join(again, 'hdf5/trajectory.h5'), 'results')).toEqual(before)

  const refused = await start(away, ['restore', file, '--to', 'again']).ended()
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('is not empty')])
  rmSync(again, { recursive: true })
  mkdirSync(again)
  symlinkSync(folder, join(again, 'src'))
  const linked = await start(away, ['restore', file, '--to', 'again', '--force']).ended()
  expect([linked.exitCode, linked.stderr]).toEqual([2, expect.stringContaining('symbolic link')])
})

test('--require-clean names what has changed, and starts nothing', async () => {
  const folder = repository()
  writeFileSync(join(folder, 'lib/factor.mjs'), 'export const factor = 7\n')
  writeFileSync(join(folder, 'new file'), '')
  const { exitCode, stderr } = await run(folder, ['--require-clean'])
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('lib/factor.mjs, new file')])
  expect(readdirSync(folder)).not.toContain('hdf5')
})

test('what is called like the logs is not taken for them', async () => {
  const folder = repository()
  writeFileSync(join(folder, 'logs.mjs'), '')
  const { exitCode, stderr } = await run(folder, ['--require-clean'])
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('has changes: logs.mjs')])
  rmSync(join(folder, 'logs.mjs'))
  expect((await run(folder, ['--require-clean'])).exitCode).toBe(0)
  expect((await run(folder, ['--require-clean', '--overwrite', '--log-folder', 'logs/$traj'])).exitCode).toBe(
    0,
  )
})

test('without a repository, without a commit, without git: it says so, and the runs are stored', async () => {
  const folder = fileTree(FILES)
  expect((await run(folder)).exitCode).toBe(0)
  expect((await provenance(folder)).get('git/state')).toBe('not in a git repository')
  expect((await run(folder, ['--require-clean', '--overwrite'])).exitCode).toBe(2)
  git(folder, 'init', '-q')
  expect((await run(folder, ['--overwrite'])).exitCode).toBe(0)
  expect([...(await provenance(folder)).keys()]).not.toContain('git/hexsha')
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  chmodSync(empty, 0o755)
  expect((await run(folder, ['--overwrite'], { PATH: empty })).exitCode).toBe(0)
  expect((await provenance(folder)).get('git/state')).toBe('there is no git command')
})

test('what does not fit is named, and with --no-provenance nothing can be restored', async () => {
  const folder = repository()
  writeFileSync(join(folder, 'lib/factor.mjs'), `export const factor = 7 // ${'x'.repeat(100_000)}\n`)
  expect((await run(folder, ['--provenance-max-bytes', '2000'])).exitCode).toBe(0)
  const found = await provenance(folder)
  expect(found.get('left_out')).toBe('the diff\n"lib/factor.mjs"')
  expect((await run(folder, ['--no-provenance', '--overwrite'])).exitCode).toBe(0)
  expect((await provenance(folder)).size).toBe(0)
  const { exitCode, stderr } = await start(folder, ['restore', 'hdf5/trajectory.h5', '--to', 'x']).ended()
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('does not hold the source')])
})

test('untracked secrets are not kept, changes of tracked ones neither, and restore says so', async () => {
  const odd = 'conf/.env[a]*?\u00e9\\'
  const folder = fileTree({ ...FILES, 'conf/.env': 'A=first-secret\n', [odd]: 'first-secret' })
  git(folder, 'init', '-q', '-b', 'main')
  git(folder, 'add', '.')
  git(folder, 'commit', '-q', '-m', 'first words')
  const secrets = ['.env', 'deep/.env.local', 'deep/server.pem', 'tls.key', 'id_rsa', 'id_ed25519.old']
  mkdirSync(join(folder, 'deep'))
  for (const name of secrets) writeFileSync(join(folder, name), 'hush-very-secret')
  writeFileSync(join(folder, 'notes.txt'), 'plain')
  for (const name of ['conf/.env', odd]) writeFileSync(join(folder, name), 'A=hush-very-secret\n')
  writeFileSync(join(folder, 'lib/factor.mjs'), 'export const factor = 7\n')
  const { exitCode, stderr } = await run(folder)
  expect([exitCode, stderr]).toEqual([0, ''])
  const found = await provenance(folder)
  const lines = [...secrets, 'conf/.env', odd].map((name) => JSON.stringify(name))
  expect(String(found.get('left_out')).split('\n').sort()).toEqual(
    lines.map((name) => `${name.includes('conf') ? 'the diff of ' : ''}${name} (may hold secrets)`).sort(),
  )
  expect(found.get('git/state')).toBe('dirty')
  const bytes = readFileSync(join(folder, 'hdf5/trajectory.h5'), 'latin1').replaceAll('\0', '')
  expect(/hush-very-secret|first-secret/.test(bytes + JSON.stringify([...found]))).toBe(false)

  const restored = await start(folder, ['restore', 'hdf5/trajectory.h5', '--to', 'again']).ended()
  expect([restored.exitCode, restored.stderr]).toEqual([0, ''])
  for (const name of [...secrets, 'conf/.env'])
    expect(restored.stdout).toMatch(new RegExp(`^not in the file: .*"${name}" \\(may`, 'm'))
  expect(readFileSync(join(folder, 'again/notes.txt'), 'utf8')).toBe('plain')
  git(folder, 'checkout', '-q', '.')
  git(folder, 'apply', join(folder, 'again/provenance.diff'))
  expect(readFileSync(join(folder, 'lib/factor.mjs'), 'utf8')).toContain('7')
  expect(readFileSync(join(folder, 'conf/.env'), 'utf8')).toContain('first-secret')
})

test.each(['untracked', 'changed'])(
  'a source and a config that are called like secrets are kept whole: %s',
  async (state) => {
    const folder = fileTree({
      'src/job.mjs': `import { factor } from './.env/secrets.key.mjs'
export function job(traj) { traj.addResult('z', traj.par.x * factor) }`,
      'src/.env/secrets.key.mjs': 'export const factor = 3\n',
      'src/.env.json': '{ "parameters": { "x": 1 }, "explore": { "x": [1, 2] } }',
      '.gitignore': 'hdf5\nlogs\n',
    })
    git(folder, 'init', '-q', '-b', 'main')
    if (state === 'changed') git(folder, 'add', '.')
    git(folder, 'commit', '-q', '--allow-empty', '-m', 'first words')
    writeFileSync(join(folder, 'src/.env/secrets.key.mjs'), 'export const factor = 5\n')
    const config = ['--config', 'src/.env.json', '--name', 'trajectory']
    expect((await run(folder, config)).exitCode).toBe(0)
    expect((await provenance(folder)).has('left_out')).toBe(false)
    const before = await valuesIn(join(folder, 'hdf5/trajectory.h5'), 'results')
    const restored = await start(folder, ['restore', 'hdf5/trajectory.h5', '--to', 'again']).ended()
    expect([restored.exitCode, restored.stdout.includes('not in the file')]).toEqual([0, false])
    const again = join(folder, 'again')
    expect((await run(again, config)).exitCode).toBe(0)
    expect(await valuesIn(join(again, 'hdf5/trajectory.h5'), 'results')).toEqual(before)
    if (state === 'changed') expect(readdirSync(again)).toContain('provenance.diff')
  },
)

test('secrets in the command, in options and in variables are masked and counted', async () => {
  const folder = repository()
  const words = ['--comment', 'see https://me:hush-pass@example.org', '--', '--api-token', 'hush-token']
  const env = { PYPET_FILE_TITLE: 'with Bearer hush-bearer', PYPET_NCORES: '1' }
  expect((await run(folder, words, env)).exitCode).toBe(0)
  const found = await provenance(folder)
  const argv = JSON.parse(String(found.get('argv')))
  expect(argv.slice(-5)).toEqual([words[0], 'see https://me:***@example.org', '--', '--api-token', '***'])
  expect(found.get('variables')).toBe('PYPET_FILE_TITLE="with Bearer ***"\nPYPET_NCORES="1"')
  expect(found.get('options')).toContain('fileTitle = "with Bearer ***" (PYPET_FILE_TITLE)')
  expect(found.get('left_out')).toBe('5 masked in argv, options and variables (may hold secrets)')
  expect(/hush-/.test(JSON.stringify([...found]))).toBe(false)
})
