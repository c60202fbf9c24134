/** What is deleted from a file is not found any more, whoever asks; and nothing else goes with it. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Environment, loadTrajectory, mergeFiles, mergeInto, Trajectory, verify } from '../../src/index.ts'
import { pypet } from '../cli/pypet.ts'
import { fileTree } from '../experiment/file-tree.ts'

const ARRAY = Float64Array.from({ length: 20_000 }, Math.sqrt)

/** Two results, one with a link in the root and one in a group, and a parameter that is not explored. */
async function stored(filename: string): Promise<Trajectory> {
  const traj: Trajectory = new Trajectory({ name: 'T', filename })
  traj.addParameter('p', 1)
  traj.addResult('g.z', { a: 1, large: ARRAY })
  traj.addResult('y', 5)
  traj.addLink('short', 'g.z')
  traj.getGroup('results').addGroup('links').addLink('y', 'results.y')
  await traj.store()
  return traj
}

async function shown(file: string): Promise<string> {
  const { exitCode, stdout, stderr } = await pypet(join(file, '..'), ['overview', file])
  expect([exitCode, stderr]).toEqual([0, ''])
  return stdout
}

test('the name of a link is not taken for what it leads to', async () => {
  const filename = join(fileTree({}), 'f.h5')
  using traj = await stored(filename)
  for (const link of ['short', 'results.links.y', 'links.y']) {
    await expect(traj.deleteItem(link)).rejects.toMatchObject({
      code: 'PYPET_NODE_NOT_FOUND',
      hint: expect.stringContaining(`deleteLink('${link}')`),
    })
  }
  await expect(traj.deleteLink('results.g.z')).rejects.toMatchObject({
    hint: "Delete the node: deleteItem('results.g.z').",
  })
  await expect(traj.deleteLink('nope')).rejects.toMatchObject({ hint: 'Its links: short, results.links.y.' })
  using again = await loadTrajectory(filename)
  expect([again.value('short.a'), again.value('links.y')]).toEqual([1, 5])
})

test('a link is deleted by itself, in memory where that is asked for, and can be added anew', async () => {
  const filename = join(fileTree({}), 'f.h5')
  {
    using traj = await stored(filename)
    await traj.deleteLinks(['short', 'results.links.y'])
    expect(traj.value('short.a')).toBe(1)
    await traj.deleteLink('short').catch(({ code }) => expect(code).toBe('PYPET_DATA_NOT_STORED'))
    traj.removeLink('short')
  }
  {
    using traj = await loadTrajectory(filename)
    expect([Object.keys(traj.links), traj.getGroup('results.links').childNames]).toEqual([[], []])
    expect([traj.value('g.z.a'), traj.value('y')]).toEqual([1, 5])
    traj.addLink('short', 'y')
    await traj.store()
  }
  using traj = await loadTrajectory(filename)
  expect(traj.value('short')).toBe(5)
  await traj.deleteLink('short', { fromTrajectory: true })
  expect(traj.has('short')).toBe(false)
})

test('links to what was deleted lead nowhere, and are not there', async () => {
  const filename = join(fileTree({}), 'f.h5')
  {
    using traj = await stored(filename)
    await traj.deleteItem('g.z', { fromTrajectory: true })
    expect(traj.has('short')).toBe(false)
  }
  {
    using traj = await loadTrajectory(filename)
    expect(Object.keys(traj.links)).toEqual([])
    expect(traj.contains('g.z')).toBe(false)
    traj.addResult('g.z', 7)
    await traj.store()
  }
  using traj = await loadTrajectory(filename)
  expect([traj.value('g.z'), traj.value('links.y'), traj.contains('short')]).toEqual([7, 5, false])
})

