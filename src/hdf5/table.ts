/** Tables as in PyTables: packed compound rows with fixed-size columns (docs/format.md, section 3). */
import { cutToUtf8Bytes } from '../values/utf8.ts'
import type { Hdf5Column, Hdf5Operation, Hdf5Type } from './operation.ts'

/** `S128` is 128 bytes of UTF-8 text, cut and padded with NUL; `bool` is an int8. */
export type ColumnType = `S${number}` | 'int32' | 'int64' | 'float64' | 'bool'

export interface TableDescription {
  readonly rowType: Hdf5Type & { readonly kind: 'compound' }
  readonly columns: readonly TableColumn[]
}

interface TableColumn {
  readonly name: string
  readonly type: ColumnType
  readonly offset: number
  readonly bytes: number
}

type TableCell = string | number | bigint | boolean
export type Row = readonly TableCell[]

/** Describes a table by its columns in file order. */
export function defineTable(
  columns: readonly (readonly [name: string, type: ColumnType])[],
): TableDescription {
  let bytes = 0
  const members: Hdf5Column[] = []
  const described: TableColumn[] = []
  for (const [name, type] of columns) {
    const columnType = hdf5Type(type)
    members.push({ name, offset: bytes, type: columnType })
    described.push({ name, type, offset: bytes, bytes: columnType.bytes })
    bytes += columnType.bytes
  }
  return { rowType: { kind: 'compound', bytes, columns: members }, columns: described }
}

/** The rows as one packed buffer. Cells are in the order of the columns. */
export function packRows(table: TableDescription, rows: readonly Row[]): Uint8Array {
  const rowBytes = table.rowType.bytes
  const packed = new Uint8Array(rows.length * rowBytes)
  const view = new DataView(packed.buffer)
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as Row
    for (let column = 0; column < table.columns.length; column += 1) {
      packCell(packed, view, index * rowBytes, table.columns[column] as TableColumn, row[column] as TableCell)
    }
  }
  return packed
}

/** Target size of a chunk's buffer: PyTables' own estimate. */
const CHUNK_BYTES = 65_536
/** Table rows are mostly padding: the fastest level reduces them to a few per cent. */
const TABLE_DEFLATE = 1

/** For smaller chunks, deflate costs more time than it saves space. */
const PLAIN_CHUNK_BYTES_MAX = 512

export interface TableOptions {
  /** Expected number of rows, if more than it has now. */
  readonly expectedRows?: number
  /** Omits the attributes that mark a PyTables table: for many small tables, writing them is most of the work. */
  readonly isPlain?: boolean
}

/** Creates a table with the attributes that mark a PyTables table. Its rows follow with `write-rows`, unless given. */
export function createTable(
  path: string,
  table: TableDescription,
  title: string,
  rowCount: number,
  { expectedRows = 0, isPlain = false, rows }: TableOptions & { readonly rows?: Uint8Array } = {},
): Hdf5Operation[] {
  // A table of one row would otherwise take a whole chunk of 64 KiB in memory.
  const chunkRowsMax = Math.max(1, Math.floor(CHUNK_BYTES / table.rowType.bytes))
  const chunkRows = Math.min(chunkRowsMax, Math.max(rowCount, expectedRows, 8))
  const deflate = chunkRows * table.rowType.bytes > PLAIN_CHUNK_BYTES_MAX ? TABLE_DEFLATE : 0
  const creation: Hdf5Operation = {
    type: 'create-table',
    path,
    rowType: table.rowType,
    rowCount,
    chunkRows,
    deflate,
    ...(rows !== undefined && { rows }),
  }
  if (isPlain) return [creation]
  return [
    creation,
    { type: 'create-attribute', path, name: 'CLASS', value: 'TABLE' },
    { type: 'create-attribute', path, name: 'VERSION', value: '2.7' },
    { type: 'create-attribute', path, name: 'TITLE', value: title },
    ...table.columns.map(
      ({ name }, index): Hdf5Operation => ({
        type: 'create-attribute',
        path,
        name: `FIELD_${index}_NAME`,
        value: name,
      }),
    ),
    { type: 'create-attribute', path, name: 'NROWS', value: rowCount },
  ]
}

