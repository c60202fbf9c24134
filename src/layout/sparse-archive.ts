/**
 * Sparse matrices as pypet stores them: the hexadecimal text of the file that `scipy.sparse.save_npz` writes, a zip
 * archive of numpy's `.npy` files.
 */
import { createRequire } from 'node:module'
import type { RawSparse } from '../values/raw-value.ts'
import type { StoredSparse } from '../values/stored-value.ts'
import { ARRAY_TYPES, type NumericDtype, type TypedArray } from '../values/typed-array.ts'

/** A date that zip archives can store. It is fixed, so that equal matrices have equal archives. */
const MODIFIED = new Date(1980, 0, 1)

let loaded: typeof import('fflate') | undefined

/** Loaded with the first matrix: it allocates tables, and most files have no matrix. */
function fflate(): typeof import('fflate') {
  loaded ??= createRequire(import.meta.url)('fflate') as typeof import('fflate')
  return loaded
}

/** The archive of a matrix, as text. */
export function sparseArchive({ format, shape, indptr, indices, data }: RawSparse): string {
  const files = {
    'indices.npy': npy('<i4', [indices.shape[0] as number], indices.bytes),
    'indptr.npy': npy('<i4', [indptr.shape[0] as number], indptr.bytes),
    'format.npy': npy('|S3', [], encoder.encode(format)),
    'shape.npy': npy('<i8', [2], new Uint8Array(BigInt64Array.from(shape, BigInt).buffer)),
    'data.npy': npy(NUMPY_TYPES[data.dtype as NumericDtype], [data.shape[0] as number], data.bytes),
  }
  return Buffer.from(fflate().zipSync(files, { mtime: MODIFIED })).toString('hex')
}

/** The matrix in an archive. Undefined if it is not understood. Diagonal and block matrices become compressed rows. */
export function readSparseArchive(text: string): StoredSparse | undefined {
  if (!/^(?:[0-9a-f]{2})+$/i.test(text)) return undefined
  try {
    const files = fflate().unzipSync(Buffer.from(text, 'hex'))
    const array = (name: string) => readNpy(files[`${name}.npy`])
    const format = decoder.decode(readNpyBytes(files['format.npy']))
    const [rows = 0, columns = 0] = Array.from(array('shape').data as ArrayLike<number>, Number)
    const data = array('data')
    if (format === 'dia') return fromDiagonals(rows, columns, array('offsets').data, data)
    const indptr = Int32Array.from(array('indptr').data as ArrayLike<number>, Number)
    const indices = Int32Array.from(array('indices').data as ArrayLike<number>, Number)
    if (format === 'bsr') return fromBlocks(rows, columns, indptr, indices, data)
    if (format !== 'csr' && format !== 'csc') return undefined
    return {
      form: 'sparse',
      format,
      shape: [rows, columns],
      indptr,
      indices,
      data: data.data,
      dtype: data.dtype,
    }
  } catch {
    return undefined
  }
}

interface Npy {
  readonly dtype: NumericDtype
  readonly shape: readonly number[]
  readonly data: TypedArray
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const NUMPY_TYPES: Readonly<Record<NumericDtype, string>> = {
  float64: '<f8',
  float32: '<f4',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
}

/** Version 1.0 of numpy's format: the header ends at a multiple of 64 bytes. */
function npy(type: string, shape: readonly number[], bytes: Uint8Array): Uint8Array {
  const sizes = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': ${sizes}, }`
  const headerBytes = Math.ceil((10 + header.length + 1) / 64) * 64 - 10
  const file = new Uint8Array(10 + headerBytes + bytes.byteLength)
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, headerBytes & 0xff, headerBytes >> 8])
  file.set(encoder.encode(`${header.padEnd(headerBytes - 1)}\n`), 10)
  file.set(bytes, 10 + headerBytes)
  return file
}

function npyParts(file: Uint8Array | undefined) {
  if (file === undefined || file[0] !== 0x93) throw new Error('it is not a .npy file')
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const isOld = file[6] === 1
  const start = isOld ? 10 : 12
  const length = isOld ? view.getUint16(8, true) : view.getUint32(8, true)
  const header = decoder.decode(file.subarray(start, start + length))
  const type = /'descr': *'([^']+)'/.exec(header)?.[1] ?? ''
  const shape = (/'shape': *\(([^)]*)\)/.exec(header)?.[1] ?? '').match(/\d+/g) ?? []
  if (/'fortran_order': *True/.test(header) && shape.length > 1) throw new Error('it is in Fortran order')
  return { type, shape: shape.map(Number), bytes: file.slice(start + length) }
}

function readNpy(file: Uint8Array | undefined): Npy {
  const { type, shape, bytes } = npyParts(file)
  const found = Object.entries(NUMPY_TYPES).find(([, name]) => name === type)
  if (found === undefined) throw new Error(`numbers of type ${type}`)
  const dtype = found[0] as NumericDtype
  return { dtype, shape, data: new ARRAY_TYPES[dtype](bytes.buffer as ArrayBuffer) }
}

/** Bytes, or text as numpy writes it: four bytes per character. */
function readNpyBytes(file: Uint8Array | undefined): Uint8Array {
  return npyParts(file).bytes.filter((byte) => byte !== 0)
}

function fromDiagonals(rows: number, columns: number, offsets: TypedArray, diagonals: Npy): StoredSparse {
  const width = diagonals.shape[1] ?? 0
  const entries: SparseEntry[] = []
  for (let diagonal = 0; diagonal < offsets.length; diagonal += 1) {
    const offset = Number(offsets[diagonal])
    for (let column = Math.max(0, offset); column < Math.min(width, columns); column += 1) {
      const row = column - offset
      const value = diagonals.data[diagonal * width + column] as number
      if (row >= 0 && row < rows && Number(value) !== 0) entries.push({ row, column, value })
    }
  }
  return fromEntries(rows, columns, entries, diagonals)
}

function fromBlocks(
  rows: number,
  columns: number,
  indptr: Int32Array,
  indices: Int32Array,
  blocks: Npy,
): StoredSparse {
  const [, height = 1, width = 1] = blocks.shape
  const entries: SparseEntry[] = []
  for (let blockRow = 0; blockRow + 1 < indptr.length; blockRow += 1) {
    for (let block = indptr[blockRow] as number; block < (indptr[blockRow + 1] as number); block += 1) {
      for (let cell = 0; cell < height * width; cell += 1) {
        const value = blocks.data[block * height * width + cell] as number
        if (Number(value) === 0) continue
        const column = (indices[block] as number) * width + (cell % width)
        entries.push({ row: blockRow * height + Math.floor(cell / width), column, value })
      }
    }
  }
  return fromEntries(rows, columns, entries, blocks)
}

interface SparseEntry {
  readonly row: number
  readonly column: number
  readonly value: number
}

function fromEntries(rows: number, columns: number, entries: SparseEntry[], { dtype }: Npy): StoredSparse {
  entries.sort((a, b) => a.row - b.row || a.column - b.column)
  const indptr = new Int32Array(rows + 1)
  for (const { row } of entries) indptr[row + 1] = (indptr[row + 1] as number) + 1
  for (let row = 0; row < rows; row += 1)
    indptr[row + 1] = (indptr[row + 1] as number) + (indptr[row] as number)
  const values = entries.map(({ value }) => value)
  const type = ARRAY_TYPES[dtype] as unknown as { from(numbers: readonly number[]): TypedArray }
  return {
    form: 'sparse',
    format: 'csr',
    shape: [rows, columns],
    indptr,
    indices: Int32Array.from(entries, ({ column }) => column),
    data: type.from(values),
    dtype,
  }
}
