/** An HDF5 file open for writing: applies operations through h5wasm's raw calls. */
import { cannotWrite, PypetError } from '../errors.ts'
import { type H5Metadata, type H5Module, hdf5Cause, loadH5wasm } from './h5wasm.ts'
import type { Hdf5Operation, Hdf5Type } from './operation.ts'

/** Larger arrays are copied through the wasm heap in slices: it is limited to 2 GiB and never shrinks. */
const SLICE_BYTES_MAX = 33_554_432

export class Hdf5File {
  readonly path: string
  readonly #h5: H5Module
  readonly #fileId: bigint
  readonly #heap: HeapBuffer
  readonly #constants = new Map<string, { readonly pointer: bigint; readonly metadata: H5Metadata }>()

  private constructor(path: string, h5: H5Module, fileId: bigint) {
    this.path = path
    this.#h5 = h5
    this.#fileId = fileId
    this.#heap = new HeapBuffer(h5)
  }

  /**
   * @param mode `create` truncates, `append` opens an existing file.
   * @throws PypetError `PYPET_FILE_NOT_WRITABLE`
   */
  static async open(path: string, mode: 'create' | 'append'): Promise<Hdf5File> {
    const h5 = await loadH5wasm()
    try {
      const access = mode === 'create' ? h5.H5F_ACC_TRUNC : h5.H5F_ACC_RDWR
      const fileId = h5.open(path, access, false, LIBVER_DEFAULT, LIBVER_DEFAULT)
      // Without its throwing handler, h5wasm answers a failed open with -1.
      if (fileId < 0n) throw new Error('HDF5 could not open the file')
      return new Hdf5File(path, h5, fileId)
    } catch (cause) {
      throw cannotWrite(path, hdf5Cause(cause), { cause })
    }
  }

  /**
   * Opens a file, lets `work` write to it, and closes it. After that, the operating system has all data.
   *
   * @throws as `open` and `work`. With several failures, the first one.
   */
  static async write<Value>(
    path: string,
    mode: 'create' | 'append',
    work: (file: Hdf5File) => Value,
  ): Promise<Value> {
    const file = await Hdf5File.open(path, mode)
    let outcome: Value
    try {
      outcome = work(file)
      file.flush()
    } catch (error) {
      try {
        file.close()
      } catch {
        // It fails for the same reason.
      }
      throw error
    }
    file.close()
    return outcome
  }

  /** Names of the root's children, the trajectories in the file. Only reads the file. */
  static async rootNames(path: string): Promise<string[]> {
    const h5 = await loadH5wasm()
    try {
      const fileId = h5.open(path, h5.H5F_ACC_RDONLY, false, LIBVER_DEFAULT, LIBVER_DEFAULT)
      if (fileId < 0n) throw new Error('HDF5 could not open the file')
      const names = h5.get_names(fileId, '/', false)
      h5.close_file(fileId)
      return names
    } catch (cause) {
      throw new PypetError('PYPET_FILE_NOT_HDF5', `cannot read ${path} as HDF5: ${hdf5Cause(cause)}`, {
        where: path,
        hint: 'Choose another file (--file), or replace this one (--overwrite).',
        cause,
      })
    }
  }

  /**
   * Applies the operations in order. If it throws, the state of the file is unknown: stop writing.
   *
   * @throws PypetError `PYPET_STORAGE_FAILED` with the operation and HDF5's reason
   */
  apply(operations: readonly Hdf5Operation[]): void {
    for (const operation of operations) {
      try {
        this.#apply(operation)
      } catch (cause) {
        const attempted = `${operation.type} ${operation.path}`
        throw new PypetError(
          'PYPET_STORAGE_FAILED',
          `${this.path}: ${attempted} failed: ${hdf5Cause(cause)}`,
          {
            where: this.path,
            hint: 'Check the free space and the permissions of the folder.',
            cause,
          },
        )
      }
    }
  }

