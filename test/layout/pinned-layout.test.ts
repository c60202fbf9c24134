/**
 * The layout of files, pinned: what each way of writing one makes of it, compared with listings in test/fixtures/listings.
 *
 *     PYPET_TEST_PIN=1 npx vitest run test/layout/pinned-layout.test.ts     writes the listings anew
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { zip } from '../../src/exploration/cartesian.ts'
import { cartesianProduct, type Run } from '../../src/index.ts'
import { Environment } from '../../src/library/environment.ts'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { mergeFiles } from '../../src/library/merge.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { parameter } from '../../src/run/parameter.ts'
import { TrajectoryStore } from '../../src/storage/trajectory-store.ts'
import { integer } from '../../src/values/value-forms.ts'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'
import { listingOf } from '../storage/listing.ts'
import { arrived, failure, openRequest, result, runRecord, storeOptions } from '../storage/open-request.ts'

async function expectPinned(name: string, file: string): Promise<void> {
  const pinned = join(ROOT, 'test/fixtures/listings', `${name}.txt`)
  const found = await listingOf(file)
  if (process.env.PYPET_TEST_PIN === '1') writeFileSync(pinned, found)
  expect(found.split('\n')).toEqual(readFileSync(pinned, 'utf8').split('\n'))
}

/** Values of every form. */
const VALUES = {
  float: 2.5,
  whole: integer(3),
  big: 7n,
  is: true,
  text: 'Zürich',
  nothing: null,
  when: new Date('2020-02-29T12:00:00.000Z'),
  complex: { re: 1, im: 2 },
  list: [1, 2, 3],
  texts: ['a', 'bc'],
  empty: [],
  nested: [
    [1, 2],
    [3, 4],
  ],
  array: Float32Array.of(1, 2),
  matrix: { data: Int16Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] },
}

const described = { ...VALUES, said: parameter('word', { comment: 'a text' }) }

async function opened(file: string): Promise<TrajectoryStore> {
  const plain = openRequest(file, { name: 'pinned', comment: 'of every form', parameters: described })
  const store = await TrajectoryStore.open(
    {
      ...plain,
      mayGrow: true,
      nodes: {
        groups: [{ location: 'results.before', comment: 'a group', annotations: [] }],
        leaves: arrived(runRecord(0, [{ ...result(0, 'z', 1), location: 'results.before.z' }])).leaves,
        links: [],
      },
    },
    storeOptions(),
  )
  const leaves = Object.entries(VALUES).map(([name, value]) => result(0, name, value, `a ${name}`))
  store.storeRun(arrived(runRecord(0, leaves)))
  store.failRun(failure(1))
  store.commit()
  return store
}

test('a file that runs are stored in is laid out as it always was', async () => {
  const file = `${fileTree({})}/f.h5`
  const store = await opened(file)
  store.storeRun(arrived(runRecord(2, [result(2, 'float', 1, 'a float')])))
  store.close({ config: [], isComplete: true })
  await store.finish()
  await expectPinned('opened', file)
})

test('a file whose exploration has grown while it was written is laid out as it always was', async () => {
  const file = `${fileTree({})}/f.h5`
  const store = await opened(file)
  store.extend({ added: zip({ x: [8, 9] }).spec, groups: [], leaves: [], links: [], postprocessedCount: 2 })
  for (const run of [2, 3, 4]) store.storeRun(arrived(runRecord(run, [result(run, 'float', run)])))
  store.close({ config: [], isComplete: true })
  await store.finish()
  await expectPinned('grown', file)
})

/** As a script makes it: everything in the tree, and runs of a job. */
async function scripted(filename: string, values: readonly number[]): Promise<Trajectory> {
  const traj = new Trajectory({ name: 'pinned', filename, comment: 'of a script', parameters: described })
  traj.addDerivedParameter('half', 0.5, { comment: 'of it' })
  traj.addResult('before', 1).annotate({ unit: 'mV', numbers: [1, 2] })
  traj.explore(cartesianProduct({ float: values, list: [[1], [2, 3]] }))
  await new Environment({ trajectory: traj, logging: false, provenance: false }).run(storesAll)
  return traj
}

