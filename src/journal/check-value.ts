/**
 * Checks the parameters and values in a `.cnt` file: their types, and that the number of elements matches the shape.
 */
import { isPypetError } from '../errors.ts'
import { assertLegalName } from '../values/path.ts'
import { elementBytes, elementCount, type RawNumbers } from '../values/raw-value.ts'
import type { Dtype } from '../values/stored-value.ts'
import { ARRAY_TYPES } from '../values/typed-array.ts'
import {
  assertList,
  assertObject,
  type Check,
  fault,
  flag,
  foundText,
  isWhole,
  listOf,
  objectOf,
  optional,
  RecordFault,
  text,
  whole,
} from './check.ts'

/** Records may be nested, but not this deep. */
const DEPTH_MAX = 100
/** Dimensions of an array: the limit of HDF5. */
const RANK_MAX = 32

/** A dotted name that a node may have. */
export const legalName: Check = (value, at) => {
  if (typeof value !== 'string') throw fault(at, 'a name', value)
  try {
    assertLegalName(value, at)
  } catch (error) {
    if (isPypetError(error)) throw new RecordFault(error.message)
    throw error
  }
}

/** A full name as it becomes a path in the file. */
const location: Check = (value, at) => {
  const isPath =
    typeof value === 'string' &&
    value.length <= LOCATION_LENGTH_MAX &&
    value.split('.').every((part) => part !== '' && !part.includes('/') && !part.includes('\0'))
  if (!isPath) throw fault(at, 'a full name', value)
}

const LOCATION_LENGTH_MAX = 4096

const parameterFields = objectOf({
  name: legalName,
  comment: text,
  userClass: optional(text),
  stored: (value, at) => storedValue(value, at, 0),
  annotations: optional((value, at) => storedFields(value, at, 0)),
})

/** Parameters of config, each name once. */
export const uniqueParameters: Check = (value, at) => {
  assertList(value, at)
  const names = new Set<unknown>()
  for (const [index, parameter] of value.entries()) {
    const here = `${at}[${index}]`
    parameterFields(parameter, here)
    const { name } = parameter as Readonly<Record<string, unknown>>
    if (names.has(name)) throw fault(`${here}.name`, 'a name not used by another parameter', name)
    names.add(name)
  }
}

interface Declared {
  readonly value?: unknown
  readonly stored: { readonly form: string; readonly dtype: Dtype }
}

/** Declared parameters: explored values are compared with the value that the job sees. */
export const parameters: Check = (value, at) => {
  uniqueParameters(value, at)
  for (const [index, { stored, value: seen }] of (value as readonly Declared[]).entries()) {
    if (stored.form === 'scalar' && !isSeenAs(seen, stored.dtype))
      throw fault(`${at}[${index}].value`, `a value of type ${stored.dtype}`, seen)
  }
}

function isSeenAs(seen: unknown, dtype: Dtype): boolean {
  switch (dtype) {
    case 'float64':
      return typeof seen === 'number'
    case 'int64':
      return typeof seen === 'bigint' || Number.isSafeInteger(seen)
    case 'bool':
      return typeof seen === 'boolean'
    case 'str':
      return typeof seen === 'string'
    default:
      return true
  }
}

function storedFields(value: unknown, at: string, depth: number): void {
  assertList(value, at)
  for (const [index, field] of value.entries()) {
    const here = `${at}[${index}]`
    assertObject(field, here)
    text(field.name, `${here}.name`)
    storedValue(field.value, `${here}.value`, depth + 1)
  }
}

function storedValue(value: unknown, at: string, depth: number): void {
  assertObject(value, at)
  assertDepth(value, at, depth)
  switch (value.form) {
    case 'scalar':
      element(value.dtype, value.value, at)
      return
    case 'list':
      optional(flag)(value.isTuple, `${at}.isTuple`)
      elements(value.dtype, value.values, `${at}.values`)
      return
    case 'ndarray':
      optional(flag)(value.isMatrix, `${at}.isMatrix`)
      optional(flag)(value.isNested, `${at}.isNested`)
      optional(flag)(value.isBigint, `${at}.isBigint`)
      arrayData(value, at)
      if (value.isNested === true && (value.shape as readonly unknown[]).length < 2)
        throw fault(`${at}.shape`, 'the form of nested lists', value.shape)
      return
    case 'null':
      return
    case 'date':
      dateTime(value.time, `${at}.time`)
      return
    case 'record':
      storedFields(value.fields, `${at}.fields`, depth)
      return
    case 'table':
      table(value, at, (column, here) => {
        storedValue(column, here, depth + 1)
        return column.form === 'list' ? (column.values as readonly unknown[]).length : arrayLength(column)
      })
      return
    case 'sparse':
      sparse(value, at, (part, here, name) => {
        if (!ArrayBuffer.isView(part)) throw fault(here, 'an array', part)
        if (name !== 'data' && !(part instanceof Int32Array)) throw fault(here, 'an Int32Array', part)
        return (part as Uint8Array).length
      })
      return
    case 'unread':
      text(value.type, `${at}.type`)
      text(value.note, `${at}.note`)
      return
    default:
      throw fault(`${at}.form`, 'a form of value', value.form)
  }
}