  /** Hands everything that HDF5 holds in memory to the operating system. This does not make it durable. */
  flush(): void {
    if (this.#h5.flush(this.#fileId) < 0) throw new Error('H5Fflush failed')
  }

  /** Writes what HDF5 still holds and closes the file. This does not make it durable. */
  close(): void {
    this.#heap.free()
    for (const { pointer } of this.#constants.values()) this.#h5._free(Number(pointer))
    this.#constants.clear()
    if (this.#h5.close_file(this.#fileId) < 0) throw new Error('H5Fclose failed')
  }

  #apply(operation: Hdf5Operation): void {
    switch (operation.type) {
      case 'create-group':
        this.#h5.create_group(this.#fileId, operation.path, false)
        break
      case 'create-dataset':
        this.#createDataset(operation)
        break
      case 'create-table':
        this.#createTable(operation)
        break
      case 'resize-table':
        this.#h5.resize_dataset(
          this.#fileId,
          operation.path,
          [operation.rowCount, ...(operation.rowShape ?? [])].map(BigInt),
        )
        break
      case 'write-rows':
        this.#write(operation.path, operation.bytes, [operation.firstRow], [operation.rowCount])
        break
      case 'make-scale':
        if (this.#h5.set_scale(this.#fileId, operation.path, operation.name) < 0)
          throw new Error('H5DSset_scale failed')
        break
      case 'attach-scale': {
        const { path, scale, axis } = operation
        if (this.#h5.attach_scale(this.#fileId, path, scale, axis) < 0)
          throw new Error('H5DSattach_scale failed')
        break
      }
      case 'create-soft-link':
        this.#h5.create_soft_link(this.#fileId, operation.target, operation.path)
        break
      case 'write-box':
        this.#write(operation.path, operation.bytes, operation.offset, operation.count)
        break
      case 'delete-attribute':
        this.#h5.delete_attribute(this.#fileId, operation.path, operation.name)
        break
      case 'create-raw-attribute': {
        const { path, name, elementType, shape, bytes } = operation
        const metadata = shape.length === 0 ? scalarMetadata(elementType) : arrayMetadata(elementType, shape)
        this.#h5.create_attribute(this.#fileId, path, name, this.#heap.put(bytes), metadata)
        break
      }
      case 'replace-attribute':
        this.#h5.delete_attribute(this.#fileId, operation.path, operation.name)
        this.#createAttribute(operation)
        break
      case 'create-attribute':
        this.#createAttribute(operation)
        break
    }
  }

  #createDataset(operation: Extract<Hdf5Operation, { type: 'create-dataset' }>): void {
    const { path, elementType, shape, bytes, deflate = 0, maxShape } = operation
    if (shape.length === 0 && bytes !== undefined) {
      this.#h5.create_dataset(this.#fileId, path, this.#heap.put(bytes), scalarMetadata(elementType))
      return
    }
    // A dataset written in slices, or later, starts empty, because creating it would write all of it.
    const whole = bytes !== undefined && bytes.byteLength <= SLICE_BYTES_MAX ? bytes : undefined
    const isSliced = whole === undefined
    const isChunked = deflate > 0 || isSliced || maxShape !== undefined || operation.chunks !== undefined
    const chunks = isChunked ? (operation.chunks ?? chunkShape(shape, elementType.bytes)) : null
    const metadata = {
      ...rawDatatype(elementType),
      shape: (isSliced ? shape.map(() => 0) : shape).map(BigInt),
      maxshape: (maxShape ?? shape).map((size) => (size === null ? UNLIMITED : BigInt(size))),
      chunks: chunks?.map(BigInt) ?? null,
      compression: deflate > 0 ? this.#h5.H5Z_FILTER_DEFLATE : 0,
      compression_opts: deflate > 0 ? [deflate] : [],
    }
    const pointer = whole === undefined ? 0n : this.#heap.put(whole)
    this.#h5.create_dataset(this.#fileId, path, pointer, metadata as unknown as H5Metadata)
    if (!isSliced) return
    this.#h5.resize_dataset(this.#fileId, path, shape.map(BigInt))
    if (bytes === undefined) return
    for (const slab of slabs(shape, elementType.bytes)) {
      this.#write(path, bytes.subarray(slab.byteStart, slab.byteEnd), slab.offset, slab.count)
    }
  }

  #createTable(operation: Extract<Hdf5Operation, { type: 'create-table' }>): void {
    const { path, rowType, rowCount, chunkRows, deflate, rows } = operation
    const metadata = {
      ...rawDatatype(rowType),
      // A dataset created with a size is written at once, with or without rows.
      shape: [rows === undefined ? 0n : BigInt(rowCount)],
      maxshape: [UNLIMITED],
      chunks: [BigInt(chunkRows)],
      compression: deflate > 0 ? this.#h5.H5Z_FILTER_DEFLATE : 0,
      compression_opts: deflate > 0 ? [deflate] : [],
    }
    const pointer = rows === undefined ? 0n : this.#heap.put(rows)
    this.#h5.create_dataset(this.#fileId, path, pointer, metadata as unknown as H5Metadata)
    if (rows === undefined && rowCount > 0) this.#h5.resize_dataset(this.#fileId, path, [BigInt(rowCount)])
  }

  #write(path: string, bytes: Uint8Array, offset: readonly number[], count: readonly number[]): void {
    const pointer = this.#heap.put(bytes)
    const strides = count.map(() => 1n)
    const status = this.#h5.set_dataset_data(
      this.#fileId,
      path,
      count.map(BigInt),
      offset.map(BigInt),
      strides,
      pointer,
    )
    if (status < 0) throw new Error('H5Dwrite failed')
  }

  #createAttribute(operation: {
    readonly path: string
    readonly name: string
    readonly value: unknown
  }): void {
    const { path, name, value } = operation
    const { pointer, metadata } =
      typeof value === 'string' ? this.#text(value) : this.#constant(value as number | boolean)
    this.#h5.create_attribute(this.#fileId, path, name, pointer, metadata)
  }

  /** Texts of attributes repeat with every run (`COLL_SCALAR`, `Result`), so short ones stay in the heap. */
  #text(text: string): { pointer: bigint; metadata: H5Metadata } {
    const known = this.#constants.get(text)
    if (known !== undefined) return known
    // HDF5 pads these strings with spaces, and readers strip them. So a text that ends in a space gets a final
    // NUL. HDF5 also has no string of size 0.
    const bytes = encoder.encode(text === '' || text.endsWith(' ') ? `${text}\0` : text)
    const metadata = scalarMetadata({ kind: 'string', bytes: bytes.byteLength, charset: 'utf8' })
    if (bytes.byteLength > 24 || this.#constants.size >= CONSTANTS_MAX) {
      return { pointer: this.#heap.put(bytes), metadata }
    }
    return this.#keep(text, bytes, metadata)
  }

  #constant(value: number | boolean): { pointer: bigint; metadata: H5Metadata } {
    if (typeof value === 'boolean') {
      const key = value ? '\0true' : '\0false'
      return this.#constants.get(key) ?? this.#keep(key, Uint8Array.of(value ? 1 : 0), scalarMetadata(INT8))
    }
    const bytes = new Uint8Array(BigInt64Array.of(BigInt(value)).buffer)
    return { pointer: this.#heap.put(bytes), metadata: scalarMetadata(INT64) }
  }

  #keep(key: string, bytes: Uint8Array, metadata: H5Metadata): { pointer: bigint; metadata: H5Metadata } {
    const address = this.#h5._malloc(bytes.byteLength)
    this.#h5.HEAPU8.set(bytes, address)
    const constant = { pointer: BigInt(address), metadata }
    this.#constants.set(key, constant)
    return constant
  }
}

