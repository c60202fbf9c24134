/**
 * Reading HDF5 through h5wasm, in our words: paths, kinds, cells, rows. All reading access to the
 * library goes through this file. Nothing that a file says is executed, links out of the file are not
 * followed, and no single read takes more memory than `READ_BYTES_MAX`.
 */
import { isPypetError, PypetError } from '../errors.ts'
import { CommittedFile, cntFilesOf, isUnfinished, type UnfinishedTrajectory } from './committed-file.ts'
import { type H5Module, hdf5Cause, loadH5wasm } from './h5wasm.ts'
import {
  type Cell,
  type Datatype,
  type Decode,
  decoderOf,
  type Field,
  holdsPointers,
  parseDatatype,
  type RawDatatype,
} from './hdf5-datatype.ts'
import { checkSignature, notHdf5 } from './hdf5-signature.ts'

export type ObjectKind = 'group' | 'dataset' | 'soft-link' | 'external-link' | 'other'

export interface DatasetForm {
  readonly type: Datatype
  /** No sizes for a scalar, null for a dataset without a value (HDF5's null dataspace). */
  readonly shape: readonly number[] | null
}

/** A box of elements, one entry an axis. */
export interface Box {
  readonly start: readonly number[]
  readonly count: readonly number[]
}

export interface RowRange {
  readonly start: number
  readonly end: number // exclusive
}

/** A larger value is refused: a damaged file must not ask for all memory. */
const READ_BYTES_MAX = 64 * 2 ** 20
/** Rows are read in slices of about this size, so that a table of any length needs the same memory. */
const SLICE_BYTES = 2 * 2 ** 20
/** Tables of more rows are refused: a damaged header must not keep the reader busy for hours. */
const ROWS_MAX = 20_000_000
/** Kinds of objects that are remembered, since every read asks for one. */
const KINDS_MAX = 10_000

/**
 * Opens a file for reading, as of its last commit when it is unfinished; `readHdf5` also helps where that changes
 * meanwhile. The library is loaded at the first call (about 80 ms).
 *
 * @throws PypetError `PYPET_FILE_NOT_FOUND`; `PYPET_FILE_NOT_HDF5` also for a file cut short;
 *   `PYPET_FILE_CHANGING` when it has changed while it was opened
 */
export async function openHdf5Reader(file: string): Promise<Hdf5Reader> {
  const diskBytes = await checkFile(file)
  const module = await loadH5wasm()
  const committed = await CommittedFile.open(file)
  try {
    if (committed?.fileBytes === 0) throw notHdf5(file, 'nothing is stored in it yet', CONTINUE_HINT)
    const id = module.open(committed?.path ?? file, module.H5F_ACC_RDONLY, false, -1, -1)
    if (id < 0n) throw new Error('the HDF5 library refuses it')
    return new Hdf5Reader(module, id, file, committed ?? diskBytes)
  } catch (cause) {
    const isLost = committed?.isLost
    committed?.close()
    if (isLost) throw fileChanging(file, cause)
    throw isPypetError(cause) ? cause : cannotOpen(file, hdf5Cause(cause), cause)
  }
}

/** An open file. Every method throws `PYPET_STORAGE_FAILED` with file and path where the file is damaged. */
export class Hdf5Reader {
  readonly file: string
  /** As of the last commit. */
  readonly fileBytes: number
  /** What the `.cnt` files beside the file say; none for a settled file. */
  readonly unfinished: readonly UnfinishedTrajectory[]
  /** What a user should know about what is read, as sentences. */
  readonly notes: readonly string[]
  readonly #module: H5Module
  readonly #id: bigint
  readonly #committed: CommittedFile | undefined
  readonly #kinds = new Map<string, ObjectKind>()
  #isOpen = true

  /** @param source the last commit of an unfinished file, or the size of a settled one */
  constructor(module: H5Module, id: bigint, file: string, source: CommittedFile | number) {
    this.#module = module
    this.#id = id
    this.#committed = typeof source === 'number' ? undefined : source
    this.file = file
    this.fileBytes = typeof source === 'number' ? source : source.fileBytes
    this.unfinished = this.#committed?.unfinished ?? []
    this.notes = this.#committed?.notes ?? []
  }

