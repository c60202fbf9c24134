/** What `overview` says about where a trajectory came from: a real repository, the real command. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { pypet } from './pypet.ts'

const FILES = {
  'job.mjs': `export default (traj) => { traj.addResult('z', 1) }`,
  '.gitignore': 'hdf5\nlogs\nfolder\n',
}

function git(folder: string, ...words: string[]): string {
  const flags = ['-c', 'user.name=n', '-c', 'user.email=e@example.org', '-c', 'commit.gpgsign=false']
  return execFileSync('git', [...flags, ...words], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim()
}

/** Runs the job, and gives what overview says then, for programs and for people. */
async function overviewOf(folder: string, words: readonly string[] = []) {
  const run = await pypet(folder, ['run', 'job.mjs', '--quiet', '--overwrite', ...words])
  expect(run).toMatchObject({ exitCode: 0, stderr: '' })
  const { stdout } = await pypet(folder, ['overview', 'hdf5/job.h5', '--json'])
  const text = await pypet(folder, ['overview', 'hdf5/job.h5'])
  return { provenance: JSON.parse(stdout).trajectories[0].provenance, text: text.stdout }
}

test('overview names the commit, and whether the tree had changes', async () => {
  const folder = fileTree(FILES)
  git(folder, 'init', '-q', '-b', 'main')
  const none = await overviewOf(folder)
  expect(none.provenance.commit).toBeNull()

  git(folder, 'add', '.')
  git(folder, 'commit', '-q', '-m', 'first words')
  const commit = git(folder, 'rev-parse', 'HEAD')
  const clean = await overviewOf(folder)
  expect(clean.provenance).toEqual({ commit, state: 'clean' })
  expect(clean.text).toContain(`source   commit ${commit.slice(0, 12)}, clean\n`)

  writeFileSync(join(folder, 'job.mjs'), `${FILES['job.mjs']}\n`)
  expect((await overviewOf(folder)).provenance).toEqual({ commit, state: 'dirty' })

  const off = await overviewOf(folder, ['--no-provenance'])
  expect(off.provenance).toBeNull()
  expect(off.text).not.toContain('source ')
})

test('outside of a repository there is no commit, and the state says why', async () => {
  const { provenance, text } = await overviewOf(fileTree(FILES))
  expect(provenance).toEqual({ commit: null, state: 'not in a git repository' })
  expect(text).toContain('source   not in a git repository\n')
})
