/** One form for a value as we store it and as the samples' JSON has it, to compare the two. */
import { createHash } from 'node:crypto'
import type { Complex, StoredArray, StoredTable, StoredValue } from '../../src/values/stored-value.ts'

/** A value in the JSON beside a sample: `t` is Python's type. */
export interface Tagged {
  readonly t: string
  readonly v?: unknown
  readonly dtype?: string
  readonly shape?: readonly number[]
  readonly coo?: readonly (readonly number[])[]
  readonly columns?: readonly string[]
  readonly data?: unknown
  /** Labels of the rows of a table. */
  readonly index?: readonly unknown[]
  /** SHA-256 of all elements of an array. */
  readonly digest?: string
}

/** Elements of larger arrays that are compared. */
const ELEMENTS_MAX = 50

/** With `isDigested`, arrays are compared by all their elements. */
export function canonical(value: StoredValue, isDigested = false): unknown {
  switch (value.form) {
    case 'scalar':
      return { scalar: familyOf(value.dtype), value: element(value.value) }
    case 'list':
      return { [value.isTuple === true ? 'tuple' : 'list']: value.values.map(element) }
    case 'ndarray': {
      const { dtype, shape, data } = value
      if (value.isMatrix === true) return { matrix: shape }
      const isComplex = dtype === 'complex128' || dtype === 'complex64'
      const elements = isComplex
        ? Array.from({ length: data.length / 2 }, (_, index) =>
            element({ re: Number(data[2 * index]), im: Number(data[2 * index + 1]) }),
          )
        : Array.from(data as ArrayLike<unknown>, (cell) =>
            element(
              dtype === 'bool' ? cell !== 0 : dtype === 'bytes' ? Buffer.from(String(cell), 'latin1') : cell,
            ),
          )
      return {
        ndarray: dtype,
        shape: [...shape],
        elements: elements.slice(0, ELEMENTS_MAX),
        ...(isDigested && { digest: digestOf(data) }),
      }
    }
    case 'record':
      return {
        dict: Object.fromEntries(
          value.fields.map(({ name, value: field }) => [name, canonical(field, isDigested)]),
        ),
      }
    case 'table':
      return { table: columnsOf(value) }
    case 'sparse': {
      const entries: string[] = []
      for (let major = 0; major + 1 < value.indptr.length; major += 1) {
        for (let at = value.indptr[major] as number; at < (value.indptr[major + 1] as number); at += 1) {
          const minor = value.indices[at] as number
          const [row, column] = value.format === 'csr' ? [major, minor] : [minor, major]
          entries.push(`${row},${column}=${Number(value.data[at])}`)
        }
      }
      return { sparse: [...value.shape], entries: entries.sort() }
    }
    default:
      return { form: value.form }
  }
}

export function canonicalJson(tagged: Tagged): unknown {
  switch (tagged.t) {
    case 'ndarray':
      return {
        ndarray: dtypeOf(tagged.dtype as string),
        shape: tagged.shape,
        elements: (tagged.v as unknown[]).map(jsonElement).slice(0, ELEMENTS_MAX),
        ...(tagged.digest !== undefined && { digest: tagged.digest }),
      }
    case 'matrix':
      return { matrix: tagged.shape }
    case 'list':
    case 'tuple':
      return { [tagged.t]: (tagged.v as Tagged[]).map(({ v }) => jsonElement(v)) }
    case 'dict':
      return {
        dict: Object.fromEntries(
          Object.entries(tagged.v as Record<string, Tagged>).map(([name, field]) => [
            name,
            canonicalJson(field),
          ]),
        ),
      }
    case 'sparse': {
      const [rows = [], columns = [], values = []] = tagged.coo ?? []
      const entries = rows.map((row, index) => `${row},${columns[index]}=${values[index]}`)
      return { sparse: tagged.shape, entries: entries.sort() }
    }
    case 'DataFrame':
    case 'ObjectTable': {
      const data = tagged.data as Tagged[][]
      const columns = (tagged.columns ?? []).map((name, index) => [name, (data[index] ?? []).map(cellJson)])
      const { index = [] } = tagged
      const isCounted = index.every((cell, row) => cell === row)
      return {
        table: { ...(!isCounted && { index: index.map(jsonElement) }), ...Object.fromEntries(columns) },
      }
    }
    case 'Series':
      return {
        ndarray: tagged.dtype,
        shape: [(tagged.data as Tagged[]).length],
        elements: (tagged.data as Tagged[]).map(({ v }) => jsonElement(v)),
      }
    default:
      return { scalar: familyOf(tagged.t), value: jsonElement(tagged.v) }
  }
}

function digestOf(data: StoredArray['data']): string {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : data.join('\0')
  return createHash('sha256').update(bytes).digest('hex')
}

/** Cells by column; an array in a cell is its elements. */
function columnsOf({ columns, rowCount }: StoredTable): Record<string, unknown> {
  return Object.fromEntries(
    columns.map(({ name, value }) => {
      if (value.form === 'list') return [name, value.values.map(element)]
      const perRow = rowCount === 0 ? 0 : value.data.length / rowCount
      const cells = Array.from(value.data as ArrayLike<unknown>, (cell) =>
        element(value.dtype === 'bool' ? cell !== 0 : cell),
      )
      const rows = Array.from({ length: rowCount }, (_, row) => cells.slice(row * perRow, (row + 1) * perRow))
      return [name, value.shape.length > 1 ? rows : rows.flat()]
    }),
  )
}

function cellJson(cell: Tagged): unknown {
  return cell.t === 'ndarray' ? (cell.v as unknown[]).map(jsonElement) : jsonElement(cell.v)
}

function familyOf(type: string): string {
  if (/^u?int/.test(type)) return 'int'
  if (type.startsWith('float')) return 'float'
  if (type.startsWith('complex')) return 'complex'
  return type.replace(/_$/, '')
}

function dtypeOf(dtype: string): string {
  if (dtype.startsWith('<U')) return 'str'
  return dtype.startsWith('|S') ? 'bytes' : dtype
}

function element(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (typeof value === 'object' && value !== null) {
    const { re, im } = value as Complex
    return `${re}+${im}j`
  }
  return typeof value === 'number' || typeof value === 'bigint' ? String(value === 0 ? 0 : value) : value
}

function jsonElement(value: unknown): unknown {
  if (typeof value === 'number') return element(value)
  if (typeof value !== 'object' || value === null) return value
  const { float, int, complex, bytes_hex } = value as Record<string, unknown>
  if (float !== undefined) return String(float).replace('inf', 'Infinity').replace('nan', 'NaN')
  if (int !== undefined) return String(int)
  if (bytes_hex !== undefined) return `bytes ${bytes_hex}`
  const [re, im] = complex as [number, number]
  return `${re}+${im}j`
}
