/** The job of experiments/million with 50,000 runs. The million is in its benchmark. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { openHdf5Reader } from '../../src/reading/reader.ts'
import { pypet } from '../cli/pypet.ts'
import { contentOf, differences } from '../crash/file-content.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'

const RUNS = 50_000

test('fifty thousand runs in columns take little, and are the same on one core and on two', async () => {
  const folder = fileTree({})
  const contents: Readonly<Record<string, string>>[] = []
  for (const ncores of [1, 2]) {
    const file = join(folder, String(ncores), 'million.h5')
    const ended = await pypet(folder, [
      ...['run', join(ROOT, 'experiments/million/job.ts'), '--explore', `i=0:${RUNS}`],
      ...['--layout', 'columns', '--ncores', String(ncores), '--file', file, '--quiet', '--no-provenance'],
    ])
    expect(ended.exitCode).toBe(0)
    // What is there without runs takes about a megabyte.
    expect(statSync(file).size).toBeLessThan(RUNS * 70 + 1_500_000)
    using traj = await loadTrajectory(file)
    const z = traj.getFromRuns<number>('z')
    expect([Object.keys(z).length, z.run_00000000, z.run_00049999]).toEqual([RUNS, 0, (RUNS - 1) / 2])
    using reader = await openHdf5Reader(file)
    expect(reader.raw.children('/million/results/runs')).toEqual([])
    expect(
      reader
        .columns('million')
        ?.statuses()
        .every((status) => status === 1),
    ).toBe(true)
    contents.push(await contentOf(file))
  }
  // The first thousand to arrive are listed.
  const HOW = /\/config\/environment\/|\/overview\/(config|results)_overview/
  const [one = {}, two = {}] = contents.map((content) =>
    Object.fromEntries(Object.entries(content).filter(([path]) => !HOW.test(path))),
  )
  expect(differences(two, one)).toEqual([])
}, 120_000)
