/** The same answers everywhere: any number of cores, any order of the points, interrupted or not, bit by bit. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { continueRun, loadTrajectory, run } from '../../dist/index.js'
import { isLongForm } from '../crash/long-form.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { stoppedWhen } from './experiments.ts'

/** Results depend on the point, on random draws, and on nothing else. */
const job = (points: readonly object[]) => `import { existsSync } from 'node:fs'
import { defineExperiment, points } from 'pypet-ts'
export default defineExperiment({
  name: 'passes',
  parameters: { x: 0, label: '', n: 1n },
  explore: points(${JSON.stringify(points)}.map(({ n, ...point }) => ({ ...point, n: BigInt(n) }))),
  async run(traj) {
    // Until somebody lets them go on, so that an interruption leaves runs.
    while (traj.idx >= 2 && !existsSync(new URL('go', import.meta.url))) await new Promise((done) => setTimeout(done, 5))
    const { x, label, n } = traj.par
    traj.addResult('noise', traj.random.normal(0, 1, 50))
    traj.addResult('values', { seed: traj.seed, ratio: x / 3, text: label + n, order: traj.random.shuffle([0, 1, 2, 3, 4]) })
    traj.addDerivedParameter('half', x / 2)
  },
})
`
const POINTS = Array.from({ length: 12 }, (_, index) => ({
  x: index / 7,
  label: `point ${index % 3}`,
  n: index + 1,
}))
const ORDERS: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
  [5, 0, 11, 3, 8, 1, 10, 2, 7, 4, 9, 6],
]
type Pass = readonly [order: number, ncores: number, isInterrupted: boolean]
const ALL: readonly Pass[] = ORDERS.flatMap((_, order) =>
  [1, 2].flatMap((ncores) => [false, true].map((isInterrupted): Pass => [order, ncores, isInterrupted])),
)
/** Each order with one core and with two, each order whole and interrupted, each number of cores whole and interrupted. */
const PAIRS: readonly Pass[] = [
  [0, 2, false],
  [0, 1, true],
  [1, 1, false],
  [1, 2, true],
  [2, 2, false],
  [2, 1, true],
]

/** What each point gave, with all bits of it, by its label and number. */
async function answers(order: readonly number[], ncores: number, isInterrupted: boolean) {
  const folder = fileTree({ 'job.mjs': job(order.map((index) => POINTS[index] as object)) })
  const filename = join(folder, 'file.h5')
  const options = { filename, logFolder: join(folder, 'logs'), ncores, seed: 42 }
  const letGo = () => writeFileSync(join(folder, 'go'), '')
  if (!isInterrupted) letGo()
  const interruption = stoppedWhen((event) => {
    const isTime = isInterrupted && event.type === 'runs-stored'
    if (isTime) letGo()
    return isTime
  })
  const { cntFile, leftCount } = await run(join(folder, 'job.mjs'), { options, ...interruption })
  expect({ isUnfinished: cntFile !== undefined, areLeft: leftCount > 0 }).toEqual({
    isUnfinished: isInterrupted,
    areLeft: isInterrupted,
  })
  if (cntFile !== undefined) await continueRun(cntFile)
  using traj = await loadTrajectory(filename)
  const found: Record<string, unknown> = {}
  for (const run of traj.iterRuns()) {
    const noise = traj.value<Float64Array>(`results.runs.$.noise`)
    const values = traj.getResult('results.runs.$.values').toRecord()
    const half = traj.value('derived_parameters.runs.$.half')
    const bytes = Buffer.from(noise.buffer, noise.byteOffset, noise.byteLength).toString('hex')
    found[String((traj.par as { n: bigint }).n)] = {
      bytes,
      values,
      half,
      x: (traj.par as { x: number }).x,
    }
    expect(run).toBe(traj.idx)
  }
  return found
}

test('one core and two, whole and interrupted, in three orders: every value has the same bits', async () => {
  const expected = await answers(ORDERS[0] as readonly number[], 1, false)
  expect(Object.keys(expected)).toHaveLength(12)
  expect(new Set(Object.values(expected).map((value) => (value as { bytes: string }).bytes)).size).toBe(12)
  for (const [place, ncores, isInterrupted] of isLongForm ? ALL : PAIRS) {
    const order = ORDERS[place] as readonly number[]
    expect(await answers(order, ncores, isInterrupted), `${place} ${ncores} ${isInterrupted}`).toEqual(
      expected,
    )
  }
})
