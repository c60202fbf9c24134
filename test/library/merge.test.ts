/** Merging files, from a script. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PypetError } from '../../src/errors.ts'
import { acquireLock } from '../../src/journal/file-lock.ts'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { mergeFiles, mergeInto } from '../../src/library/merge.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { integer } from '../../src/values/value-forms.ts'
import { isLongForm } from '../crash/long-form.ts'
import { fileTree } from '../experiment/file-tree.ts'

const SEED = Number(process.env.PYPET_TEST_SEED ?? Date.now() % 2 ** 31)

type Point = readonly [x: number, s: string]

/** A stored trajectory of these points; each run holds what `result` says of its point. */
async function stored(file: string, points: readonly Point[], result = (x: number) => x * 2): Promise<void> {
  const traj = new Trajectory({ name: 'T', filename: file, parameters: { x: 0, s: '', constant: 1 } })
  traj.explore({ x: points.map(([x]) => x), s: points.map(([, s]) => s) })
  for (const _ of traj.iterRuns()) {
    traj.addResult('z', result(traj.value<number>('x')))
    traj.addResult('$.own', traj.idx)
  }
  await traj.store()
  traj.close()
}

async function pointsIn(file: string): Promise<string[]> {
  using traj = await loadTrajectory(file)
  const z = traj.getFromRuns('z', { useIndices: true })
  const points: string[] = []
  for (const run of traj.iterRuns()) points.push(`${traj.value('x')} ${traj.value('s')} ${z[run]}`)
  return points
}

test(`any two explorations merged hold the union of their points (seed ${SEED})`, async () => {
  const point = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.constantFrom('', 'a', 'longer text', 'ä☃'))
  const points = fc.uniqueArray(point, { minLength: 1, maxLength: 8, selector: ([x, s]) => `${x} ${s}` })
  await fc.assert(
    fc.asyncProperty(points, points, async (a, b) => {
      const folder = fileTree({})
      const [first, second, into] = ['a.h5', 'b.h5', 'c.h5'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ]
      await stored(first, a)
      await stored(second, b)
      const line = ([x, s]: Point) => `${x} ${s} ${x * 2}`
      await mergeFiles([{ file: first }, { file: second }], { file: into }, { removeDuplicates: true })
      expect([...(await pointsIn(into))].sort()).toEqual([...new Set([...a, ...b].map(line))].sort())
      expect(readdirSync(folder).sort()).toEqual(['a.h5', 'b.h5', 'c.h5'])
    }),
    { seed: SEED, numRuns: isLongForm ? 25 : 12 },
  )
})

describe('what cannot be merged', () => {
  test('equal points with different results are listed, and nothing is written', async () => {
    const folder = fileTree({})
    const [a, b, c] = ['a.h5', 'b.h5', 'c.h5'].map((name) => join(folder, name)) as [string, string, string]
    await stored(a, [
      [1, 'p'],
      [2, 'p'],
    ])
    await stored(
      b,
      [
        [2, 'p'],
        [3, 'p'],
      ],
      (x) => x * 3,
    )
    const merging = mergeFiles([{ file: a }, { file: b }], { file: c })
    await expect(merging).rejects.toThrow(/run_00000000 and run_00000001 \(z\.z\)/)
    expect(existsSync(c)).toBe(false)
    const report = await mergeFiles(
      [{ file: a }, { file: b }],
      { file: c },
      { removeDuplicates: true, conflicts: 'keep-first' },
    )
    expect(report).toMatchObject({
      runCount: 3,
      merged: [{ runs: 1, duplicates: 1, conflicts: [{ names: ['z.z'] }] }],
    })
    expect(await pointsIn(c)).toEqual(['1 p 2', '2 p 4', '3 p 9'])
  })

  test('parameters that differ are named', async () => {
    const folder = fileTree({})
    const [a, b] = ['a.h5', 'b.h5'].map((name) => join(folder, name)) as [string, string]
    await stored(a, [[1, 'p']])
    const other = new Trajectory({ name: 'T', filename: b, parameters: { x: 'text', s: '', more: 1 } })
    await other.store()
    other.close()
    const merging = mergeFiles([{ file: a }, { file: b }], { file: join(folder, 'c.h5') })
    await expect(merging).rejects.toThrow(
      /constant is missing in the other; parameters\.x is float64 here, str there; parameters\.more is missing here/,
    )
  })

  test('an existing file is replaced only when it may be', async () => {
    const folder = fileTree({ 'c.h5': 'precious' })
    const [a, b] = ['a.h5', 'b.h5'].map((name) => join(folder, name)) as [string, string]
    await stored(a, [[1, 'p']])
    await stored(b, [[2, 'p']])
    const merging = mergeFiles([{ file: a }, { file: b }], { file: join(folder, 'c.h5') })
    await expect(merging).rejects.toMatchObject({ code: 'PYPET_FILE_NOT_WRITABLE' })
  })
})