/** Leaves the format to HDF5's default, superblock 2, which every tool reads. */
const LIBVER_DEFAULT = -1
const CONSTANTS_MAX = 256
const INT8: Hdf5Type = { kind: 'int', bytes: 1 }
const INT64: Hdf5Type = { kind: 'int', bytes: 8 }
const UNLIMITED = 18_446_744_073_709_551_615n
const encoder = new TextEncoder()

/** One growing block of the wasm heap, through which all data is copied. */
class HeapBuffer {
  readonly #h5: H5Module
  #address = 0
  #size = 0

  constructor(h5: H5Module) {
    this.#h5 = h5
  }

  /** Copies bytes into the heap. The pointer is valid until the next call. */
  put(bytes: Uint8Array): bigint {
    if (bytes.byteLength > this.#size || this.#address === 0) {
      this.free()
      this.#size = Math.max(65_536, bytes.byteLength)
      this.#address = this.#h5._malloc(this.#size)
      if (this.#address === 0) throw new Error(`the HDF5 library could not allocate ${this.#size} bytes`)
    }
    // Read HEAPU8 each time: growing the heap detaches older views.
    this.#h5.HEAPU8.set(bytes, this.#address)
    return BigInt(this.#address)
  }

  free(): void {
    if (this.#address !== 0) this.#h5._free(this.#address)
    this.#address = 0
    this.#size = 0
  }
}

/** HDF5's class numbers, `H5T_class_t`. */
const CLASSES = { int: 0, uint: 0, float: 1, string: 3, compound: 6 } as const

const metadataOfType = new WeakMap<Hdf5Type, object>()

/** The type as h5wasm describes it. */
export function rawDatatype(type: Hdf5Type): object {
  const known = metadataOfType.get(type)
  if (known !== undefined) return known
  const metadata = {
    type: CLASSES[type.kind],
    size: type.bytes,
    signed: type.kind === 'int',
    vlen: false,
    littleEndian: true,
    ...(type.kind === 'string' && { cset: type.charset === 'utf8' ? 1 : 0 }),
    ...(type.kind === 'compound' && {
      compound_type: {
        nmembers: type.columns.length,
        members: type.columns.map((column) => ({
          ...rawDatatype(column.type),
          name: column.name,
          offset: column.offset,
        })),
      },
    }),
  }
  metadataOfType.set(type, metadata)
  return metadata
}

const scalarMetadataOfType = new WeakMap<Hdf5Type, H5Metadata>()

/** Most values of a run are scalars, so their metadata is made once per type. */
function scalarMetadata(type: Hdf5Type): H5Metadata {
  let metadata = scalarMetadataOfType.get(type)
  if (metadata === undefined) {
    metadata = { ...rawDatatype(type), shape: [], maxshape: null, chunks: null } as unknown as H5Metadata
    scalarMetadataOfType.set(type, metadata)
  }
  return metadata
}

function arrayMetadata(type: Hdf5Type, shape: readonly number[]): H5Metadata {
  const sizes = { shape: shape.map(BigInt), maxshape: shape.map(BigInt), chunks: null }
  return { ...rawDatatype(type), ...sizes } as unknown as H5Metadata
}

const CHUNK_BYTES = 65_536

/** PyTables' CARRAY chunks: whole rows along the first axis, about 64 KiB each; wide rows are split. */
function chunkShape(shape: readonly number[], elementBytes: number): number[] {
  const chunk = shape.map(() => 1)
  let room = Math.max(1, Math.floor(CHUNK_BYTES / elementBytes))
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    chunk[axis] = Math.max(1, Math.min(shape[axis] as number, room))
    room = Math.max(1, Math.floor(room / (chunk[axis] as number)))
  }
  return chunk
}

interface Slab {
  readonly offset: number[]
  readonly count: number[]
  readonly byteStart: number
  readonly byteEnd: number // exclusive
}

/** Cuts an array in C order into contiguous hyperslabs of at most SLICE_BYTES_MAX. */
function* slabs(shape: readonly number[], elementBytes: number): Generator<Slab> {
  // Cut the first axis below which everything fits into one slab. Iterate over the axes before it.
  let axis = 0
  let innerBytes = elementBytes * shape.slice(1).reduce((product, size) => product * size, 1)
  while (innerBytes > SLICE_BYTES_MAX && axis < shape.length - 1) {
    axis += 1
    innerBytes /= shape[axis] as number
  }
  const rowsMax = Math.max(1, Math.floor(SLICE_BYTES_MAX / innerBytes))
  const size = shape[axis] as number
  const outerCount = shape.slice(0, axis).reduce((product, outer) => product * outer, 1)
  for (let outer = 0; outer < outerCount; outer += 1) {
    const outerOffset = unravel(outer, shape.slice(0, axis))
    for (let row = 0; row < size; row += rowsMax) {
      const rows = Math.min(rowsMax, size - row)
      const byteStart = (outer * size + row) * innerBytes
      yield {
        offset: [...outerOffset, row, ...shape.slice(axis + 1).map(() => 0)],
        count: [...outerOffset.map(() => 1), rows, ...shape.slice(axis + 1)],
        byteStart,
        byteEnd: byteStart + rows * innerBytes,
      }
    }
  }
}

function unravel(index: number, shape: readonly number[]): number[] {
  const offset: number[] = []
  let rest = index
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    offset.unshift(rest % (shape[axis] as number))
    rest = Math.floor(rest / (shape[axis] as number))
  }
  return offset
}
