/** What changes of a stored trajectory is stored by the next `store`, or refused by name: nothing is dropped in silence. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Environment, loadTrajectory, Trajectory } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-changes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let number = 0

/** A stored trajectory with a result of one item, and a group. */
async function stored(): Promise<Trajectory<{ x: number }>> {
  number += 1
  const filename = join(folder, `${number}.h5`)
  const traj = new Trajectory({ name: 'T', filename, parameters: { x: 1 } })
  traj.addResult('r', { a: 1 })
  traj.addResult('group.s', 5, { comment: 'before' })
  return await traj.store()
}

async function inFile<Value>(
  traj: { readonly filename: string },
  look: (loaded: Trajectory) => Value,
): Promise<Value> {
  using loaded = await loadTrajectory(traj.filename)
  return look(loaded)
}

test.each(['nothing', 'skeleton'] as const)(
  'what is added to a trajectory of which %s was loaded, without autoLoad, is stored, and its runs are run',
  async (level) => {
    const before = await stored()
    before.explore({ x: [1, 2] })
    await before.store()
    before.close()
    const levels = { all: level, parameters: level, other: level, autoLoad: false }
    using traj = await loadTrajectory(before.filename, levels)
    traj.addResult('n', 3)
    await traj.store()
    const env = new Environment({ trajectory: traj, logging: false })
    await env.run((run) => run.addResult('z', run.par.x * 2))
    expect(await inFile(traj, (loaded) => [loaded.value('n'), loaded.getFromRuns('z')])).toEqual([
      3,
      { run_00000000: 2, run_00000001: 4 },
    ])
  },
)

test.each(['store', 'storeItem'] as const)('%s writes new items of a stored result', async (method) => {
  using traj = await stored()
  traj.getResult('r').setItems({ b: 2, matrix: { data: new Float64Array(4), shape: [2, 2] } })
  traj.getResult('r').setItem('sparse', { indptr: [0, 1], indices: [0], data: [1], shape: [1, 1] })
  await (method === 'store' ? traj.store() : traj.storeItem('r'))
  const items = await inFile(traj, (loaded) => loaded.getResult('r').toRecord())
  expect(items).toMatchObject({ a: 1, b: 2, matrix: { shape: [2, 2] }, sparse: { data: Float64Array.of(1) } })
})

test('an item that is set before the others are read leaves them readable', async () => {
  ;(await stored()).close()
  using loaded = await loadTrajectory(join(folder, `${number}.h5`))
  const result = loaded.getResult('r').setItem('b', 2)
  expect([result.get('a'), result.itemNames]).toEqual([1, ['b', 'a']])
  await loaded.store()
  expect(await inFile(loaded, (again) => again.getResult('r').toRecord())).toEqual({ a: 1, b: 2 })
})

test('comments and annotations of stored nodes are stored when they change', async () => {
  using traj = await stored()
  traj.comment = 'of the whole'
  traj.annotate({ whole: true })
  traj.getGroup('results.group').comment = 'of a group'
  traj.get('group.s').comment = 'after'
  traj.get('group.s').annotate({ k: 1, gone: 'x' })
  traj.getParameter('x').comment = 'of a parameter'
  await traj.store()
  traj.get('group.s').annotate({ k: 'two' }).removeAnnotation('gone')
  traj.get('r').comment = ''
  await traj.store()
  const found = await inFile(traj, (loaded) => ({
    comments: ['', 'results.group', 'group.s', 'x', 'r'].map((name) =>
      name === '' ? loaded.comment : loaded.get(name).comment,
    ),
    annotations: [loaded.annotations, loaded.get('group.s').annotations],
  }))
  expect(found).toEqual({
    comments: ['of the whole', 'of a group', 'after', 'of a parameter', ''],
    annotations: [{ whole: true }, { k: 'two' }],
  })
})

test.each<[string, (traj: Trajectory<{ x: number }>) => void, string]>([
  ['a changed item', (traj) => traj.getResult('r').setItem('a', 2), 'results.r (item a)'],
  ['a removed item', (traj) => traj.getResult('r').removeItem('a'), 'results.r (item a)'],
  ['a changed parameter', (traj) => traj.getParameter('x').set(2), 'parameters.x (its value)'],
  [
    'a link that leads elsewhere',
    (traj) => {
      traj.removeLink('link')
      traj.addLink('link', 'r')
    },
    'the link link',
  ],
])('%s is refused by name, and replaced with overwrite', async (_, change, name) => {
  using traj = await stored()
  traj.addLink('link', 'group.s')
  await traj.store()
  change(traj)
  traj.addResult('new', 1)
  await expect(traj.store()).rejects.toMatchObject({
    code: 'PYPET_TRAJECTORY_STORED',
    message: expect.stringContaining(name),
    hint: expect.stringContaining('overwrite'),
  })
  const read = (loaded: Trajectory) => [
    loaded.contains('new'),
    loaded.getResult('r').toRecord(),
    loaded.value('x'),
    loaded.links.link?.fullName,
  ]
  expect(await inFile(traj, read)).toEqual([false, { a: 1 }, 1, 'results.group.s'])
  const wanted = read(traj as unknown as Trajectory)
  await traj.store({ overwrite: true })
  expect(await inFile(traj, read)).toEqual(wanted)
})

