/** Columns of plain values, as files with columns have them: a complex number takes two. */
import type { ColumnBlock } from '../results/column.ts'
import type { ResultTable, TableColumn } from '../results/query.ts'
import type { TypedArray } from '../values/typed-array.ts'

/** The same table with the real and the imaginary parts of complex numbers as columns of their own. */
export function flatTable(table: ResultTable): ResultTable {
  return { ...table, columns: table.columns.flatMap(flatColumns) }
}

function flatColumns(column: TableColumn): readonly TableColumn[] {
  const { dtype, shape } = column.type()
  if ((dtype !== 'complex128' && dtype !== 'complex64') || shape === undefined) return [column]
  const part = (name: string, offset: number): TableColumn => ({
    ...column,
    name: `${column.name}.${name}`,
    type: () => ({ dtype: dtype === 'complex128' ? 'float64' : 'float32', shape }),
    read: (start, end) => partOf(column.read(start, end), offset),
  })
  return [part('real', 0), part('imag', 1)]
}

function partOf(block: ColumnBlock, offset: number): ColumnBlock {
  if (block.form !== 'complex' && block.form !== 'array') return block
  const parts = block.values
  const make = parts.constructor as new (length: number) => TypedArray
  const values = new make(parts.length / 2)
  for (let at = 0; at < values.length; at += 1) values[at] = parts[2 * at + offset] as never
  const dtype = parts instanceof Float32Array ? 'float32' : 'float64'
  return block.form === 'array'
    ? { present: block.present, form: 'array', dtype, shape: block.shape, values }
    : { present: block.present, form: 'number', dtype, values }
}