  /** Whether what was read may not be of one commit, or some of it not be read, because a writer was at work. */
  get hasChanged(): boolean {
    if (this.#committed?.isLost) return true
    // A writer that has come since the opening is not watched, but has a `.cnt` file.
    const known = this.#committed?.cntFiles ?? []
    return cntFilesOf(this.file).some((cntFile) => !known.includes(cntFile))
  }

  [Symbol.dispose](): void {
    this.close()
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#module.close_file(this.#id)
    this.#committed?.close()
  }

  /** Names of the links in a group; in alphabetical order unless the file records when they were made. */
  children(group: string): string[] {
    return this.#try(group, () => {
      this.#expect(group, 'group')
      return this.#module.get_names(this.#id, group, false)
    })
  }

  /**
   * What stands at a path, links named and not followed; undefined when there is nothing, also when the
   * way there leads through a link.
   */
  kind(path: string): ObjectKind | undefined {
    if (path === '/') return 'group'
    const known = this.#kinds.get(path)
    if (known !== undefined) return known
    if (this.kind(path.slice(0, path.lastIndexOf('/')) || '/') !== 'group') return undefined
    const kind = this.#try(path, () => this.#askKind(path))
    if (this.#kinds.size >= KINDS_MAX) this.#kinds.clear()
    if (kind !== undefined) this.#kinds.set(path, kind)
    return kind
  }

  #askKind(path: string): ObjectKind | undefined {
    try {
      // Asked first: `get_type` would open the other file to find out.
      if (this.#module.get_external_link(this.#id, path).filename !== undefined) return 'external-link'
    } catch (error) {
      if (/doesn't exist|not found/.test(hdf5Cause(error))) return undefined
      throw error
    }
    // Typed as a string, null where there is no link.
    if ((this.#module.get_symbolic_link(this.#id, path) as string | null) !== null) return 'soft-link'
    const type = this.#module.get_type(this.#id, path)
    if (type === this.#module.H5G_GROUP) return 'group'
    return type === this.#module.H5G_DATASET ? 'dataset' : 'other'
  }

  #expect(path: string, ...kinds: readonly ObjectKind[]): void {
    const kind = this.kind(path)
    if (kind === undefined) throw new Error('there is nothing')
    if (!kinds.includes(kind)) throw new Error(`found ${kind} instead of ${kinds.join(' or ')}`)
  }

  /** A scalar attribute; undefined when it is absent, has no value or is an array. */
  attribute(path: string, name: string): Cell | undefined {
    return this.#try(`${path}@${name}`, () => {
      this.#expect(path, 'group', 'dataset')
      const form = this.#attributeForm(path, name)
      if (form === undefined || form.shape === null || form.shape.length > 0) return undefined
      return this.#decode(
        form.type,
        1,
        (pointer) => this.#module.get_attribute_data(this.#id, path, name, pointer),
        (pointer) => this.#module.reclaim_vlen_memory(this.#id, path, name, pointer),
      )[0]
    })
  }

  /** The datatype and shape of a dataset, without reading its values. */
  form(dataset: string): DatasetForm {
    return this.#try(dataset, () => {
      this.#expect(dataset, 'dataset')
      const raw = this.#module.get_dataset_metadata(this.#id, dataset)
      return { type: parseDatatype(raw as RawDatatype), shape: raw.shape }
    })
  }

  /** Elements of a dataset in C order, all of them or those of a box. */
  cells(dataset: string, form: DatasetForm = this.form(dataset), box?: Box): Cell[] {
    if (form.shape === null) return []
    const shape = form.shape
    const { start, count } = box ?? { start: shape.map(() => 0), count: shape }
    const elementCount = count.reduce((product, size) => product * size, 1)
    if (elementCount === 0) return []
    const counts = shape.length === 0 ? null : count.map(BigInt)
    const starts = shape.length === 0 ? null : start.map(BigInt)
    const steps = shape.length === 0 ? null : start.map(() => 1n)
    return this.#try(dataset, () =>
      this.#decode(
        form.type,
        elementCount,
        (pointer) => this.#module.get_dataset_data(this.#id, dataset, counts, starts, steps, pointer),
        (pointer) =>
          counts === null
            ? this.#module.reclaim_vlen_memory(this.#id, dataset, '', pointer)
            : this.#module.reclaim_vlen_memory_count(this.#id, dataset, '', pointer, counts),
      ),
    )
  }

  /**
   * Reads columns of a table, slice by slice: a table of a million rows needs no more memory than one
   * of a thousand.
   *
   * @param columns their names; one that the table lacks gives undefined cells
   * @param visit receives the row's number and its cells; the array is reused for the next row
   */
  scanRows(
    table: string,
    columns: readonly string[],
    visit: (row: number, cells: readonly (Cell | undefined)[]) => void,
    rows?: RowRange,
  ): void {
    const form = this.form(table)
    const rowCount = this.#rowCount(table, form)
    const fields = columns.map((column) => columnOf(form.type, column))
    const decoders = fields.map((field) => field && decoderOf(field.type, this.#textAt))
    const cells: (Cell | undefined)[] = columns.map(() => undefined)
    const end = Math.min(rowCount, rows?.end ?? rowCount)
    const rowsPerSlice = Math.max(1, Math.floor(SLICE_BYTES / form.type.bytes))
    for (let start = rows?.start ?? 0; start < end; start += rowsPerSlice) {
      const count = Math.min(rowsPerSlice, end - start)
      const visitSlice = (view: DataView): void => {
        for (let row = 0; row < count; row += 1) {
          for (const [index, field] of fields.entries()) {
            if (field) cells[index] = decoders[index]?.(view, row * form.type.bytes + field.offset)
          }
          visit(start + row, cells)
        }
      }
      this.#try(table, () =>
        this.#withBytes(
          form.type,
          count,
          (pointer) =>
            this.#module.get_dataset_data(this.#id, table, [BigInt(count)], [BigInt(start)], [1n], pointer),
          (pointer) => this.#module.reclaim_vlen_memory_count(this.#id, table, '', pointer, [BigInt(count)]),
          visitSlice,
        ),
      )
    }
  }

  /** The rows of a table. */
  rowCount(table: string): number {
    return this.#rowCount(table, this.form(table))
  }

  #rowCount(table: string, { type, shape }: DatasetForm): number {
    const rowCount = shape?.[0]
    if (shape?.length !== 1 || rowCount === undefined || type.kind !== 'record') {
      throw this.#damaged(table, 'it is not a table (rows of named columns)')
    }
    if (rowCount > ROWS_MAX) throw this.#damaged(table, `it claims ${rowCount} rows, more than ${ROWS_MAX}`)
    return rowCount
  }

  #attributeForm(path: string, name: string): DatasetForm | undefined {
    try {
      const raw = this.#module.get_attribute_metadata(this.#id, path, name)
      return { type: parseDatatype(raw as RawDatatype), shape: raw.shape }
    } catch (error) {
      // h5wasm's own words for an attribute that does not exist.
      if ((error as Error).message === 'error - name not defined!') return undefined
      throw error
    }
  }

  #decode(type: Datatype, elementCount: number, read: ReadInto, reclaim: ReadInto): Cell[] {
    const cells: Cell[] = []
    const decode: Decode = decoderOf(type, this.#textAt)
    this.#withBytes(type, elementCount, read, reclaim, (view) => {
      for (let index = 0; index < elementCount; index += 1) cells.push(decode(view, index * type.bytes))
    })
    return cells
  }

  /** Lends the bytes of elements; what the library allocated for them is given back afterwards. */
  #withBytes(
    type: Datatype,
    elementCount: number,
    read: ReadInto,
    reclaim: ReadInto,
    use: (view: DataView) => void,
  ): void {
    const bytes = elementCount * type.bytes
    if (bytes > READ_BYTES_MAX)
      throw new Error(`it takes ${bytes} bytes, more than ${READ_BYTES_MAX} at once`)
    const module = this.#module
    const pointer = module._malloc(bytes)
    if (pointer === 0) throw new Error(`no memory for ${bytes} bytes`)
    try {
      if (read(BigInt(pointer)) < 0) throw new Error('the HDF5 library cannot read it')
      // A copy: the heap may grow while texts are decoded, and that detaches views of it.
      const copy = module.HEAPU8.slice(pointer, pointer + bytes)
      try {
        use(new DataView(copy.buffer, copy.byteOffset, bytes))
      } finally {
        if (holdsPointers(type)) reclaim(BigInt(pointer))
      }
    } finally {
      module._free(pointer)
    }
  }

  readonly #textAt = (pointer: number): string => (pointer === 0 ? '' : this.#module.UTF8ToString(pointer))

  #try<Value>(path: string, read: () => Value): Value {
    if (!this.#isOpen) throw new Error(`${this.file} is closed`)
    try {
      return read()
    } catch (cause) {
      if (this.#committed?.isLost) throw fileChanging(this.file, cause)
      if (cause instanceof PypetError) throw cause
      throw this.#damaged(path, hdf5Cause(cause), cause)
    }
  }

  #damaged(path: string, found: string, cause?: unknown): PypetError {
    return new PypetError('PYPET_STORAGE_FAILED', `${this.file}: ${path} cannot be read: ${found}`, {
      where: `${this.file}:${path}`,
      hint: 'The file may be damaged, or use a compression that this HDF5 library lacks (it has gzip); `h5dump` tells more.',
      cause,
    })
  }
}

