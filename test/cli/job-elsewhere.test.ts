/** What `expand` and `verify` execute because an HDF5 file says so lies with the experiment, or the user names it. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { verify } from '../../src/library/verify.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { factsOf, pypet, treeOf } from './pypet.ts'

/** Leaves a word when it is loaded. */
const JOB = `
import { appendFileSync } from 'node:fs'
import { defineExperiment } from 'pypet-ts'
appendFileSync(new URL('loaded.txt', import.meta.url), 'loaded ')
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1 },
  explore: { x: [0, 1, 2] },
  run(traj) { traj.addResult('z', traj.par.x) },
})`

/** A file in `work`, whose job lies in `code`. */
async function stored() {
  const root = fileTree({ 'code/job.mjs': JOB, 'work/hdf5/kept': '' })
  const work = join(root, 'work')
  const { exitCode } = await pypet(work, ['run', '../code/job.mjs', '--no-log', '--quiet'])
  expect(exitCode).toBe(0)
  writeFileSync(join(root, 'code/loaded.txt'), '')
  return {
    root,
    work,
    job: join(root, 'code/job.mjs'),
    loaded: () => readFileSync(join(root, 'code/loaded.txt'), 'utf8'),
  }
}

test.skipIf(process.platform === 'win32').each([
  ['expand', ['--explore', 'x=0,3', '--no-log'], { stored_count: 4 }],
  ['verify', ['--runs', '0,2'], { identical_count: 2 }],
] as const)(
  '%s does not load a job elsewhere unless it is named, as the refusal says',
  async (command, words, facts) => {
    const { root, work, job, loaded } = await stored()
    const before = Object.keys(treeOf(work))
    const refused = await pypet(work, [command, 'hdf5/demo.h5', ...words])
    expect(refused).toMatchObject({ exitCode: 2, stdout: '', temporaries: [] })
    expect(refused.stderr).toMatch(
      /hdf5\/demo\.h5 names the job .*, which is not in its folder, the folder above or the working directory\n/,
    )
    const hint = `name it: pypet-ts ${command} hdf5/demo.h5 --job ${job} ${words.join(' ')}\n`
    expect(refused.stderr).toContain(hint)
    expect(Object.keys(treeOf(work))).toEqual(before)
    expect(loaded()).toBe('')
    const named = await pypet(work, [command, 'hdf5/demo.h5', '--job', job, ...words, '--json'])
    expect([named.exitCode, factsOf(named)]).toEqual([0, expect.objectContaining(facts)])
    expect(loaded()).not.toBe('')
    // In a folder above the job, it needs no name.
    const above = await pypet(root, ['verify', 'work/hdf5/demo.h5', '--all'])
    expect(above.exitCode).toBe(0)
  },
)

test.skipIf(process.platform === 'win32')(
  'in a script it is refused, too; where it is gone, one of its name beside the file is found',
  async () => {
    const { root, work, job, loaded } = await stored()
    const file = join(work, 'hdf5/demo.h5')
    writeFileSync(join(work, 'hdf5/job.mjs'), JOB)
    await expect(verify(file, { runs: 'all' })).rejects.toMatchObject({
      code: 'PYPET_USAGE',
      hint: expect.stringContaining(`--job ${job} --all`),
    })
    renameSync(job, join(root, 'code/gone.mjs'))
    const near = await verify(file, { runs: 'all' })
    expect([near.job, near.identicalCount]).toEqual([join(work, 'hdf5/job.mjs'), 3])
    expect(loaded()).toBe('')
  },
)
