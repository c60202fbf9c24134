/**
 * All reading access to the HDF5 library: paths, kinds, cells, rows, as they are in the file. Nothing in a file is
 * executed, links out of the file are not followed, and no single read takes more memory than `READ_BYTES_MAX`.
 */
import {
  type Cell,
  type Datatype,
  decoderOf,
  type Field,
  holdsPointers,
  isVariableLength,
  parseDatatype,
  type RawDatatype,
  type TextAt,
} from '../hdf5/datatype.ts'
import { deletedNodes } from '../layout/deleted-nodes.ts'
import { type DatasetForm, Hdf5Handle } from './handle.ts'

/** A box of elements, one entry per axis. */
export interface Box {
  readonly start: readonly number[]
  readonly count: readonly number[]
}

export interface RowRange {
  readonly start: number
  readonly end: number // exclusive
}

/** HDF5's numbers of its datatype classes. */
const INTEGER = 0
const FLOAT = 1
/** Limit for quick reads. After that many errors, the careful way is used. */
const QUICK_ERRORS_MAX = 32
/** Rows are read in slices of about this size, so that memory use does not depend on the length of a table. */
const SLICE_BYTES = 2 * 2 ** 20
/** Larger tables are refused: a damaged header must not keep the reader busy for hours. */
const ROWS_MAX = 20_000_000
/** What all readers can do. */
export type NodeReader = Pick<RawReader, keyof RawReader>

/** An open file. If the file is damaged, every method throws `PYPET_STORAGE_FAILED` with file and path. */
export class RawReader extends Hdf5Handle {
  /** Deleted nodes are not in the group, see `deletedNodes`. */
  protected override deletedPaths(trajectory: string): ReadonlySet<string> {
    if (this.kind(trajectory) !== 'group') return new Set()
    return new Set(deletedNodes(this, trajectory).map((name) => `${trajectory}/${name.replaceAll('.', '/')}`))
  }

  /** Names of the links in a group. In alphabetical order unless the file records their creation order. */
  children(group: string): string[] {
    return this.attempt(group, () => {
      this.expect(group, 'group')
      return [...this.namesIn(group)]
    })
  }

  /** A scalar attribute. Undefined if it is missing, has no value or is an array. */
  attribute(path: string, name: string): Cell | undefined {
    const found = this.attributeCells(path, name)
    return found?.form.shape?.length === 0 ? found.cells[0] : undefined
  }

  attributeNames(path: string): string[] {
    return this.attempt(path, () => {
      this.expect(path, 'group', 'dataset')
      return [...this.attributesOf(path)]
    })
  }

  /** An attribute of any shape. Undefined if it is missing. Its shape is null if it has no value. */
  attributeCells(path: string, name: string): { form: DatasetForm; cells: Cell[] } | undefined {
    return this.attempt(`${path}@${name}`, () => {
      this.expect(path, 'group', 'dataset')
      const form = this.attributeForm(path, name)
      if (form === undefined) return undefined
      const elementCount = form.shape?.reduce((product, size) => product * size, 1) ?? 0
      const read = (pointer: bigint) => this.module.get_attribute_data(this.id, path, name, pointer)
      const reclaim = (pointer: bigint) => this.module.reclaim_vlen_memory(this.id, path, name, pointer)
      return { form, cells: elementCount === 0 ? [] : this.decode(form.type, elementCount, read, reclaim) }
    })
  }

  /**
   * The bytes of a dataset's elements, little-endian, in C order. Read in slices, so that a large array is in memory
   * only once. Not for elements that are pointers.
   */
  bytes(dataset: string, form: DatasetForm = this.form(dataset)): Uint8Array {
    const rowCount = form.shape === null ? 0 : (form.shape[0] ?? 1)
    return this.rows(dataset, 0, rowCount, form)
  }

  /** The same for some of its rows, along the first axis. A scalar has one row. */
  rows(dataset: string, first: number, rowCount: number, form: DatasetForm = this.form(dataset)): Uint8Array {
    const shape = form.shape ?? [0]
    const rowBytes = form.type.bytes * shape.slice(1).reduce((product, size) => product * size, 1)
    const all = new Uint8Array(rowCount * rowBytes)
    if (all.byteLength === 0) return all
    const rowsPerSlice = Math.max(1, Math.floor(SLICE_BYTES / rowBytes))
    for (let start = 0; start < rowCount; start += rowsPerSlice) {
      const count = Math.min(rowsPerSlice, rowCount - start)
      const counts = shape.length === 0 ? null : [count, ...shape.slice(1)].map(BigInt)
      const starts =
        shape.length === 0 ? null : shape.map((_, axis) => BigInt(axis === 0 ? first + start : 0))
      const steps = shape.length === 0 ? null : shape.map(() => 1n)
      this.attempt(dataset, () =>
        this.withHeap(
          count * rowBytes,
          (pointer) => this.module.get_dataset_data(this.id, dataset, counts, starts, steps, pointer),
          (heap) => all.set(heap, start * rowBytes),
        ),
      )
    }
    return all
  }