test('what is set to what the file holds is no change', async () => {
  using traj = await stored()
  traj.getResult('r').setItem('a', 1)
  await traj.store()
  expect(traj.getResult('r').changes.size).toBe(0)
})

test('data that was left out of a skeleton is stored later', async () => {
  number += 1
  using traj = new Trajectory({ name: 'T', filename: join(folder, `${number}.h5`) })
  traj.addResult('r', { a: 1 })
  await traj.store({ skeletonOnly: true })
  await traj.store()
  expect(await inFile(traj, (loaded) => loaded.getResult('r').toRecord())).toEqual({ a: 1 })
})

test('a stored trajectory that was shrunk and explored anew is not taken for the stored one', async () => {
  using traj = await stored()
  traj.explore({ x: [1, 2, 3] })
  await traj.store()
  traj.shrink({ force: true }).explore({ x: [7, 8] })
  await expect(traj.store()).rejects.toMatchObject({ code: 'PYPET_TRAJECTORY_STORED' })
})

test('post-processing that changes a stored result fails, and says so', async () => {
  number += 1
  await using env = new Environment({
    trajectory: 'T',
    filename: join(folder, `${number}.h5`),
    parameters: { x: 1 },
    logging: false,
    provenance: false,
  })
  env.trajectory.addResult('largest', 0)
  env.addPostprocessing((traj) => {
    traj.getResult('largest').set(5)
  })
  await expect(env.run(() => 1)).rejects.toMatchObject({
    code: 'PYPET_POSTPROCESSING_FAILED',
    message: expect.stringContaining('item largest'),
  })
})

test('overwrite as deep as maxDepth says keeps what is deeper as it is in the file', async () => {
  using traj = await stored()
  traj.getResult('r').setItem('a', 2)
  traj.getResult('group.s').setItem('s', 6)
  await traj.store({ overwrite: true, maxDepth: 2 })
  const values = (loaded: Trajectory) => [loaded.value('r'), loaded.value('group.s'), loaded.value('x')]
  expect(await inFile(traj, values)).toEqual([2, 5, 1])
  // What was not stored is still to be.
  await expect(traj.store()).rejects.toMatchObject({ message: expect.stringContaining('results.group.s') })
  traj.explore({ x: [7, 8] })
  await traj.store({ overwrite: true })
  expect(await inFile(traj, values)).toEqual([2, 6, 1])
  await traj.store({ overwrite: true })
  expect(await inFile(traj, (loaded) => loaded.length)).toBe(2)
})

test('overwrite without data is refused, and keeps the data', async () => {
  using traj = await stored()
  traj.getResult('r').setItem('a', 2)
  await expect(traj.store({ overwrite: true, skeletonOnly: true })).rejects.toMatchObject({
    code: 'PYPET_USAGE',
    message: expect.stringContaining('overwrite and skeletonOnly'),
  })
  expect(await inFile(traj, (loaded) => loaded.value('r'))).toBe(1)
})

test('overwrite that cannot write something changes nothing, in the file and in memory', async () => {
  using traj = await stored()
  traj.getResult('r').setItem('a', 2)
  // HDF5 takes 32 dimensions.
  traj.addResult('new', { data: new Float64Array(1), shape: Array.from({ length: 33 }, () => 1) })
  await expect(traj.store({ overwrite: true })).rejects.toMatchObject({ code: 'PYPET_STORAGE_FAILED' })
  const values = (loaded: Trajectory) => [loaded.value('r'), loaded.value('group.s'), loaded.contains('new')]
  expect(await inFile(traj, values)).toEqual([1, 5, false])
  expect(readdirSync(folder).filter((name) => name.startsWith(`${number}.`))).toEqual([`${number}.h5`])
  traj.getResult('new').setItem('new', 1)
  await traj.store({ overwrite: true })
  expect(await inFile(traj, values)).toEqual([2, 5, true])
})

test.skipIf(process.platform === 'win32')('what is written anew keeps its permissions', async () => {
  using traj = await stored()
  chmodSync(traj.filename, 0o640)
  traj.getResult('r').setItem('a', 2)
  await traj.store({ overwrite: true })
  expect(statSync(traj.filename).mode & 0o777).toBe(0o640)
})

test('an item has one name, wherever it is given: a dot is refused with what to write', async () => {
  using traj = await stored()
  const refused = {
    code: 'PYPET_NAME_ILLEGAL',
    message: 'results.r.a.b: the name of the item a.b contains a dot',
    hint: 'Write a_b, or nest it: { a: { b: … } }.',
  }
  const errorOf = (act: () => unknown) => {
    try {
      return act()
    } catch (error) {
      return error
    }
  }
  expect(errorOf(() => traj.getResult('r').setItem('a.b', 1))).toMatchObject(refused)
  expect(errorOf(() => traj.getResult('r').setItems({ 'a.b': 1 }))).toMatchObject(refused)
  expect(errorOf(() => traj.addResult('new', { 'a.b': 1 }))).toMatchObject({ code: 'PYPET_NAME_ILLEGAL' })
})
