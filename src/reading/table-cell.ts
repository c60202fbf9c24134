/** One cell of a column as a value, for tables of one row. */
import type { Cell } from '../hdf5/datatype.ts'
import type { StoredValue } from '../values/stored-value.ts'

/** The first cell of a column, which may be a list, a tuple or an array. */
export function cellValue(column: StoredValue, collection: Cell | undefined): StoredValue {
  if (column.form === 'list') return { form: 'scalar', dtype: column.dtype, value: column.values[0] ?? '' }
  if (column.form !== 'ndarray') return column
  const shape = column.shape.slice(1)
  if (shape.length === 0) return { form: 'scalar', dtype: column.dtype, value: scalarAt(column, 0) }
  const isList = collection === 'COLL_LIST' || collection === 'COLL_TUPLE'
  const isMatrix = collection === 'COLL_MATRIX'
  if (!isList || shape.length > 1) return { ...column, shape, ...(isMatrix && { isMatrix }) }
  const values = Array.from({ length: shape[0] as number }, (_, index) => scalarAt(column, index))
  const isTuple = collection === 'COLL_TUPLE'
  return { form: 'list', dtype: column.dtype, values, ...(isTuple && { isTuple }) }
}

export function scalarAt(column: Extract<StoredValue, { form: 'ndarray' }>, index: number) {
  const { dtype, data } = column
  if (dtype === 'complex128' || dtype === 'complex64') {
    return { re: Number(data[2 * index]), im: Number(data[2 * index + 1]) }
  }
  const element = data[index] as number | bigint | string
  if (dtype === 'bool') return element !== 0
  if (typeof element === 'bigint' && Number.isSafeInteger(Number(element))) return Number(element)
  return element
}
