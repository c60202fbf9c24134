/** What is said before the first run about the size of the file: the real command. */
import { expect, test } from 'vitest'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `export default { name: 'demo', parameters: { x: 1 }, run(traj) { traj.addResult('z', traj.par.x) } }`

async function plan(words: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await pypet(fileTree({ 'job.mjs': JOB }), ['plan', 'job.mjs', ...words])
  expect(exitCode).toBe(0)
  return stderr
}

test('a plan of many runs says what columns would save', async () => {
  expect(await plan(['--explore', 'x=0:99999:1'])).toMatch(
    /^warning: 99,999 runs as groups take about \d+(\.\d+)? MB and .+ of writing; --layout columns takes about \d+(\.\d+)? MB$/m,
  )
  expect(await plan(['--explore', 'x=0:99999:1', '--layout', 'columns'])).toBe('')
  expect(await plan(['--explore', 'x=0:9:1'])).toBe('')
})

test('a plan that does not fit on the disk says so, with figures', async () => {
  // 2 TB with one number per run.
  const said = await plan(['--explore', 'x=0:49999:1', '--repeat', '40000'])
  expect(said).toMatch(
    /^warning: \/.* has .+ free, but the file takes about 1\.\d+ TB with one number per run/m,
  )
})
