/** A user's tables as HDF5 tables: columns become packed rows (docs/format.md, section 4, TABLE). */
import { elementType } from '../hdf5/element-type.ts'
import type { Hdf5Column, Hdf5Operation, Hdf5Type } from '../hdf5/operation.ts'
import { columnAttributes } from '../names.ts'
import { elementBytes, type RawNumbers, type RawTable, type RawTexts } from '../values/raw-value.ts'
import { longestUtf8Bytes } from '../values/utf8.ts'

/** Rows written at a time. */
const BATCH_BYTES_MAX = 8_388_608
const CHUNK_BYTES = 65_536

type RawColumn = RawTable['columns'][number]

/** The dataset with the attributes that PyTables and pypet need. `SRVC_STORE` follows. */
export function tableDataset(path: string, { rowCount, columns }: RawTable): Hdf5Operation[] {
  const members: Hdf5Column[] = []
  let rowBytes = 0
  for (const { name, value } of columns) {
    const type = columnType(value)
    members.push({ name, offset: rowBytes, type })
    rowBytes += type.bytes
  }
  const rowType = { kind: 'compound', bytes: rowBytes, columns: members } as const
  const chunkRows = Math.max(1, Math.min(Math.floor(CHUNK_BYTES / rowBytes), Math.max(rowCount, 8)))
  const operations: Hdf5Operation[] = [
    { type: 'create-table', path, rowType, rowCount, chunkRows, deflate: 1 },
    attribute(path, 'CLASS', 'TABLE'),
    attribute(path, 'VERSION', '2.7'),
    attribute(path, 'TITLE', ''),
    ...columns.map(({ name }, index) => attribute(path, `FIELD_${index}_NAME`, name)),
    { type: 'create-attribute', path, name: 'NROWS', value: rowCount },
    ...columns.flatMap((column) => columnTypes(path, column)),
  ]
  const batchRows = Math.max(1, Math.floor(BATCH_BYTES_MAX / rowBytes))
  for (let first = 0; first < rowCount; first += batchRows) {
    const count = Math.min(batchRows, rowCount - first)
    const bytes = packColumns(columns, members, rowBytes, first, count)
    operations.push({ type: 'write-rows', path, firstRow: first, rowCount: count, bytes })
  }
  return operations
}

/** From these, pypet restores the Python types of a table. */
function columnTypes(path: string, { name, value }: RawColumn): Hdf5Operation[] {
  const { collection, scalarType } = columnAttributes(name)
  return [attribute(path, collection, 'COLL_SCALAR'), attribute(path, scalarType, columnScalarType(value))]
}

/** A list has Python's numbers, a typed array has numpy's. */
function columnScalarType({ form, dtype }: RawColumn['value']): string {
  if (form === 'list')
    return { float64: 'float', int64: 'int', complex128: 'complex' }[dtype as string] ?? dtype
  return dtype === 'bool' ? 'bool_' : dtype
}

function columnType(value: RawNumbers | RawTexts): Hdf5Type {
  if (!('texts' in value)) return elementType(value.dtype)
  return { kind: 'string', bytes: Math.max(1, longestUtf8Bytes(value.texts)), charset: 'ascii' }
}

const encoder = new TextEncoder()

function packColumns(
  columns: readonly RawColumn[],
  members: readonly Hdf5Column[],
  rowBytes: number,
  first: number,
  count: number,
): Uint8Array {
  const packed = new Uint8Array(count * rowBytes)
  for (const [index, { value }] of columns.entries()) {
    const { offset } = members[index] as Hdf5Column
    if ('texts' in value) {
      const { bytes } = (members[index] as Hdf5Column).type
      for (let row = 0; row < count; row += 1) {
        const at = row * rowBytes + offset
        encoder.encodeInto(value.texts[first + row] ?? '', packed.subarray(at, at + bytes))
      }
      continue
    }
    const bytes = elementBytes(value.dtype)
    for (let row = 0; row < count; row += 1) {
      const from = (first + row) * bytes
      const at = row * rowBytes + offset
      for (let byte = 0; byte < bytes; byte += 1) packed[at + byte] = value.bytes[from + byte] as number
    }
  }
  return packed
}

function attribute(path: string, name: string, value: string): Hdf5Operation {
  return { type: 'create-attribute', path, name, value }
}