/** A value whose numbers are bytes. */
export const valueInBytes: Check = (value, at) => rawValueAt(value, at, 0)

function rawValueAt(value: unknown, at: string, depth: number): void {
  assertObject(value, at)
  assertDepth(value, at, depth)
  switch (value.form) {
    case 'scalar':
    case 'list':
    case 'ndarray':
      rawElements(value, at)
      return
    case 'null':
      return
    case 'date':
      dateTime(value.time, `${at}.time`)
      return
    case 'record':
      rawFieldList(value.fields, `${at}.fields`, depth + 1)
      return
    case 'table':
      table(value, at, (column, here) => rawElements(column, here)[0] ?? 0)
      return
    case 'sparse':
      sparse(value, at, (part, here, name) => {
        assertObject(part, here)
        if (name !== 'data' && part.dtype !== 'int32') throw fault(`${here}.dtype`, '"int32"', part.dtype)
        return elementCount(rawElements(part, here))
      })
      return
    default:
      throw fault(`${at}.form`, 'a form of value', value.form)
  }
}

function rawFieldList(value: unknown, at: string, depth: number): void {
  assertList(value, at)
  for (const [index, field] of value.entries()) {
    const here = `${at}[${index}]`
    assertObject(field, here)
    text(field.name, `${here}.name`)
    rawValueAt(field.value, `${here}.value`, depth)
  }
}

const rawFields: Check = (value, at) => rawFieldList(value, at, 0)

/** Groups, leaves and links at the start of a trajectory. */
export const nodes: Check = objectOf({
  groups: listOf(objectOf({ location, comment: text, annotations: rawFields })),
  leaves: listOf(
    objectOf({
      location,
      kind: (value, at) => {
        if (value !== 'result' && value !== 'parameter') throw fault(at, '"result" or "parameter"', value)
      },
      comment: text,
      annotations: optional(rawFields),
      userClass: optional(text),
      items: rawFields,
    }),
  ),
  links: listOf(objectOf({ location, target: location })),
})

function assertDepth(value: unknown, at: string, depth: number): void {
  if (depth > DEPTH_MAX) throw fault(at, `at most ${DEPTH_MAX} nested values`, value)
}

function dateTime(value: unknown, at: string): void {
  // An invalid date is stored as NaN.
  if (typeof value !== 'number') throw fault(at, 'a time', value)
}

/** The shape of numbers or texts, checked against the number of elements. */
function rawElements(value: unknown, at: string): readonly number[] {
  assertObject(value, at)
  const { form, dtype } = value
  if (form !== 'scalar' && form !== 'list' && form !== 'ndarray') throw fault(`${at}.form`, 'elements', form)
  optional(flag)(value.isNested, `${at}.isNested`)
  shape(value.shape, `${at}.shape`)
  const count = elementCount(value.shape)
  if (form === 'scalar' && count !== 1) throw fault(`${at}.shape`, 'that of one element', value.shape)
  if (dtype === 'str' || dtype === 'bytes') {
    elements('str', value.texts, `${at}.texts`)
    assertCount((value.texts as readonly unknown[]).length, count, `${at}.texts`)
    return value.shape
  }
  if (!isNumeric(dtype)) throw fault(`${at}.dtype`, 'a type of elements', dtype)
  if (!(value.bytes instanceof Uint8Array)) throw fault(`${at}.bytes`, 'bytes', value.bytes)
  assertCount(value.bytes.byteLength, count * elementBytes(dtype), `${at}.bytes`)
  return value.shape
}

