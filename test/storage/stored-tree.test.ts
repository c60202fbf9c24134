/** Any tree of any values, stored and loaded, is the same tree. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { loadTrajectory } from '../../src/library/load-trajectory.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import type { StoredValue } from '../../src/values/stored-value.ts'
import { valueKey } from '../../src/values/value-key.ts'
import { isLongForm } from '../crash/long-form.ts'
import { storedValue } from '../run/arbitrary-record.ts'

const folder = mkdtempSync(join(tmpdir(), 'pypet-ts-tree-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SEED = Number(process.env.PYPET_TEST_SEED ?? Date.now() % 2 ** 31)

/** What a value is after the file: dates have milliseconds, an empty list says nothing of its type. */
function expectedKey(value: StoredValue): string {
  if (value.form === 'list' && value.values.length === 0) return 'empty list'
  if (value.form === 'record') {
    return `{${value.fields
      .map(({ name, value: field }) => `${name}=${expectedKey(field)}`)
      .sort()
      .join()}}`
  }
  if (value.form === 'table') {
    return `table{${value.columns
      .map(({ name, value: column }) => `${name}=${cellsKey(column)}`)
      .sort()
      .join()}}`
  }
  return valueKey(value)
}

/** In a table a column of lists and one of arrays of the same numbers differ in nothing. */
function cellsKey(column: StoredValue): string {
  if (column.form === 'list')
    return column.values
      .map((cell) => valueKey({ form: 'scalar', dtype: column.dtype, value: cell }))
      .join('|')
  return valueKey(column)
}

test('any values of any results come back with their types and shapes', async () => {
  let number = 0
  await fc.assert(
    fc.asyncProperty(fc.array(storedValue(), { minLength: 1, maxLength: 12 }), async (values) => {
      number += 1
      const filename = join(folder, `${number}.h5`)
      const traj = new Trajectory({ name: 'any', filename })
      const result = traj.addResult('group.many')
      result.restoreItems(
        values.map((value, index) => ({ name: `item_${index}`, value })),
        'Result',
        true,
      )
      if (values.some(({ form }) => form === 'sparse')) result.restoreItems([], 'SparseResult', true)
      await traj.store()
      traj.close()
      const loaded = await loadTrajectory(filename)
      const items = new Map(
        loaded
          .getResult('many')
          .loadAll()
          .map(({ name, value }) => [name, value]),
      )
      loaded.close()
      for (const [index, value] of values.entries()) {
        const found = items.get(`item_${index}`)
        expect(found === undefined ? 'missing' : expectedKey(found)).toBe(expectedKey(value))
      }
    }),
    { seed: SEED, numRuns: isLongForm ? 150 : 60 },
  )
})

test.each([SEED])('explored parameters of any type come back with their ranges (seed %i)', async () => {
  const filename = join(folder, 'explored.h5')
  const matrix = (value: number) => ({ indptr: [0, 1], indices: [0], data: [value], shape: [1, 1] as const })
  const traj = new Trajectory({
    name: 'explored',
    filename,
    parameters: {
      f: 1.5,
      i: 1n,
      b: true,
      s: 'a',
      c: { re: 1, im: 2 },
      list: [1, 2],
      array: new Float64Array(2),
      sparse: matrix(1),
    },
  })
  traj.explore({
    f: [1.5, Number.NaN, -0],
    i: [1n, 2n ** 62n, -5n],
    b: [true, false, true],
    s: ['a', 'ä☃', ''],
    c: [
      { re: 1, im: 2 },
      { re: 0, im: -1 },
      { re: 3, im: 0 },
    ],
    list: [[1, 2], [3], [1, 2]],
    array: [new Float64Array(2), Float64Array.of(1, 2), new Float64Array(2)],
    sparse: [matrix(1), matrix(2), matrix(1)],
  })
  await traj.store()
  const ranges = Object.fromEntries(
    Object.values(traj.exploredParameters).map((parameter) => [parameter.name, parameter.getRange()]),
  )
  traj.close()
  const loaded = await loadTrajectory(filename)
  const found = Object.fromEntries(
    Object.values(loaded.exploredParameters).map((parameter) => [parameter.name, parameter.getRange()]),
  )
  expect({ ...found, i: found.i?.map((value) => BigInt(value as number)) }).toEqual(ranges)
  // Each distinct array is stored once.
  expect(loaded.getParameter('array').range).toMatchObject({ index: [0, 1, 0] })
  expect(loaded.getParameter('sparse').range).toMatchObject({ index: [0, 1, 0] })
  loaded.close()
})
