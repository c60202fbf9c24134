/** What the page's server knows of a file between two looks. */
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import type { RunData } from '../../src/results/run-data.ts'
import { encodeColumns } from '../../src/view/column-message.ts'
import { FollowedColumns } from '../../src/view/followed-columns.ts'
import { LiveFile } from '../../src/view/live-file.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `import { defineExperiment } from 'pypet-ts'
export default defineExperiment({
  name: 'T',
  parameters: { x: 0 },
  explore: { x: [0, 1, 2, 3] },
  run(traj) {
    const { x } = traj.par
    traj.addResult('z', x / 7)
    if (x === 3 && process.env.NEVER_FAILS === undefined) throw new Error('three')
  },
})`

let file: string
let folder: string

beforeEach(async () => {
  folder = fileTree({ 'job.mjs': JOB })
  await pypet(folder, ['run', 'job.mjs', '--file', 'file.h5', '--ncores', '1'])
  file = join(folder, 'file.h5')
})

test('two looks at once have versions of their own, so that a page misses no change', async () => {
  const live = await LiveFile.open(file, undefined)
  const before = live.state.version
  utimesSync(file, 1, 1)
  const first = live.look()
  utimesSync(file, 2, 2)
  await Promise.all([first, live.look()])
  expect(live.state.version).toBe(before + 2)
})

test('rows that a page follows are read in the look, and are those that it would read itself', async () => {
  const live = await LiveFile.open(file, undefined)
  const followed = new FollowedColumns()
  const names = ['status', 'z']
  const { version } = live.state
  expect(followed.take(names, version, version)).toBeUndefined()
  const again = ['continue', 'file.h5', '--retry-failed', '--quiet']
  expect(await pypet(folder, again, { NEVER_FAILS: '1' })).toMatchObject({ exitCode: 0 })
  await live.look(followed.readNews)
  expect([live.state.version, live.changedSince(version).runs]).toEqual([version + 1, [3, 4]])
  const answer = followed.take(names, version, version + 1)
  const asked = await live.read((data) => ({
    version: version + 1,
    runCount: data.runCount,
    ...encodeColumns(
      data,
      names.map((name) => data.find(name)),
      [3, 4],
    ),
  }))
  expect(answer).toEqual(asked)
  expect(answer?.arrays).toContainEqual(Float64Array.of(3 / 7))
  // Not for a page that knows less, that follows other columns, or in another state.
  expect(followed.take(names, version - 1, version + 1)).toBeUndefined()
  expect(followed.take(['z'], version, version + 1)).toBeUndefined()
  expect(followed.take(names, version + 1, version + 2)).toBeUndefined()
})

test('nothing is read for a page that has left, for all runs, or for columns that are gone', async () => {
  const live = await LiveFile.open(file, undefined)
  const followed = new FollowedColumns()
  await live.read((data) => {
    let opened = 0
    const open = (): RunData => {
      opened += 1
      return data
    }
    followed.take(['z'], 1, 1)
    followed.readNews(2, 'all', open)
    expect([opened, followed.take(['z'], 1, 2)]).toEqual([0, undefined])
    followed.readNews(3, [0, 1], open)
    expect(followed.take(['z'], 2, 3)?.runCount).toBe(4)
    // A look that failed after its read leaves nothing for the next one.
    followed.readNews(4, 'all', open)
    expect(followed.take(['z'], 3, 4)).toBeUndefined()
    followed.take(['gone'], 3, 4)
    followed.readNews(5, [0, 1], open)
    expect(followed.take(['gone'], 4, 5)).toBeUndefined()
    const before = opened
    followed.readNews(9, [0, 1], open)
    followed.readNews(10, [0, 1], open)
    expect(opened).toBe(before)
  })
})