type ReadInto = (pointer: bigint) => number

function columnOf(type: Datatype, name: string): Field | undefined {
  return type.kind === 'record' ? type.fields.find((field) => field.name === name) : undefined
}

/** The error for a file that is written faster than it is read. */
export function fileChanging(file: string, cause?: unknown): PypetError {
  return new PypetError('PYPET_FILE_CHANGING', `${file} was overwritten by its writer while it was read`, {
    where: file,
    hint: 'Try again, or read a copy: pypet-ts snapshot takes one at any time.',
    cause,
  })
}

const CONTINUE_HINT =
  'Its experiment has just begun, or ended too early: `pypet-ts continue` goes on with it.'

async function checkFile(file: string): Promise<number> {
  try {
    return await checkSignature(file)
  } catch (error) {
    // Only the writer's first commit makes it an HDF5 file.
    if (!isPypetError(error, 'PYPET_FILE_NOT_HDF5') || !isUnfinished(file)) throw error
    throw notHdf5(file, 'nothing is stored in it yet', CONTINUE_HINT)
  }
}

function cannotOpen(file: string, reason: string, cause?: unknown): PypetError {
  const cut = /truncated file: eof = (\d+).*stored_eof = (\d+)/.exec(reason)
  if (cut === null) return notHdf5(file, reason, 'The file may be damaged; `h5dump` tells more.', cause)
  const found = `it is cut short, ${cut[1]} of ${cut[2]} bytes are there`
  return notHdf5(file, found, 'Copy it again, or restore it from a backup.', cause)
}