function arrayData(value: Readonly<Record<string, unknown>>, at: string): void {
  const { dtype, data } = value
  shape(value.shape, `${at}.shape`)
  const count = elementCount(value.shape)
  if (dtype === 'str') {
    elements('str', data, `${at}.data`)
    assertCount((data as readonly unknown[]).length, count, `${at}.data`)
    return
  }
  if (!isNumeric(dtype)) throw fault(`${at}.dtype`, 'a type of elements', dtype)
  if (!ArrayBuffer.isView(data)) throw fault(`${at}.data`, 'an array', data)
  assertCount(data.byteLength, count * elementBytes(dtype), `${at}.data`)
}

function arrayLength(array: Readonly<Record<string, unknown>>): number {
  return (array.shape as readonly number[])[0] ?? 0
}

function table(
  value: Readonly<Record<string, unknown>>,
  at: string,
  rowsOf: (column: Readonly<Record<string, unknown>>, at: string) => number,
): void {
  whole(0)(value.rowCount, `${at}.rowCount`)
  assertList(value.columns, `${at}.columns`)
  for (const [index, column] of value.columns.entries()) {
    const here = `${at}.columns[${index}]`
    assertObject(column, here)
    text(column.name, `${here}.name`)
    assertObject(column.value, `${here}.value`)
    if (column.value.form !== 'list' && column.value.form !== 'ndarray')
      throw fault(`${here}.value.form`, '"list" or "ndarray"', column.value.form)
    assertCount(rowsOf(column.value, `${here}.value`), value.rowCount as number, `${here}.value`)
  }
}

function sparse(
  value: Readonly<Record<string, unknown>>,
  at: string,
  lengthOf: (part: unknown, at: string, name: 'indptr' | 'indices' | 'data') => number,
): void {
  const { format } = value
  if (format !== 'csr' && format !== 'csc') throw fault(`${at}.format`, '"csr" or "csc"', format)
  shape(value.shape, `${at}.shape`)
  if (value.shape.length !== 2) throw fault(`${at}.shape`, 'two sizes', value.shape)
  const major = value.shape[format === 'csr' ? 0 : 1] as number
  const length = (name: 'indptr' | 'indices' | 'data') => lengthOf(value[name], `${at}.${name}`, name)
  assertCount(length('indptr'), major + 1, `${at}.indptr`)
  assertCount(length('data'), length('indices'), `${at}.data`)
}

function shape(value: unknown, at: string): asserts value is readonly number[] {
  assertList(value, at)
  if (value.length > RANK_MAX) throw fault(at, `at most ${RANK_MAX} sizes`, value)
  const wrong = value.findIndex((size) => !isWhole(size, 0, Number.MAX_SAFE_INTEGER))
  if (wrong >= 0) throw fault(`${at}[${wrong}]`, 'a size', value[wrong])
}

function assertCount(found: number, expected: number, at: string): void {
  if (found === expected) return
  throw new RecordFault(`${at}: expected ${expected} by its shape, found ${foundText(found)}`)
}

function elements(dtype: unknown, values: unknown, at: string): void {
  assertList(values, at)
  for (let index = 0; index < values.length; index += 1) {
    if (!isElement(dtype, values[index])) throw fault(`${at}[${index}]`, `a ${dtype}`, values[index])
  }
}

function element(dtype: unknown, value: unknown, at: string): void {
  if (typeof dtype !== 'string') throw fault(`${at}.dtype`, 'a type of elements', dtype)
  if (!isElement(dtype, value)) throw fault(`${at}.value`, `a value of type ${dtype}`, value)
}

/** Whether a value has this type, as `toStoredValue` and the file readers return it. */
function isElement(dtype: unknown, value: unknown): boolean {
  switch (dtype) {
    case 'str':
      return typeof value === 'string'
    case 'bytes':
      return value instanceof Uint8Array
    case 'bool':
      return typeof value === 'boolean'
    case 'complex128':
    case 'complex64':
      return isComplexPair(value)
    case 'int64':
    case 'uint64':
      return typeof value === 'bigint' || Number.isSafeInteger(value)
    default:
      return isNumeric(dtype) && typeof value === 'number'
  }
}

function isComplexPair(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { re, im } = value as Readonly<Record<string, unknown>>
  return typeof re === 'number' && typeof im === 'number'
}

function isNumeric(dtype: unknown): dtype is RawNumbers['dtype'] {
  if (dtype === 'bool' || dtype === 'complex128' || dtype === 'complex64') return true
  return typeof dtype === 'string' && Object.hasOwn(ARRAY_TYPES, dtype)
}