  /** The bytes of the only row of a dataset of rows that differ in length, such as a pickle; undefined for any other. */
  variableBytes(dataset: string): Uint8Array | undefined {
    const form = this.form(dataset)
    if (form.shape?.length !== 1 || form.shape[0] !== 1 || !isVariableLength(form.type)) return undefined
    return this.attempt(dataset, () => {
      let bytes: Uint8Array | undefined
      this.withBytes(
        form.type,
        1,
        (pointer) => this.module.get_dataset_data(this.id, dataset, [1n], [0n], [1n], pointer),
        (pointer) => this.module.reclaim_vlen_memory_count(this.id, dataset, '', pointer, [1n]),
        (view) => {
          // The number of elements, and their address.
          bytes = this.lentBytes(view.getUint32(4, true), view.getUint32(0, true))
        },
      )
      return bytes
    })
  }

  /** The bytes of an attribute's elements, little-endian. Undefined if they are pointers. */
  attributeBytes(path: string, name: string): { form: DatasetForm; bytes: Uint8Array | undefined } {
    return this.attempt(`${path}@${name}`, () => {
      const form = this.attributeForm(path, name)
      if (form === undefined) throw new Error('the attribute does not exist')
      const elementCount = form.shape?.reduce((product, size) => product * size, 1) ?? 0
      if (holdsPointers(form.type) || elementCount === 0) return { form, bytes: undefined }
      let bytes: Uint8Array | undefined
      const read = (pointer: bigint) => this.module.get_attribute_data(this.id, path, name, pointer)
      this.withBytes(
        form.type,
        elementCount,
        read,
        () => 0,
        (view) => {
          bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
        },
      )
      return { form, bytes }
    })
  }

  /** What a dataset is, and how it is stored. */
  storage(dataset: string): {
    readonly form: DatasetForm
    readonly chunks: readonly number[] | undefined
    readonly maxShape: readonly (number | null)[] | undefined
    readonly deflate: number
  } {
    return this.attempt(dataset, () => {
      this.expect(dataset, 'dataset')
      const raw = this.module.get_dataset_metadata(this.id, dataset)
      const { chunks, maxshape } = raw
      const filters = chunks === null ? [] : this.module.get_dataset_filters(this.id, dataset)
      const level = filters.find(({ id }) => id === this.module.H5Z_FILTER_DEFLATE)?.cd_values[0]
      return {
        form: { type: parseDatatype(raw as RawDatatype), shape: raw.shape },
        chunks: chunks?.map(Number),
        maxShape:
          chunks === null
            ? undefined
            : maxshape?.map((size) => (size === null || Number(size) > 2 ** 53 ? null : Number(size))),
        deflate: level ?? 0,
      }
    })
  }

  /** Where a soft link leads. Undefined if there is none. */
  linkTarget(path: string): string | undefined {
    if (this.kind(path) !== 'soft-link') return undefined
    const target = this.attempt(path, () => this.module.get_symbolic_link(this.id, path))
    return target.startsWith('/') && this.isDeleted(target) ? undefined : target
  }