function storesAll(run: Run): void {
  run.addResult('z', Number(run.value('float')) * 2, { comment: 'twice' })
  run.addResult('grid', VALUES.matrix)
  run.addDerivedParameter('own', Number(run.value('float')) / 2)
  run.addLink('same', 'z')
}

test('a file of a script that is expanded and run again is laid out as it always was', async () => {
  const filename = `${fileTree({})}/f.h5`
  using traj = await scripted(filename, [1, 2])
  traj.expand(cartesianProduct({ float: [9], list: [[4, 5, 6]] }))
  await new Environment({ trajectory: traj, logging: false, provenance: false }).run(storesAll)
  await expectPinned('expanded', filename)
})

test('a file that others are merged into is laid out as it always was', async () => {
  const folder = fileTree({})
  const [first, second, merged] = ['a.h5', 'b.h5', 'merged.h5'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  ;(await scripted(first, [1])).close()
  ;(await scripted(second, [1, 2])).close()
  await mergeFiles([{ file: first }, { file: second }], { file: merged }, { removeDuplicates: true })
  await expectPinned('merged', merged)
})

test('a file that a script has edited is laid out as it always was', async () => {
  const filename = `${fileTree({})}/f.h5`
  ;(await scripted(filename, [1])).close()
  using traj = await loadTrajectory(filename)
  for (const [name, value] of Object.entries(VALUES)) traj.addResult(`after.${name}`, value)
  traj.addParameter('late', [1, 2], { comment: 'came later' })
  traj.addConfig('mine.switch', true)
  traj.addLink('to_before', 'results.before')
  await traj.store()
  await traj.deleteItem('results.before')
  await expectPinned('edited', filename)
})

test('a file that a script stores and expands, without runs, is laid out as it always was', async () => {
  const filename = `${fileTree({})}/f.h5`
  const explored = {
    float: [1, 2],
    whole: [integer(3), integer(4)],
    is: [true, false],
    text: ['short', 'longer'],
    when: [new Date('2020-02-29T12:00:00.000Z'), new Date('2021-02-28T12:00:00.000Z')],
    complex: [
      { re: 1, im: 2 },
      { re: 3, im: 4 },
    ],
    list: [[1], [2, 3]],
    array: [Float32Array.of(1, 2), Float32Array.of(3, 4)],
  }
  using traj = new Trajectory({ name: 'pinned', filename, comment: 'of a script', parameters: described })
  traj.annotate({ by: 'a script' })
  traj.addConfig('mine.switch', true, { comment: 'a switch' })
  traj.addDerivedParameter('half', 0.5, { comment: 'of it' })
  traj.addResult('before', 1, { comment: 'a result' }).annotate({ unit: 'mV', numbers: [1, 2] })
  await traj.store()
  traj.explore(zip(explored))
  traj.addResult('group.later', VALUES.matrix, { comment: 'a result' })
  await traj.store()
  traj.expand(zip({ ...explored, text: ['outgrown', 'longer'], list: [[4], [1]] }))
  traj.addDerivedParameter('own', [1, 2])
  await traj.store()
  await expectPinned('stored', filename)
})

test('what pypet wrote stays as it is beside what a script adds', async () => {
  const sample = readFileSync(join(ROOT, 'test/fixtures/pypet/a_multiplication.h5.gz'))
  const folder = fileTree({})
  const filename = join(folder, 'f.h5')
  writeFileSync(filename, gunzipSync(sample))
  using traj = await loadTrajectory(filename)
  traj.addResult('after', VALUES.matrix, { comment: 'ours' })
  await traj.store()
  await expectPinned('sample', filename)
})
