/** `docs/viewer.md`: its commands run, and its keys are those of the page. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pypet } from './cli/pypet.ts'
import { codeIn } from './code-blocks.ts'
import { fileTree } from './experiment/file-tree.ts'
import { view } from './view/viewed.ts'

const page = readFileSync(new URL('../docs/viewer.md', import.meta.url), 'utf8')

const JOB = `
import { cartesianProduct, defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'ising',
  parameters: { T: 1, size: 8 },
  explore: cartesianProduct({ T: [1, 2, 3], size: [8, 16, 32] }),
  run(traj) {
    traj.addResult('chi', traj.par.T * traj.par.size)
    traj.addResult('trace', Float64Array.from([0, traj.par.T]))
    if (traj.par.T > 1) traj.addResult('steps', 1)
  },
})`

test('the commands of the page run, and so do the conditions', async () => {
  const folder = fileTree({ 'job.mjs': JOB })
  await pypet(folder, ['run', 'job.mjs', '--ncores', '1'])
  const commands = codeIn(page, 'sh').flatMap((block) => block.trim().split('\n'))
  expect(commands.filter((command) => command.startsWith('pypet-ts view'))).toHaveLength(2)
  const shown = await view(folder, ['hdf5/ising.h5'])
  expect((await shown.get('/api/state')).status).toBe(200)
  const listed = /`pypet-ts table --where` .*?:\n(.*?)\n- /s.exec(page)?.[1] ?? ''
  const conditions = [...listed.matchAll(/`([^`]+)`/g)].map(([, condition]) => condition as string)
  expect(conditions.length).toBeGreaterThan(3)
  for (const where of conditions) {
    const { status } = await shown.get(`/api/filter?where=${encodeURIComponent(where)}`)
    expect([where, status]).toEqual([where, 200])
  }
  const { exitCode, stdout } = await pypet(folder, [
    ...['table', 'hdf5/ising.h5', '--where', 'T > 2 && size in [16, 32]', '--sort=-chi', '--csv'],
  ])
  expect(exitCode).toBe(0)
  expect(stdout.trim().split('\n')).toHaveLength(3)
})

test('the table of keys is the one of the help', () => {
  const source = readFileSync(new URL('../src/view/page/keys.ts', import.meta.url), 'utf8')
  const keys = [...source.matchAll(/^ {2}\['(.+?)', '(.+?)'\],$/gm)].map(
    ([, key, meaning]) => `| \`${key}\` | ${meaning} |`,
  )
  expect(keys.length).toBe(11)
  expect(page).toContain(keys.join('\n'))
})
