/** Too few open files: the real command under the limit of a shell. What Node.js itself cannot do is not ours. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'

const COMMAND = join(ROOT, 'bin/pypet-ts.js')
const JOB = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({ parameters: { x: 1 }, explore: { x: [1, 2, 3] }, run(traj) { traj.addResult('z', 1) } })`

function pypetWith(files: number, folder: string, words: string) {
  const command = `ulimit -n ${files}; exec "$0" "$1" ${words}`
  const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder }
  return spawnSync('bash', ['-c', command, process.execPath, COMMAND], { cwd: folder, encoding: 'utf8', env })
}

test
  .skipIf(process.platform === 'win32')
  .each([
    'overview f.h5',
    'snapshot f.h5 x.h5 --overwrite',
    'restore f.h5 --to x --force',
    'run job.mjs --quiet --ncores 2 --overwrite',
    'run job.mjs --quiet --isolate --ncores 1 --overwrite',
    'run job.mjs --quiet --wrap-mode lock --ncores 1 --overwrite',
  ])('with too few open files, %s says so, and how to have more', (words) => {
  const folder = fileTree({ 'job.mjs': JOB })
  expect(pypetWith(1000, folder, 'run job.mjs --file f.h5').status).toBe(0)
  let toldCount = 0
  for (const files of [22, 25, 28]) {
    const { status, stderr } = pypetWith(files, folder, words)
    // Node.js does not even load the first file of the command.
    if (status === 0 || status === null || status > 100 || /EMFILE.*bin\/pypet-ts\.js/.test(stderr)) continue
    expect(stderr, `with ${files} files`).toMatch(/^error: .*/m)
    expect(stderr).not.toMatch(/bug in pypet-ts|^\s+at /m)
    expect(stderr).toMatch(/too many open files|EMFILE/)
    if (stderr.includes('ulimit -n')) toldCount += 1
  }
  expect(toldCount).toBeGreaterThan(0)
})