/** Creates a table and fills it with a few rows. */
export function createFilledTable(
  path: string,
  table: TableDescription,
  title: string,
  rows: readonly Row[],
  options: TableOptions = {},
): Hdf5Operation[] {
  const packed = rows.length === 0 ? {} : { rows: packRows(table, rows) }
  return createTable(path, table, title, rows.length, { ...options, ...packed })
}

export function writeRows(
  path: string,
  table: TableDescription,
  firstRow: number,
  rows: readonly Row[],
): Hdf5Operation[] {
  if (rows.length === 0) return []
  return [{ type: 'write-rows', path, firstRow, rowCount: rows.length, bytes: packRows(table, rows) }]
}

/** Adds rows after the `rowCount` existing rows. */
export function appendRows(
  path: string,
  table: TableDescription,
  rowCount: number,
  rows: readonly Row[],
): Hdf5Operation[] {
  if (rows.length === 0) return []
  const [resized, counted] = resizeTable(path, rowCount + rows.length)
  return [resized, ...writeRows(path, table, rowCount, rows), counted]
}

/** As `appendRows`, but creates a missing table. @param rowCount undefined if the table is missing */
export function addRows(
  path: string,
  table: TableDescription,
  {
    title,
    rowCount,
    ...options
  }: TableOptions & { readonly title: string; readonly rowCount?: number | undefined },
  rows: readonly Row[],
): Hdf5Operation[] {
  if (rows.length === 0) return []
  return rowCount === undefined
    ? createFilledTable(path, table, title, rows, options)
    : appendRows(path, table, rowCount, rows)
}

/** Changes the number of rows of a table. */
export function resizeTable(
  path: string,
  rowCount: number,
): [resized: Hdf5Operation, counted: Hdf5Operation] {
  return [
    { type: 'resize-table', path, rowCount },
    { type: 'replace-attribute', path, name: 'NROWS', value: rowCount },
  ]
}

function hdf5Type(type: ColumnType): Hdf5Type {
  switch (type) {
    case 'int32':
      return { kind: 'int', bytes: 4 }
    case 'int64':
      return { kind: 'int', bytes: 8 }
    case 'float64':
      return { kind: 'float', bytes: 8 }
    case 'bool':
      return { kind: 'int', bytes: 1 }
    default:
      // PyTables declares string columns as ASCII, and pypet fills them with UTF-8. HDF5 keeps the bytes.
      return { kind: 'string', bytes: textBytes(type), charset: 'ascii' }
  }
}

function textBytes(type: `S${number}`): number {
  return Number(type.slice(1))
}

/** Faster than an encoder for short texts. False if the text is not ASCII, or does not fit. */
function putAscii(packed: Uint8Array, offset: number, bytes: number, text: string): boolean {
  if (text.length > bytes) return false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code > 127) return false
    packed[offset + at] = code
  }
  return true
}

const encoder = new TextEncoder()

function packCell(
  packed: Uint8Array,
  view: DataView,
  rowOffset: number,
  { type, offset: columnOffset, bytes }: TableColumn,
  cell: TableCell,
): void {
  const offset = rowOffset + columnOffset
  switch (type) {
    case 'int32':
      view.setInt32(offset, Number(cell), true)
      break
    case 'int64':
      view.setBigInt64(offset, BigInt(cell), true)
      break
    case 'float64':
      view.setFloat64(offset, cell as number, true)
      break
    case 'bool':
      view.setInt8(offset, cell ? 1 : 0)
      break
    default: {
      const text = String(cell)
      if (putAscii(packed, offset, bytes, text)) break
      const room = packed.subarray(offset, offset + bytes)
      if (encoder.encodeInto(text, room).read === text.length) break
      encoder.encodeInto(cutToUtf8Bytes(text, room.byteLength), room.fill(0))
    }
  }
}
