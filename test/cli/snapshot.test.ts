/** `pypet-ts snapshot` with the real command. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { Hdf5Content } from '../storage/hdf5-content.ts'
import { pypet, start, treeOf } from './pypet.ts'

/** Ten runs, which stop to wait at the fifth when the file `wait` is there. */
const JOB = `
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'demo',
  parameters: { x: 0 },
  async run(traj) {
    while (traj.par.x >= 4 && existsSync(new URL('wait', import.meta.url))) await delay(5)
    traj.addResult('z', traj.par.x * 3)
  },
})`
const RUN = ['run', 'job.ts', '--explore', 'x=0:10', '--ncores', '1', '--file', 'demo.h5']

/** An experiment that is running, four runs of which are stored. */
async function underWay() {
  const folder = fileTree({ 'job.ts': JOB, wait: '' })
  const running = start(folder, [...RUN, '--json'])
  await running.until(({ stdout }) => stdout.includes('"stored_count":4'))
  return { folder, running }
}

async function valuesIn(file: string): Promise<unknown[]> {
  using content = await Hdf5Content.open(file)
  return content
    .names('/demo/results/runs')
    .map((run) => content.dataset(`/demo/results/runs/${run}/z/z`).value)
}

describe.skipIf(process.platform === 'win32')('pypet-ts snapshot', () => {
  test('copies what is stored while an experiment runs, and says what that is', async () => {
    const { folder, running } = await underWay()
    const { exitCode, stdout, stderr, temporaries } = await pypet(folder, ['snapshot', 'demo.h5', 'copy.h5'])
    expect({ exitCode, stderr, temporaries }).toEqual({ exitCode: 0, stderr: '', temporaries: [] })
    expect(stdout).toMatch(
      /^copy\.h5: [\d.,]+ \w+, a consistent copy of demo\.h5\n {2}demo: 4 of 10 runs stored\nnext: {2}pypet-ts overview copy\.h5\n$/,
    )
    expect(await valuesIn(join(folder, 'copy.h5'))).toEqual([0, 3, 6, 9])
    // The experiment has noticed nothing.
    rmSync(join(folder, 'wait'))
    expect((await running.ended()).exitCode).toBe(0)
    expect((await valuesIn(join(folder, 'demo.h5'))).length).toBe(10)
  })

  test('copies what a killed experiment has stored, by its .cnt file, and changes nothing there', async () => {
    const { folder, running } = await underWay()
    process.kill(-(running.process.pid as number), 'SIGKILL')
    await running.ended()
    const before = treeOf(folder)
    const { exitCode, stdout } = await pypet(folder, ['snapshot', 'demo.cnt', 'copy.h5', '--json'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      event: 'snapshot',
      file: 'copy.h5',
      bytes: readFileSync(join(folder, 'copy.h5')).byteLength,
      trajectories: [{ name: 'demo', run_count: 10, stored_count: 4 }],
    })
    expect(await valuesIn(join(folder, 'copy.h5'))).toEqual([0, 3, 6, 9])
    rmSync(join(folder, 'copy.h5'))
    expect(treeOf(folder)).toEqual(before)
  })

  test('replaces a file only when it may', async () => {
    const folder = fileTree({ 'job.ts': JOB, 'copy.h5': 'precious' })
    expect((await pypet(folder, [...RUN, '--quiet'])).exitCode).toBe(0)
    const refused = await pypet(folder, ['snapshot', 'demo.h5', 'copy.h5'])
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr.replaceAll(folder, '~')).toBe(
      'error: ~/copy.h5 exists\n  hint: Name another file, or replace it (--overwrite).\n',
    )
    expect(readFileSync(join(folder, 'copy.h5'), 'utf8')).toBe('precious')
    expect((await pypet(folder, ['snapshot', 'demo.h5', 'copy.h5', '--overwrite'])).exitCode).toBe(0)
    expect((await valuesIn(join(folder, 'copy.h5'))).length).toBe(10)
    const onItself = await pypet(folder, ['snapshot', 'demo.h5', './demo.h5', '--overwrite'])
    expect(onItself.exitCode).toBe(2)
    expect(onItself.stderr).toContain('is the file that is to be copied')
    expect((await valuesIn(join(folder, 'demo.h5'))).length).toBe(10)
  })

  test.each([
    ['nowhere.h5', 'nowhere.h5 cannot be opened: there is no such file'],
    ['text.h5', 'text.h5 cannot be read as HDF5: it has no HDF5 signature'],
    ['nowhere.cnt', 'nowhere.cnt'],
    ['text.cnt', 'text.cnt is no .cnt file of pypet-ts'],
  ])('refuses %s, and leaves no file', async (source, message) => {
    const folder = fileTree({ 'text.cnt': 'text', 'text.h5': 'text' })
    writeFileSync(join(folder, 'old.h5'), 'precious')
    const { exitCode, stderr } = await pypet(folder, ['snapshot', source, 'old.h5', '--overwrite'])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^error: /)
    expect(stderr).toContain(message)
    expect(readFileSync(join(folder, 'old.h5'), 'utf8')).toBe('precious')
    expect(existsSync(join(folder, source))).toBe(source.startsWith('text'))
    expect(readdirSync(folder).sort()).toEqual(['old.h5', 'text.cnt', 'text.h5'])
  })
})
