/** `pypet-ts compare`: what differs between runs, with real experiments. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { fileTree } from '../experiment/file-tree.ts'
import { ROOT } from '../source-tree.ts'
import { pypet } from './pypet.ts'

const JOB = `import { defineExperiment, parameter } from 'pypet-ts'
import { scale } from './scale.mjs'
export default defineExperiment({
  name: 'job',
  parameters: { x: parameter(1, { unit: 'mV' }), y: 2, note: 'a note' },
  explore: { x: [1, 2, 3, 4] },
  run(traj) {
    const { x, y } = traj.par
    if (x === 3) throw new RangeError('three is too much')
    traj.addDerivedParameter('twice', 2 * x)
    traj.addResult('z', scale * x * y, { unit: 'mm' })
    traj.addResult('same', 'always')
    traj.addResult('trace', Float64Array.from({ length: 8 }, (_, at) => at * at * x))
    if (x === 4) traj.addResult('rare', 'only here')
  },
})`

let folder = ''
beforeAll(async () => {
  folder = fileTree({ 'job.mjs': JOB, 'scale.mjs': 'export const scale = 1\n' })
  const run = (...words: string[]) => pypet(folder, ['run', 'job.mjs', ...words])
  await run('--file', 'a.h5')
  await run('--file', 'columns.h5', '--layout', 'columns')
  await run('--file', 'two.h5', '--name', 'first')
  writeFileSync(join(folder, 'scale.mjs'), 'export const scale = 10\n')
  renameSync(join(folder, 'job.mjs'), join(folder, 'other.mjs'))
  writeFileSync(join(folder, 'other.mjs'), JOB.replace('2 * x)', '2 * x) // twice'))
  await pypet(folder, ['run', 'other.mjs', '--file', 'two.h5', '--name', 'second', '--set', 'y=3'])
}, 60_000)

async function compared(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await pypet(folder, ['compare', ...words])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return stdout
}

async function document(...words: string[]) {
  return JSON.parse(await compared(...words, '--json'))
}

describe.each(['a', 'columns'])('runs of one trajectory (%s.h5)', (name) => {
  test('are compared with the first of them; what is equal is counted', async () => {
    // The two layouts have results in different orders.
    const [head = '', results = ''] = (await compared(`${name}.h5`, '0', '1', '-1')).split('results  ')
    expect(head.split('\n')).toEqual([
      `run 0  stored  job, ${name}.h5`,
      `run 1  stored  job, ${name}.h5`,
      `run 3  stored  job, ${name}.h5`,
      '',
      'parameters  2 equal',
      '  name  unit  run 0  run 1           run 3',
      '  x     mV    1      2 (+1, +100 %)  4 (+3, +300 %)',
      '',
      'derived parameters  0 equal',
      '  name   run 0  run 1           run 3',
      '  twice  2      4 (+2, +100 %)  8 (+6, +300 %)',
      '',
      '',
    ])
    expect(results.split('\n').sort()).toEqual([
      '',
      '',
      expect.stringMatching(/^ {2}name +unit +run 0/),
      expect.stringMatching(/^ {2}rare +– +– +only here$/),
      expect.stringMatching(
        /^ {2}trace +▁▁▁▂▃▅▆█ {2}0 \.\. 49, mean 17\.5 .* \(at most 49 at \[7\], 100 %\)/,
      ),
      expect.stringMatching(/^ {2}z +mm +2 +4 \(\+2, \+100 %\) +8 \(\+6, \+300 %\)$/),
      '1 equal',
      'config and source of the job: the same, from one environment',
    ])
  })

  test('are the same as themselves', async () => {
    expect(await compared(`${name}.h5`, '1', 'run_00000001')).toBe(`run 1  stored  job, ${name}.h5
run 1  stored  job, ${name}.h5

parameters  all 3 equal

derived parameters  all 1 equal

results  all 3 equal

config and source of the job: the same, from one environment
`)
  })

  test('may have failed', async () => {
    const text = await compared(`${name}.h5`, '0', '2')
    expect(text).toContain(`run 2  failed: RangeError: three is too much  job, ${name}.h5`)
    expect(text).toMatch(/^ {2}z +mm +2 +–$/m)
  })
})

test('a program reads the differences as JSON', async () => {
  const found = await document('a.h5', '0', '3')
  expect(found).toMatchObject({
    runs: [{ file: 'a.h5', trajectory: 'job', run: 0, status: 'stored' }, { run: 3 }],
    parameters: {
      equal_count: 2,
      differing: [
        {
          name: 'x',
          unit: 'mV',
          values: [1, 4],
          differences: [null, { absolute: 3, relative: 3, at: null }],
        },
      ],
    },
    config: null,
    provenance: null,
    sources: null,
  })
  expect(found.results.differing.find(({ name }: { name: string }) => name === 'trace')).toEqual({
    name: 'trace',
    unit: '',
    values: [
      [0, 1, 4, 9, 16, 25, 36, 49],
      [0, 4, 16, 36, 64, 100, 144, 196],
    ],
    differences: [null, { absolute: 147, relative: 3, at: [7] }],
  })
})

test('runs of two layouts have the same results; the config tells them apart', async () => {
  const found = await document('a.h5#1', 'columns.h5#1')
  expect(found.results).toEqual({ equal_count: 3, differing: [] })
  expect(found.config.differing).toContainEqual({
    name: 'hdf5.layout',
    unit: '',
    values: ['tree', 'columns'],
    differences: [null, null],
  })
  expect(found.sources).toEqual({ equal_count: 2, differing: [] })
})

test('runs of two trajectories are compared with their provenance, and the source of the job line by line', async () => {
  const text = await compared('two.h5:first#0', 'two.h5:second#0')
  expect(text).toMatch(/^first#0 {2}stored {2}first, two\.h5\nsecond#0 {2}stored {2}second, two\.h5\n/)
  expect(text).toMatch(/^ {2}y +2 +3 \(\+1, \+50 %\)$/m)
  expect(text).toMatch(/^ {2}z +mm +2 +30 \(\+28, \+1400 %\)$/m)
  expect(text).toMatch(/^ {2}script +job\.mjs +other\.mjs$/m)
  expect(text).not.toMatch(/timestamp|hexsha {2}/)
  expect(text).toContain(`--- job.mjs  first#0
+++ other.mjs  second#0
@@ -7,7 +7,7 @@
   run(traj) {
     const { x, y } = traj.par
     if (x === 3) throw new RangeError('three is too much')
-    traj.addDerivedParameter('twice', 2 * x)
+    traj.addDerivedParameter('twice', 2 * x) // twice
`)
  expect(text).toContain(`--- scale.mjs  first#0
+++ scale.mjs  second#0
@@ -1,1 +1,1 @@
-export const scale = 1
+export const scale = 10
`)
  const { sources } = await document('two.h5:first', '0', 'two.h5:second', '0')
  expect(sources.differing.map(({ path, other_path }: Record<string, string>) => [path, other_path])).toEqual(
    expect.arrayContaining([
      ['job.mjs', 'other.mjs'],
      ['scale.mjs', 'scale.mjs'],
    ]),
  )
})

test("runs of pypet's own file are compared", async () => {
  const sample = gunzipSync(readFileSync(join(ROOT, 'test/fixtures/pypet/a_multiplication.h5.gz')))
  writeFileSync(join(folder, 'sample.h5'), sample)
  const text = await compared('sample.h5', '0', '1')
  expect(text).toMatch(/^ {2}z +6 +\d+ \(\+/m)
  const across = await document('sample.h5#0', 'a.h5#0')
  expect(across.provenance.differing.length).toBeGreaterThan(0)
})

test.each([
  [['a.h5'], 'no run of a.h5 is named'],
  [['a.h5', '1'], 'expected two or more runs, found one'],
  [['1', '2'], 'no file is named for run 1'],
  [['a.h5', '1', '4'], 'job in a.h5 has no run 4'],
  [['a.h5', '1', 'two'], 'no run of two is named'],
  [['a.h5#x', 'a.h5#1'], 'expected the number of a run, found "x"'],
  [['a.h5#1', 'b.h5#1'], 'b.h5'],
  [['two.h5', '1', '2'], 'none is named'],
  [['two.h5:third#1', 'two.h5:first#1'], 'holds no trajectory "third"'],
])('%j is refused: %s', async (words, message) => {
  const { exitCode, stdout, stderr } = await pypet(folder, ['compare', ...words])
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr).toContain(message)
  expect(stderr).toContain('hint:')
})

test('--trajectory names the one of files that are named without', async () => {
  expect(await compared('two.h5', '0', '1', '--trajectory', 'second')).toContain(
    'run 1  stored  second, two.h5',
  )
})
