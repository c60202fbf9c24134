/** What a reader must find where a value was stored. */
import type { NdArray, ParameterValue, TypedArray } from 'pypet-ts'
import { isInteger } from '../../src/values/value-forms.ts'
import type { ReadArray, ReadNode, ReadValue } from './python.ts'
import { STRIDED, STRIDED_IN_C_ORDER } from './values.ts'

/** A dataset as the file has it, with what pypet needs to make Python's value of it. */
export interface ExpectedArray extends ReadArray {
  readonly collection: ReadValue
  readonly scalarType: ReadValue | undefined
}

export function expectedArray(value: ParameterValue): ExpectedArray {
  if (ArrayBuffer.isView(value)) return ndarray(value, [value.length])
  if (Array.isArray(value)) return list(value)
  if (value === STRIDED) return ndarray(STRIDED_IN_C_ORDER, STRIDED.shape)
  if (typeof value === 'object' && value !== null && 'shape' in value) {
    const { data, shape } = value as NdArray<TypedArray>
    return ndarray(data, shape)
  }
  const { dtype, scalarType, read } = scalar(value)
  return { dtype, shape: [], values: [read], collection: 'COLL_SCALAR', scalarType }
}

/** The same from a node that was read. */
export function foundArray(node: ReadNode | undefined): ExpectedArray | undefined {
  if (node?.values === undefined) return undefined
  const { dtype, shape, values, attributes } = node as ReadNode & ReadArray
  const collection = attributes.SRVC_DATA_COLL_TYPE as ReadValue
  return { dtype, shape, values, collection, scalarType: attributes.SRVC_DATA_SCALAR_TYPE }
}

/** A value of an explored parameter or of a table as the readers print it. */
export function readValue(value: number | bigint | boolean | string): ReadValue {
  return scalar(value).read
}

function scalar(value: unknown): { dtype: string; scalarType: string; read: ReadValue } {
  if (isInteger(value)) return { dtype: 'int64', scalarType: 'int', read: String(value.value) }
  switch (typeof value) {
    case 'bigint':
      return { dtype: 'int64', scalarType: 'int', read: String(value) }
    case 'boolean':
      return { dtype: 'int8', scalarType: 'bool', read: value ? '1' : '0' }
    case 'string':
      return { dtype: 'bytes', scalarType: 'str', read: value }
    default:
      return { dtype: 'float64', scalarType: 'float', read: float(value as number) }
  }
}

function list(values: readonly unknown[]): ExpectedArray {
  const { dtype, scalarType } =
    values.length === 0 ? { dtype: 'float64', scalarType: undefined } : scalar(values[0])
  const read = values.map((value) => scalar(value).read)
  return { dtype, shape: [values.length], values: read, collection: 'COLL_LIST', scalarType }
}

function ndarray(data: TypedArray, shape: readonly number[]): ExpectedArray {
  const dtype = data.constructor.name.replace(/^Big|Clamped|Array$/g, '').toLowerCase()
  const isFloat = dtype.startsWith('float')
  const values = Array.from<number | bigint, ReadValue>(data as Float64Array, (element) =>
    isFloat ? float(element as number) : String(element),
  )
  // An array without axes is numpy's scalar.
  return shape.length === 0
    ? { dtype, shape, values, collection: 'COLL_SCALAR', scalarType: dtype }
    : { dtype, shape, values, collection: 'COLL_NDARRAY', scalarType: undefined }
}

function float(value: number): ReadValue {
  if (Number.isNaN(value)) return 'nan'
  if (Number.isFinite(value)) return value
  return value > 0 ? 'inf' : '-inf'
}
