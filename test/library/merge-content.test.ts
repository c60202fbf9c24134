/** What a merge takes over besides the results of runs, and what it says of the rest. */
import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { run } from '../../dist/index.js'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { type MergedInput, type MergeProgress, mergeFiles, mergeInto } from '../../src/library/merge.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const JOB = `
import { defineExperiment } from 'pypet-ts'
class Spectrum { constructor(power) { this.power = power } store() { return { power: this.power } } }
export default defineExperiment({
  name: 'demo',
  parameters: { x: 1 },
  run(traj) {
    if (traj.par.x === 6) throw new RangeError('six is too much')
    const z = traj.addResult('z', traj.par.x * 2, { comment: 'twice' })
    traj.addResult('$set.of', new Spectrum(traj.par.x))
    if (traj.par.x > 4) traj.addResult('rare', 1, { comment: 'seldom' })
    traj.addLink('same', 'z')
  },
})`

let folder = ''

beforeAll(async () => {
  folder = fileTree({ 'job.mjs': JOB })
  for (const [name, values] of Object.entries({ a: '1,2', b: '2,5,6,7' })) {
    await run(join(folder, 'job.mjs'), {
      options: { filename: join(folder, `${name}.h5`), logging: false, keepCnt: false },
      explore: [`x=${values}`],
    }).catch((error: unknown) => error)
  }
  // A failed run keeps its .cnt file, and what it holds may not be changed: the files of the tests are copies.
  for (const [name, mean] of [
    ['a', 1],
    ['b', 2],
  ] as const) {
    copyFileSync(join(folder, `${name}.h5`), join(folder, `${name}2.h5`))
    using traj = await loadTrajectory(join(folder, `${name}2.h5`))
    traj.addResult('summary.mean', mean)
    traj.addResult('summary.equal', [1, 2])
    traj.addResult(`summary.of_${name}`, 'only here', { comment: 'mine' }).annotate({ unit: 'mV' })
    traj.addConfig(`mine.of_${name}`, 5)
    traj.addLink(`to_last_of_${name}`, `results.runs.run_0000000${name === 'a' ? 1 : 3}.z`)
    traj.addLink(`to_summary_of_${name}`, `results.summary.of_${name}`)
    if (name === 'b') traj.addLink('to_duplicate', 'results.runs.run_00000000.z')
    await traj.store()
  }
}, 120_000)

const inFolder = (name: string) => join(folder, name)
const A = () => ({ file: inFolder('a2.h5') })
const B = () => ({ file: inFolder('b2.h5') })

/** What the merged trajectory of a2 and b2 holds, with their duplicate left out. */
async function expectMerged(file: string): Promise<void> {
  using traj = await loadTrajectory(file)
  expect(traj.getParameter('x').getRange()).toEqual([1, 2, 5, 6, 7])
  expect(traj.getFromRuns('z', { useIndices: true })).toEqual({ 0: 2, 1: 4, 2: 10, 4: 14 })
  expect([...traj.iterRuns()].map((run) => traj.isCompleted(run))).toEqual([true, true, true, false, true])
  expect(traj.runInformation(3)).toMatchObject({ failed: true, completed: false })
  expect(traj.failureOf(3)).toMatchObject({ name: 'RangeError', message: 'six is too much' })
  expect(traj.value('results.summary.mean')).toBe(1)
  expect(traj.get('results.summary.of_b')).toMatchObject({ comment: 'mine', annotations: { unit: 'mV' } })
  expect(traj.value('config.mine.of_b')).toBe(5)
  expect([traj.linkTarget('to_last_of_b'), traj.linkTarget('to_duplicate')]).toEqual([
    'results.runs.run_00000004.z',
    'results.runs.run_00000001.z',
  ])
  expect(traj.linkTarget('to_summary_of_b')).toBe('results.summary.of_b')
  expect(traj.getGroup('results.runs.run_00000004').linkTarget('same')).toBe('results.runs.run_00000004.z')
  const environments = traj.getGroup('config.environment').groups
  expect(environments).toHaveLength(2)
  const [merge] = traj.getGroup('config.merge').groups
  expect(merge?.toDict({ fastAccess: true, nested: true })).toMatchObject({
    merged_runs: 3,
    length_before_merge: 2,
    remove_duplicates: true,
    other_trajectory: { name: 'demo', length: 4 },
  })
  // The comment of b's first run, which is left out, stands with the first that is not; each other one once.
  expect(traj.getAll('z').map(({ comment }) => comment)).toEqual(['twice', '', '', ''])
  expect(traj.getAll('rare').map(({ comment }) => comment)).toEqual(['seldom', ''])
}

describe('a merge of two files', () => {
  test('takes over what is outside of runs, failed runs, links and config, and names what differs', async () => {
    const into = { file: inFolder('c.h5') }
    const seen: MergeProgress[] = []
    const report = await mergeFiles([A(), B()], into, {
      removeDuplicates: true,
      onProgress: (progress) => seen.push(progress),
    })
    expect(report).toMatchObject({
      runCount: 5,
      failedCount: 1,
      first: { file: inFolder('a2.h5'), runs: 2, failed: 0 },
      merged: [{ runs: 3, failed: 1, duplicates: 1, conflicts: [] }],
    })
    expect(report.merged[0]?.leftOut).toEqual([
      { name: 'results.summary.mean', reason: 'its value differs; the first value stays' },
    ])
    expect([...new Set(seen.map(({ phase }) => phase))]).toEqual(['reading', 'comparing', 'copying'])
    expect(seen.at(-1)).toMatchObject({ file: inFolder('b2.h5'), done: 3, total: 3 })
    await expectMerged(into.file)
    const shown = await pypet(folder, ['overview', 'c.h5'])
    expect(shown.stdout).toMatch(/failed {3}run 3: RangeError: six is too much/)
    expect(shown.stdout).toMatch(/rare +\d of 3 runs|rare +other runs/)
  })

  test('says in the end what it has done, on a pipe nothing before, and as JSON', async () => {
    const words = ['merge', 'a2.h5', 'b2.h5', '--into', 'text.h5']
    const { stdout, stderr, exitCode } = await pypet(folder, words)
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout.split('\n')).toEqual([
      'text.h5: demo, 6 runs, 1 of them failed',
      '    2 runs of demo in a2.h5',
      '  + 4 runs of demo in b2.h5, 1 of them failed, 1 point existed already',
      '    left out: results.summary.mean (its value differs; the first value stays)',
      '1 point is there twice: --remove-duplicates skips duplicates',
      'next:  pypet-ts overview text.h5',
      '',
    ])
  })
})

describe('mergeInto', () => {
  test('appends to the file, which is one of those that are merged', async () => {
    copyFileSync(inFolder('a2.h5'), inFolder('into.h5'))
    const phases: string[] = []
    const report = await mergeInto({ file: inFolder('into.h5') }, [B()], {
      removeDuplicates: true,
      onProgress: ({ phase }) => phases.push(phase),
    })
    expect(phases.at(-1)).toBe('stored')
    expect(report).toMatchObject({ file: inFolder('into.h5'), runCount: 5, merged: [{ runs: 3 }] })
    await expectMerged(inFolder('into.h5'))
    expect(readdirSync(folder).filter((name) => name.startsWith('into'))).toEqual(['into.h5'])
  })

  test('of several, one of which cannot be merged, changes nothing', async () => {
    copyFileSync(inFolder('a2.h5'), inFolder('same.h5'))
    const before = readFileSync(inFolder('same.h5'))
    const other = new Trajectory({ name: 'T', filename: inFolder('other.h5'), parameters: { y: 1 } })
    await other.store()
    other.close()
    const merging = mergeInto({ file: inFolder('same.h5') }, [B(), { file: inFolder('other.h5') }])
    await expect(merging).rejects.toMatchObject({ code: 'PYPET_MERGE_IMPOSSIBLE' })
    expect(readFileSync(inFolder('same.h5')).equals(before)).toBe(true)
  })

  test('where a text outgrows its column, the file is written anew; two trajectories of one file merge', async () => {
    const file = inFolder('two.h5')
    for (const [name, text] of [
      ['one', 'short'],
      ['two', 'x'.repeat(300)],
    ] as const) {
      const traj = new Trajectory({ name, filename: file, parameters: { text: '', y: 1 } })
      traj.explore({ text: [text, `${text}!`] })
      traj.addResult('of', name)
      await traj.store()
      traj.close()
    }
    await expect(mergeFiles([{ file }, A()], { file: inFolder('no.h5') })).rejects.toThrow(
      /two\.h5: it holds 2 trajectories/,
    )
    const { stdout } = await pypet(folder, ['merge', 'two.h5:two', '--into', 'two.h5:one', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      event: 'merged',
      trajectory: 'one',
      run_count: 4,
      merged: [{ trajectory: 'two', left_out: [{ name: 'results.of' }] }],
    })
    using traj = await loadTrajectory(file, { name: 'one' })
    expect(traj.getParameter('text').getRange()).toEqual([
      'short',
      'short!',
      'x'.repeat(300),
      `${'x'.repeat(300)}!`,
    ])
    traj.close()
    // Into a new file, under a new name, alone.
    await mergeFiles(
      [
        { file, name: 'two' },
        { file, name: 'two' },
      ],
      { file: inFolder('alone.h5'), name: 'both' },
    )
    using both = await loadTrajectory(inFolder('alone.h5'))
    expect([both.name, both.length]).toEqual(['both', 4])
  })

  test('of a trajectory into itself is refused', async () => {
    await expect(mergeInto(A(), [A()])).rejects.toThrow(/into itself/)
  })
})

test('a trajectory merges another one in memory, and stores it', async () => {
  copyFileSync(inFolder('a2.h5'), inFolder('memory.h5'))
  using traj = await loadTrajectory(inFolder('memory.h5'))
  using other = await loadTrajectory(inFolder('b2.h5'))
  const report = await traj.merge(other, { removeDuplicates: true })
  expect(report).toMatchObject({ runs: 3, failed: 1, duplicates: 1 })
  expect(report.leftOut.map(({ name }) => name)).toEqual(['results.summary.mean'])
  expect(traj.length).toBe(5)
  expect(traj.value('results.runs.run_00000004.z')).toBe(14)
  await traj.store()
  traj.close()
  await expectMerged(inFolder('memory.h5'))
})

test('of a point that failed in the first file and ended in the second, the run that ended is taken', async () => {
  const whole = fileTree({ 'job.mjs': JOB.replace('=== 6', '=== 60') })
  const file = join(whole, 'd.h5')
  await run(join(whole, 'job.mjs'), { options: { filename: file, logging: false }, explore: ['x=6'] })
  const into = inFolder('mended.h5')
  await mergeFiles([B(), { file }], { file: into }, { removeDuplicates: true })
  using traj = await loadTrajectory(into)
  expect([traj.length, traj.value('results.runs.run_00000004.z')]).toEqual([5, 12])
  const back = inFolder('back.h5')
  const again = await mergeFiles([{ file: into }, B()], { file: back }, { removeDuplicates: true })
  expect(again).toMatchObject({ runCount: 5, merged: [{ runs: 0, duplicates: 4 }] })
})

/** Runs of `x`, with `extra` beside `z` where it is asked for. */
async function filled(name: string, values: readonly number[], hasExtra: boolean): Promise<string> {
  const file = inFolder(name)
  using traj = new Trajectory({ name: 'demo', filename: file, parameters: { x: 1 }, overwrite: true })
  traj.explore({ x: values })
  for (const _ of traj.iterRuns()) {
    traj.addResult('z', traj.par.x * 2)
    if (hasExtra) traj.addResult('extra', 1)
    traj.finishRun()
  }
  await traj.store()
  return file
}

/** The same merge in each of the three ways; what became of the other, and the merged file. */
const WAYS: Record<string, (first: string, other: string) => Promise<[MergedInput, string]>> = {
  async mergeFiles(first, other) {
    const file = inFolder('way.h5')
    const inputs = [{ file: first }, { file: other }]
    const report = await mergeFiles(inputs, { file, overwrite: true }, KEEP_FIRST)
    return [report.merged[0] as MergedInput, file]
  },
  async mergeInto(first, other) {
    return [(await mergeInto({ file: first }, [{ file: other }], KEEP_FIRST)).merged[0] as MergedInput, first]
  },
  async merge(first, other) {
    using traj = await loadTrajectory(first)
    using theirs = await loadTrajectory(other)
    const merged = await traj.merge(theirs, KEEP_FIRST)
    await traj.store()
    return [merged, first]
  },
}
const KEEP_FIRST = { removeDuplicates: true, conflicts: 'keep-first' } as const

describe.each(Object.entries(WAYS))('%s of duplicates that are left out', (way, merge) => {
  test('takes over what is outside of runs where every point is there already', async () => {
    const other = await filled('same.h5', [1, 2], false)
    using theirs = await loadTrajectory(other)
    theirs.addResult('summary.mean', 5)
    await theirs.store()
    const [merged, file] = await merge(await filled(`all-${way}.h5`, [1, 2], false), other)
    expect(merged).toMatchObject({ runs: 0, duplicates: 2, leftOut: [] })
    using traj = await loadTrajectory(file)
    expect([traj.length, traj.value('results.summary.mean')]).toEqual([2, 5])
  })

  test('names the links that lead to what only they have', async () => {
    const other = await filled('links.h5', [2, 3], true)
    using theirs = await loadTrajectory(other)
    const [duplicate, taken] = ['results.runs.run_00000000', 'results.runs.run_00000001']
    for (const [name, target] of [
      ['nowhere', `${duplicate}.extra`],
      ['known', `${duplicate}.z`],
      ['brought', `${taken}.extra`],
      [`${taken}.nowhere`, `${duplicate}.extra`],
      [`${taken}.known`, `${duplicate}.z`],
    ] as const)
      theirs.addLink(name, target)
    await theirs.store()
    const [merged, file] = await merge(await filled(`links-${way}.h5`, [1, 2], false), other)
    expect(merged.leftOut.map(({ name }) => name)).toEqual(['nowhere', `${taken}.nowhere`])
    using traj = await loadTrajectory(file)
    expect(traj.linkNames).toEqual(['brought', 'known'])
    expect(traj.get('known').fullName).toBe('results.runs.run_00000001.z')
    expect(traj.get('brought').fullName).toBe('results.runs.run_00000002.extra')
    expect(traj.getGroup('results.runs.run_00000002').linkNames).toEqual(['known'])
  })
})
