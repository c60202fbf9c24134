/** `docs/provenance.md`: its commands bring an experiment back, its options are options, its leaves are in the file. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as library from '../dist/index.js'
import { OPTION_NAMES } from '../src/experiment/options.ts'
import { pypet } from './cli/pypet.ts'
import { codeIn } from './code-blocks.ts'
import { fileTree } from './experiment/file-tree.ts'
import { ROOT } from './source-tree.ts'

const PAGE = readFileSync(join(ROOT, 'docs/provenance.md'), 'utf8')
const JOB = `
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({ parameters: { x: 1 }, explore: { x: [1, 2] }, run(traj) { traj.addResult('z', traj.par.x) } })`

test('the way back', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  const [back = [], changed = []] = codeIn(PAGE, 'sh').map((block) => block.trim().split('\n'))
  expect([back.length, changed.length]).toEqual([3, 4])
  for (const command of back) {
    const [, inside = '.', words = ''] = /^(?:cd (\S+) && )?pypet-ts (.*)$/.exec(command) ?? []
    const { exitCode, stderr } = await pypet(join(folder, inside), words.split(' '))
    expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 0, stderr: '' })
  }
  expect(readFileSync(join(folder, 'again/job.mjs'), 'utf8')).toBe(JOB)
  writeFileSync(join(folder, 'job.mjs'), JOB.replace('traj.par.x', '2 * traj.par.x'))
  for (const command of changed) {
    const { exitCode, stderr } = await pypet(folder, command.split(' ').slice(1))
    // Runs that another job has made cannot all be verified by this one.
    expect({ command, exitCode, stderr }).toEqual({
      command,
      exitCode: command.endsWith('--all') ? 3 : 0,
      stderr: '',
    })
  }
  const [, call = ''] = /`await (restore\(.*\))`/.exec(PAGE) ?? []
  const [, file = '', to = ''] = /^restore\('(.*)', \{ to: '(.*)' \}\)$/.exec(call) ?? []
  await library.restore(join(folder, file), { to: join(folder, `${to}-by-script`), run: 0 })
  expect(readFileSync(join(folder, 'again-by-script/job.mjs'), 'utf8')).toBe(JOB)
  using traj = await library.loadTrajectory(join(folder, 'hdf5/job.h5'))
  const stored = [...traj.getGroup('config').iterLeaves()].flatMap(
    ({ fullName }) => /\.provenance\.(.*)$/.exec(fullName)?.[1] ?? [],
  )
  const named = [...PAGE.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) =>
    cell.replaceAll('`', '').split(', '),
  )
  // Not of a folder without git and packages.
  const elsewhere = /^git\.(?!state)|^left_out$|^lock_file$/
  expect(named.filter((name) => !elsewhere.test(name) && !stored.includes(name))).toEqual([])
})

test('the options', () => {
  const names = [...PAGE.matchAll(/^- `--[\w-]+` \(`(\w+)`\)/gm)].map(([, name]) => name)
  expect(names).toHaveLength(3)
  expect(names.filter((name) => !OPTION_NAMES.includes(name as never))).toEqual([])
})
