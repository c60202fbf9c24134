/** Arrays of packages that are no dependency of ours, with the packages themselves. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Matrix, MatrixTransposeView } from 'ml-matrix'
import { expect, expectTypeOf, test } from 'vitest'
import { Environment } from '../../src/library/environment.ts'
import { Trajectory } from '../../src/library/trajectory.ts'
import { flattenParameters, type ParameterValues } from '../../src/run/parameter.ts'
import type { TypedArray } from '../../src/values/typed-array.ts'
import { toStoredValue } from '../../src/values/value.ts'
import type { NdArray } from '../../src/values/value-forms.ts'
import { fileTree } from '../experiment/file-tree.ts'

interface View {
  readonly data: Float64Array
  readonly shape: readonly number[]
  readonly stride: readonly number[]
  readonly offset: number
  transpose(...axes: number[]): View
}
const require = createRequire(import.meta.url)
const ndarray: (data: Float64Array, shape: number[]) => View = require('ndarray')

const MATRIX = new Matrix([
  [1, 2, 3],
  [4, 5, 6],
])
const STORED = { form: 'ndarray', dtype: 'float64', shape: [2, 3], data: Float64Array.of(1, 2, 3, 4, 5, 6) }
const TRANSPOSED = { ...STORED, shape: [3, 2], data: Float64Array.of(1, 4, 2, 5, 3, 6) }

test('matrices of ml-matrix and of ndarray are stored by their structure, views of them too', () => {
  const array = ndarray(Float64Array.of(1, 2, 3, 4, 5, 6), [2, 3])
  expect(toStoredValue(MATRIX, 'z')).toEqual(STORED)
  expect(toStoredValue(new MatrixTransposeView(MATRIX), 'z')).toEqual(TRANSPOSED)
  expect(toStoredValue(array, 'z')).toEqual(STORED)
  expect(toStoredValue(array.transpose(1, 0), 'z')).toEqual(TRANSPOSED)
})

test('strides count by either of their names: an array in column order does not become another one', () => {
  const columns = {
    data: Float64Array.of(1, 4, 2, 5, 3, 6),
    shape: [2, 3],
    strides: [1, 2],
    offset: 0,
    order: 'column-major',
  }
  expect(toStoredValue(columns, 'z')).toEqual(STORED)
})

test('a job gets them as arrays, whatever performs it, and a script can store them', async () => {
  const parameters = { m: MATRIX, x: 1 }
  expectTypeOf<ParameterValues<typeof parameters>['m']>().toEqualTypeOf<TypedArray | NdArray<TypedArray>>()
  const [declared] = flattenParameters(parameters, 'parameters')
  expect(declared?.value).toEqual({ data: STORED.data, shape: [2, 3] })
  const filename = join(fileTree({}), 'f.h5')
  await using env = new Environment({ trajectory: 't', filename, parameters, logging: false })
  const told = await env.run((traj) => {
    traj.addResult('twice', Matrix.mul(MATRIX, 2))
    return traj.par.m
  })
  expect(told).toEqual([[0, { data: STORED.data, shape: [2, 3] }]])
  expect(env.trajectory.value('twice')).toEqual({ data: STORED.data.map((n) => 2 * n), shape: [2, 3] })
})

test('what a matrix of a package holds must be of one type, too', () => {
  const traj = new Trajectory({ name: 't' })
  const odd = { isDenseMatrix: true, _data: [[1, 2], [3]], _size: [2, 2] }
  expect(() => traj.addResult('r', { odd: Object.assign(Object.create({}), odd) })).toThrow('a row of 1')
})
