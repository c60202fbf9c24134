/** A `.cnt` file that is rewritten as a short one whenever that is possible: nobody who reads it is led astray. It runs as it is installed. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openHdf5Reader } from '../../src/reading/reader.ts'
import { factsOf, pypet } from '../cli/pypet.ts'
import { isLongForm } from '../crash/long-form.ts'
import { fileTree } from '../experiment/file-tree.ts'

/** Three rounds of points. Before each is added, the `.cnt` file has been rewritten since a run of the one before. */
const JOB = `import { defineExperiment } from 'pypet-ts'
import { linkSync, readFileSync, statSync, writeFileSync } from 'node:fs'
const here = (name) => new URL(name, import.meta.url)
const inode = (name = 'results/grown.cnt') => String(statSync(here(name)).ino)
const points = (first, count) => Array.from({ length: count }, (_, index) => ({ x: first + index }))
export default defineExperiment({
  name: 'grown',
  parameters: { x: 1 },
  explore: { x: [0, 1, 2] },
  run(traj) {
    const { x } = traj.par
    if (x === 2 || x === 62) {
      // While it has a name, its number is given to no other file.
      linkSync(here('results/grown.cnt'), here('kept_' + x))
      writeFileSync(here('before'), inode('kept_' + x))
    }
    traj.addResult('z', 2 * x)
    return x
  },
  async postprocess(traj, results) {
    if (results.length > 63) return
    const before = readFileSync(here('before'), 'utf8')
    while (inode() === before) await new Promise((resolve) => setTimeout(resolve, 5))
    return points(results.length, results.length === 3 ? 60 : 3)
  },
})`

const TABLE = [
  ['queue', 'pool', 2],
  ['queue', 'inline', 1],
  ['lock', 'pool', 2],
  ['lock', 'pool', 1],
  ['lock', 'inline', 1],
  ...(isLongForm ? [['lock', 'process', 2] as const] : []),
] as const

test.each(TABLE)(
  '%s, %s, %i cores: points that are added between two rewritings are all stored and completed',
  async (wrapMode, executor, ncores) => {
    const folder = fileTree({ 'job.mjs': JOB })
    const ended = await pypet(folder, [
      ...['run', 'job.mjs', '--file', 'results/file.h5', '--json', '--no-provenance'],
      ...['--wrap-mode', wrapMode, '--executor', executor, '--ncores', String(ncores)],
      ...['--cnt-compact-bytes', '0'],
    ])
    expect(factsOf(ended)).toMatchObject({ run_count: 66, stored_count: 66, left_count: 0 })
    expect(ended.exitCode).toBe(0)
    const file = join(folder, 'results/file.h5')
    expect(statSync(`${join(folder, 'results/grown.cnt')}`, { throwIfNoEntry: false })).toBeUndefined()
    using reader = await openHdf5Reader(file)
    const completed: number[] = []
    reader.scanRows('/grown/overview/runs', ['completed'], (row, [isCompleted]) => {
      if (isCompleted === 1) completed.push(row)
    })
    expect(completed).toEqual(Array.from({ length: 66 }, (_, row) => row))
  },
)
