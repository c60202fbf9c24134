/** Values that contain other values: records, tables, sparse matrices. */
import type { PypetError } from '../errors.ts'
import { assertLegalName } from './path.ts'
import type {
  StoredArray,
  StoredField,
  StoredList,
  StoredSparse,
  StoredTable,
  StoredValue,
} from './stored-value.ts'
import type { NumericDtype, TypedArray } from './typed-array.ts'
import type { SparseMatrix } from './value-forms.ts'
import { isPlainObject } from './value-forms.ts'

/** Functions that turn elements into stored values and errors. */
export interface ElementParts {
  toStored(value: unknown, where: string): StoredValue
  unsupported(where: string, found: string, allowed?: string): PypetError
}

interface Parts extends ElementParts {
  typedArray(view: unknown, where: string): { dtype: NumericDtype; data: TypedArray }
}

/** Deeper records are refused, because the cost of a path in HDF5 grows with its depth. */
const DEPTH_MAX = 16

/** @throws PypetError `PYPET_VALUE_UNSUPPORTED`, `PYPET_NAME_ILLEGAL` */
export function recordValue(
  record: Readonly<Record<string, unknown>>,
  where: string,
  parts: Parts,
): StoredValue {
  if (depthOf(record) > DEPTH_MAX) {
    throw parts.unsupported(
      where,
      `an object that contains itself, or objects nested more than ${DEPTH_MAX} deep`,
    )
  }
  const fields = Object.entries(record).map(([name, value]): StoredField => {
    assertLegalName(name, `${where}.${name}`)
    if (name.includes('.'))
      throw parts.unsupported(where, `the name ${JSON.stringify(name)}`, 'names without dots')
    return { name, value: parts.toStored(value, `${where}.${name}`) }
  })
  return { form: 'record', fields }
}

function depthOf(value: unknown, depth = 1): number {
  if (!isPlainObject(value) || depth > DEPTH_MAX) return depth
  return Math.max(depth, ...Object.values(value).map((inner) => depthOf(inner, depth + 1)))
}

/** A list of records with the same names and types. Each record is a row. */
export function tableOfRows(rows: readonly unknown[], where: string, parts: Parts): StoredTable {
  const names = Object.keys(rows[0] as object)
  const columns: Record<string, unknown[]> = {}
  for (const name of names) columns[name] = []
  for (const [index, row] of rows.entries()) {
    if (!isPlainObject(row))
      throw parts.unsupported(`${where}[${index}]`, 'something other than a record', SAME_NAMES)
    const found = Object.keys(row)
    if (found.length !== names.length || !names.every((name) => name in row)) {
      throw parts.unsupported(
        `${where}[${index}]`,
        `the names ${found.join(', ')}, where [0] has ${names.join(', ')}`,
        SAME_NAMES,
      )
    }
    for (const name of names) columns[name]?.push(row[name])
  }
  return tableOfColumns(columns, where, parts)
}

const SAME_NAMES = 'a list of records that all have the same names'

/** @throws PypetError `PYPET_VALUE_UNSUPPORTED` for columns of different lengths or of more than one dimension */
export function tableOfColumns(
  columns: Readonly<Record<string, unknown>>,
  where: string,
  parts: Parts,
): StoredTable {
  let rowCount: number | undefined
  const stored = Object.entries(columns).map(([name, column]) => {
    assertLegalName(name, `${where}.${name}`)
    const value = parts.toStored(column, `${where}.${name}`)
    const length = columnLength(value)
    if (length === undefined) {
      throw parts.unsupported(
        `${where}.${name}`,
        'a column that is not a list',
        'lists and typed arrays as columns',
      )
    }
    rowCount ??= length
    if (length !== rowCount) {
      throw parts.unsupported(
        `${where}.${name}`,
        `${length} rows, where others have ${rowCount}`,
        'columns of one length',
      )
    }
    return { name, value: value as StoredList | StoredArray }
  })
  if (rowCount === undefined) throw parts.unsupported(where, 'a table without columns', 'at least one column')
  return { form: 'table', rowCount, columns: stored }
}

function columnLength(value: StoredValue): number | undefined {
  if (value.form === 'list') return value.values.length
  return value.form === 'ndarray' && value.shape.length === 1 ? value.shape[0] : undefined
}

/** @throws PypetError `PYPET_VALUE_UNSUPPORTED` unless the three arrays describe a matrix of that shape */
export function sparseValue(matrix: SparseMatrix, where: string, parts: Parts): StoredSparse {
  const { shape, format = 'csr' } = matrix
  const refuse = (found: string) => parts.unsupported(where, found, SPARSE_ALLOWED)
  if (format !== 'csr' && format !== 'csc') throw refuse(`the format ${String(format)}`)
  const isShape =
    Array.isArray(shape) &&
    shape.length === 2 &&
    shape.every((size) => Number.isSafeInteger(size) && size >= 0)
  if (!isShape) throw refuse('a shape that is not [rows, columns]')
  const { data, dtype } = parts.typedArray(
    Array.isArray(matrix.data) ? Float64Array.from(matrix.data as number[]) : matrix.data,
    `${where}.data`,
  )
  const indptr = Int32Array.from(matrix.indptr)
  const indices = Int32Array.from(matrix.indices)
  const [major, minor] = format === 'csr' ? shape : [shape[1], shape[0]]
  if (indptr.length !== major + 1) throw refuse(`${indptr.length} entries in indptr`)
  if (indices.length !== data.length) throw refuse(`${indices.length} indices for ${data.length} values`)
  const isGrowing = indptr.every((start, index) => index === 0 || start >= (indptr[index - 1] as number))
  if (indptr[0] !== 0 || indptr.at(-1) !== data.length || !isGrowing)
    throw refuse('an indptr that does not run from 0 to the number of values')
  if (!indices.every((index) => index >= 0 && index < minor)) throw refuse('an index outside the shape')
  return { form: 'sparse', format, shape: [shape[0], shape[1]], indptr, indices, data, dtype }
}

const SPARSE_ALLOWED =
  '{ indptr, indices, data, shape: [rows, columns], format: "csr" or "csc" }, indptr with one entry more than there are rows (columns)'