describe('deleted is deleted', () => {
  test('for overview, before the file is compacted and afterwards', async () => {
    const filename = join(fileTree({}), 'f.h5')
    using traj = await stored(filename)
    expect(await shown(filename)).toContain('g.z.large')
    await traj.deleteItems(['g.z', 'parameters.p'])
    for (const how of ['noted', 'compacted']) {
      const text = await shown(filename)
      expect(text, how).not.toMatch(/g\.z|^ {4}p /m)
      expect(text, how).toMatch(/^ {4}y .* 5$/m)
      const { bytesBefore, bytesAfter } = await traj.compact()
      if (how === 'noted') expect(bytesBefore - bytesAfter).toBeGreaterThan(ARRAY.byteLength)
    }
  })

  test('for the values of runs, merges and verify', async () => {
    const folder = fileTree({
      'job.mjs': `export default function job(traj) {
  traj.addResult('z', traj.par.x)
  traj.addResult('w', traj.par.x * 2)
}`,
    })
    const [file, second, merged] = ['a.h5', 'b.h5', 'c.h5'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    for (const [filename, first] of [
      [file, 0],
      [second, 10],
    ] as const) {
      await using env = new Environment({
        trajectory: 'T',
        filename,
        logging: false,
        executor: 'inline',
        parameters: { x: 0 },
      })
      env.trajectory.explore({ x: [first, first + 1, first + 2] })
      await env.run(join(folder, 'job.mjs'))
    }
    {
      using traj = await loadTrajectory(file)
      await traj.deleteItems(['results.runs.run_00000001.z', 'results.runs.run_00000002'])
      expect(traj.getFromRuns('z')).toEqual({ run_00000000: 0 })
    }
    using traj = await loadTrajectory(file)
    expect(traj.getFromRuns('z')).toEqual({ run_00000000: 0 })
    expect(traj.getFromRuns('w')).toEqual({ run_00000000: 0, run_00000001: 2 })
    await mergeFiles([{ file }, { file: second }], { file: merged })
    await mergeFiles([{ file: second }, { file }], { file: join(folder, 'd.h5') })
    using both = await loadTrajectory(merged)
    expect(both.getFromRuns('z', { useIndices: true })).toEqual({ 0: 0, 3: 10, 4: 11, 5: 12 })
    using other = await loadTrajectory(join(folder, 'd.h5'))
    expect(other.getFromRuns('w', { useIndices: true })).toEqual({ 0: 20, 1: 22, 2: 24, 3: 0, 4: 2 })
    // Runs give what the file does not say any more.
    const { identicalCount, differentCount } = await verify(file, { runs: 'all' })
    expect([identicalCount, differentCount]).toEqual([1, 2])
  })
})

describe('what was deleted is in the way of nothing', () => {
  const JOB = `export default function job(traj) {
  traj.addResult('z', traj.par.x)
}`

  /** Runs, and results, config and links outside of them. */
  async function performed(file: string, xs: readonly number[]): Promise<void> {
    await using env = new Environment({
      trajectory: 'T',
      filename: file,
      logging: false,
      executor: 'inline',
      parameters: { x: 0, constant: 1 },
    })
    env.trajectory.explore({ x: xs })
    env.trajectory.addResult('summary.s', 5)
    env.trajectory.addResult('top', 6)
    env.trajectory.addLink('short', 'summary.s')
    await env.run(join(file, '../job.mjs'))
  }

  test.each([
    ['results', true],
    ['results', false],
    ['results.runs', true],
    ['results.runs.run_00000001', false],
    ['results.summary', false],
    ['results.top', false],
    ['config', true],
    ['config.environment', true],
  ])(
    '%s is deleted (from memory, too: %s), and points are added, run and merged',
    async (name, fromTrajectory) => {
      const folder = fileTree({ 'job.mjs': JOB })
      const [a, b, c] = ['a.h5', 'b.h5', 'c.h5'].map((file) => join(folder, file)) as [string, string, string]
      await performed(a, [1, 2])
      await performed(b, [10, 11])
      const loaded = await loadTrajectory(a, { results: 'data' })
      await loaded.deleteItem(name, { fromTrajectory })
      {
        await using env = new Environment({ trajectory: loaded, logging: false, executor: 'inline' })
        loaded.expand({ x: [3] })
        await env.run(join(folder, 'job.mjs'))
      }
      loaded.close()
      const expanded = await pypet(folder, ['expand', 'a.h5', '--explore', 'x=4', '--quiet'])
      expect([expanded.exitCode, expanded.stderr]).toEqual([0, ''])
      const last = { 2: 3, 3: 4 }
      {
        using traj = await loadTrajectory(a)
        expect(traj.getFromRuns('z', { useIndices: true })).toMatchObject(last)
        await traj.deleteItem(name)
      }
      await mergeFiles([{ file: a }, { file: b }], { file: c })
      {
        using traj = await loadTrajectory(c)
        expect(traj.getFromRuns('z', { useIndices: true })).toMatchObject({ 4: 10, 5: 11 })
      }
      await mergeInto({ file: a }, [{ file: b }])
      using traj = await loadTrajectory(a)
      expect(traj.getFromRuns('z', { useIndices: true })).toMatchObject({ 4: 10, 5: 11 })
      expect(traj.length).toBe(6)
    },
  )

  test('a node that stays in memory is stored again with the links to it', async () => {
    const filename = join(fileTree({}), 'f.h5')
    {
      using traj = new Trajectory({ name: 'T', filename })
      traj.addResult('a', 1)
      traj.addLink('la', 'a')
      traj.addLink('lla', 'la')
      await traj.store()
      await traj.deleteItem('a')
      await traj.store()
      expect([traj.value('la'), traj.value('lla')]).toEqual([1, 1])
    }
    using traj = await loadTrajectory(filename)
    expect([traj.value('a'), traj.value('la'), traj.value('lla')]).toEqual([1, 1, 1])
  })

  test('what is explored, and the trajectory itself, are not deleted', async () => {
    const folder = fileTree({ 'job.mjs': JOB })
    const file = join(folder, 'a.h5')
    await performed(file, [1, 2])
    using traj = await loadTrajectory(file)
    for (const name of ['parameters.x', 'parameters'])
      await expect(traj.deleteItem(name)).rejects.toMatchObject({ code: 'PYPET_PARAMETER_LOCKED' })
    await expect(traj.deleteItem(traj as never)).rejects.toMatchObject({ code: 'PYPET_USAGE' })
    await traj.deleteItem('parameters.constant')
    expect(Object.keys(traj.exploredParameters)).toEqual(['parameters.x'])
    expect(await verify(file, { runs: 'all' })).toMatchObject({ identicalCount: 2 })
  })
})