  /**
   * A scalar float64 or int64, read with as few calls as possible: for one value from each of many runs. Undefined for
   * everything else, and if it does not exist.
   */
  quickNumber(dataset: string): number | bigint | undefined {
    if (this.#quickErrorCount >= QUICK_ERRORS_MAX || this.isDeleted(dataset)) return undefined
    try {
      const { type, size, shape, signed } = this.module.get_dataset_metadata(this.id, dataset)
      const isFloat = type === FLOAT
      if (shape?.length !== 0 || size !== 8 || !(isFloat || (type === INTEGER && signed))) return undefined
      this.#quickPointer ||= this.module._malloc(8)
      if (this.module.get_dataset_data(this.id, dataset, null, null, null, BigInt(this.#quickPointer)) < 0)
        return undefined
      const bytes = this.module.HEAPU8.slice(this.#quickPointer, this.#quickPointer + 8)
      const view = new DataView(bytes.buffer)
      return isFloat ? view.getFloat64(0, true) : view.getBigInt64(0, true)
    } catch {
      this.#quickErrorCount += 1
      return undefined
    }
  }

  #quickPointer = 0
  /** Each error leaks stack of the library, see `hasAttribute`. */
  #quickErrorCount = 0

  override close(): void {
    if (this.#quickPointer !== 0) this.module._free(this.#quickPointer)
    this.#quickPointer = 0
    super.close()
  }

  /** The datatype and shape of a dataset, without reading its values. */
  form(dataset: string): DatasetForm {
    return this.attempt(dataset, () => {
      this.expect(dataset, 'dataset')
      const raw = this.module.get_dataset_metadata(this.id, dataset)
      return { type: parseDatatype(raw as RawDatatype), shape: raw.shape }
    })
  }

  /** Elements of a dataset in C order: all of them, or those of a box. */
  cells(dataset: string, form: DatasetForm = this.form(dataset), box?: Box): Cell[] {
    if (form.shape === null) return []
    const shape = form.shape
    const { start, count } = box ?? { start: shape.map(() => 0), count: shape }
    const elementCount = count.reduce((product, size) => product * size, 1)
    if (elementCount === 0) return []
    const counts = shape.length === 0 ? null : count.map(BigInt)
    const starts = shape.length === 0 ? null : start.map(BigInt)
    const steps = shape.length === 0 ? null : start.map(() => 1n)
    return this.attempt(dataset, () =>
      this.decode(
        form.type,
        elementCount,
        (pointer) => this.module.get_dataset_data(this.id, dataset, counts, starts, steps, pointer),
        (pointer) =>
          counts === null
            ? this.module.reclaim_vlen_memory(this.id, dataset, '', pointer)
            : this.module.reclaim_vlen_memory_count(this.id, dataset, '', pointer, counts),
      ),
    )
  }

  /**
   * Reads columns of a table, slice by slice: memory use does not depend on the number of rows.
   *
   * @param columns their names. A column that the table lacks has undefined cells.
   * @param visit receives the row's number and its cells. The array is reused for the next row.
   */
  scanRows(table: string, columns: readonly string[], visit: VisitRow, rows?: RowRange): void {
    const form = this.form(table)
    const rowCount = this.#rowCount(table, form)
    const members = columns.flatMap((column) => columnOf(form.type, column) ?? [])
    const narrow = holdsPointers(form.type) ? undefined : narrowRows(members)
    const visitRows = rowVisitor(narrow?.type ?? form.type, columns, this.textAt)
    const end = Math.min(rowCount, rows?.end ?? rowCount)
    const rowsPerSlice = Math.max(1, Math.floor(SLICE_BYTES / form.type.bytes))
    for (let start = rows?.start ?? 0; start < end; start += rowsPerSlice) {
      const count = Math.min(rowsPerSlice, end - start)
      const read = (pointer: bigint) =>
        this.module.get_dataset_data(this.id, table, [BigInt(count)], [BigInt(start)], [1n], pointer)
      const reclaim = (pointer: bigint) =>
        this.module.reclaim_vlen_memory_count(this.id, table, '', pointer, [BigInt(count)])
      this.attempt(table, () => {
        if (narrow === undefined) {
          this.withBytes(form.type, count, read, reclaim, (view) => visitRows(view, start, count, visit))
          return
        }
        // Rows are wide, and `visit` may call the library: only what it asks for is copied.
        const copy = new Uint8Array(count * narrow.type.bytes)
        this.withHeap(count * form.type.bytes, read, (heap) => narrow.copy(heap, form.type.bytes, copy))
        visitRows(new DataView(copy.buffer), start, count, visit)
      })
    }
  }

  /** Number of rows of a table. */
  rowCount(table: string): number {
    return this.#rowCount(table, this.form(table))
  }

  #rowCount(table: string, { type, shape }: DatasetForm): number {
    const rowCount = shape?.[0]
    if (shape?.length !== 1 || rowCount === undefined || type.kind !== 'record') {
      throw this.damaged(table, 'it is not a table (rows of named columns)')
    }
    if (rowCount > ROWS_MAX) throw this.damaged(table, `it declares ${rowCount} rows, more than ${ROWS_MAX}`)
    return rowCount
  }
}

/** Receives the row's number and its cells. The array is reused for the next row. */
export type VisitRow = (row: number, cells: readonly (Cell | undefined)[]) => void

/** Decodes columns of rows that are in memory. A column that the table lacks has undefined cells. */
export function rowVisitor(
  type: Datatype,
  columns: readonly string[],
  textAt: TextAt,
): (view: DataView, first: number, count: number, visit: VisitRow) => void {
  const fields = columns.map((column) => columnOf(type, column))
  const decoders = fields.map((field) => field && decoderOf(field.type, textAt))
  const cells: (Cell | undefined)[] = columns.map(() => undefined)
  return (view, first, count, visit) => {
    for (let row = 0; row < count; row += 1) {
      for (let index = 0; index < fields.length; index += 1) {
        const field = fields[index]
        if (field) cells[index] = decoders[index]?.(view, row * type.bytes + field.offset)
      }
      visit(first + row, cells)
    }
  }
}

/** Rows of some members of wider rows. */
function narrowRows(members: readonly Field[]) {
  let bytes = 0
  const fields = members.map((member): Field => {
    const offset = bytes
    bytes += member.type.bytes
    return { ...member, offset }
  })
  return {
    type: { kind: 'record', name: 'record', bytes, fields } as const,
    copy(rows: Uint8Array, rowBytes: number, target: Uint8Array): void {
      for (const [index, { offset: to, type }] of fields.entries()) {
        const { offset } = members[index] as Field
        for (let from = offset, at = to; from < rows.length; from += rowBytes, at += bytes) {
          if (type.bytes === 1) target[at] = rows[from] as number
          else target.set(rows.subarray(from, from + type.bytes), at)
        }
      }
    },
  }
}

function columnOf(type: Datatype, name: string): Field | undefined {
  return type.kind === 'record' ? type.fields.find((field) => field.name === name) : undefined
}