test('what was explored in one only, or had another default, is explored in the merged file', async () => {
  const folder = fileTree({})
  const [a, b, c] = ['a.h5', 'b.h5', 'c.h5'].map((name) => join(folder, name)) as [string, string, string]
  for (const [file, constant] of [
    [a, 1],
    [b, 5],
  ] as const) {
    const traj = new Trajectory({ name: 'T', filename: file, parameters: { x: 0, constant, list: [1, 2] } })
    traj.explore({ x: [1, 2] })
    if (file === b) traj.explore({ list: [[1, 2], [3]] })
    await traj.store()
    traj.close()
  }
  await mergeFiles([{ file: a }, { file: b }], { file: c })
  using traj = await loadTrajectory(c)
  expect(Object.keys(traj.exploredParameters).sort()).toEqual([
    'parameters.constant',
    'parameters.list',
    'parameters.x',
  ])
  expect(traj.getParameter('constant').getRange()).toEqual([1, 1, 5, 5])
  expect(traj.getParameter('list').getRange()).toEqual([[1, 2], [1, 2], [1, 2], [3]])
})

test('three files of trials are merged at once, each counted on from those before', async () => {
  const folder = fileTree({})
  const files = ['a.h5', 'b.h5', 'c.h5'].map((name) => ({ file: join(folder, name) }))
  for (const [number, { file }] of files.entries()) {
    const traj = new Trajectory({ name: 'T', filename: file, parameters: { trial: integer(0), x: 1 } })
    traj.explore(number === 1 ? { trial: [0, 1], x: [5, 6] } : { trial: [0, 1] })
    for (const run of traj.iterRuns()) traj.addResult('z', `${number} ${run}`)
    await traj.store()
    traj.close()
  }
  const expected = ['0 0', '0 1', '1 0', '1 1', '2 0', '2 1']
  const check = (traj: Trajectory) => {
    expect(traj.getParameter('trial').getRange()).toEqual([0, 1, 2, 3, 4, 5])
    expect(traj.getParameter('x').getRange()).toEqual([1, 1, 5, 6, 1, 1])
    expect(Object.values(traj.getFromRuns('z'))).toEqual(expected)
    expect(Object.keys(traj.exploredParameters).sort()).toEqual(['parameters.trial', 'parameters.x'])
  }
  await mergeFiles(files, { file: join(folder, 'all.h5') }, { trialParameter: 'trial' })
  using all = await loadTrajectory(join(folder, 'all.h5'))
  check(all)
  expect(all.getGroup('config.merge').groups).toHaveLength(2)
  // The same in memory, where nothing is stored yet, and in the first file, whose list of explored parameters grows.
  const [a, b, c] = (await Promise.all(files.map(({ file }) => loadTrajectory(file)))) as [
    Trajectory,
    Trajectory,
    Trajectory,
  ]
  await a.mergeMany([b, c], { trialParameter: 'trial' })
  for (const traj of [b, c]) traj.close()
  await a.store()
  a.close()
  using stored = await loadTrajectory(join(folder, 'a.h5'))
  check(stored)
})

test('in mergeInto, what runs of three files conflict in is found before anything is written', async () => {
  const folder = fileTree({})
  const [a, b, c] = ['a.h5', 'b.h5', 'c.h5'].map((name) => ({ file: join(folder, name) })) as [
    { file: string },
    { file: string },
    { file: string },
  ]
  await stored(a.file, [[1, 'p']])
  await stored(b.file, [[2, 'p']])
  await stored(c.file, [[2, 'p']], (x) => x * 3)
  await expect(mergeInto(a, [b, c])).rejects.toThrow(/run_00000000 and run_00000001 \(z\.z\)/)
  expect(await pointsIn(a.file)).toEqual(['1 p 2'])
  const report = await mergeInto(a, [b, { file: c.file }], { conflicts: 'keep-first' })
  expect(
    report.merged.map(({ runs, duplicates, conflicts }) => [runs, duplicates, conflicts.length]),
  ).toEqual([
    [1, 0, 0],
    [1, 1, 1],
  ])
  expect(await pointsIn(a.file)).toEqual(['1 p 2', '2 p 4', '2 p 6'])
})

test('the file is locked while mergeInto reads, plans and writes, and free afterwards', async () => {
  const folder = fileTree({})
  const [target, other] = ['a.h5', 'b.h5'].map((name) => join(folder, name)) as [string, string]
  await stored(target, [[1, 'a']])
  await stored(other, [[2, 'b']])
  const lockedIn = new Map<string, unknown>()
  const onProgress = ({ phase }: { phase: string }) => {
    try {
      acquireLock(target, { trajectory: 'someone else', breakLock: false }).release()
      lockedIn.set(phase, 'free')
    } catch (error) {
      lockedIn.set(phase, (error as PypetError).code)
    }
  }
  await mergeInto({ file: target }, [{ file: other }], { onProgress })
  expect(Object.fromEntries(lockedIn)).toEqual({
    reading: 'PYPET_FILE_LOCKED',
    copying: 'PYPET_FILE_LOCKED',
    stored: 'PYPET_FILE_LOCKED',
  })
  acquireLock(target, { trajectory: 'someone else', breakLock: false }).release()
  expect(await pointsIn(target)).toEqual(['1 a 2', '2 b 4'])
})
