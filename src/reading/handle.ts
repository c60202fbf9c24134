/** A file that is open in the HDF5 library, with what all ways of reading need. */
import { type BigIntStats, statSync } from 'node:fs'
import { PypetError } from '../errors.ts'
import {
  type Cell,
  type Datatype,
  type Decode,
  decoderOf,
  holdsPointers,
  parseDatatype,
  type RawDatatype,
} from '../hdf5/datatype.ts'
import { type H5Module, hdf5Cause } from '../hdf5/h5wasm.ts'
import { fileChanging } from '../hdf5/read-errors.ts'
import { type CommittedFile, cntFilesOf, type UnfinishedTrajectory } from './committed-file.ts'

export type ObjectKind = 'group' | 'dataset' | 'soft-link' | 'external-link' | 'other'

export interface DatasetForm {
  readonly type: Datatype
  /** No sizes for a scalar, null for a dataset without a value (HDF5's null dataspace). */
  readonly shape: readonly number[] | null
}

/** Larger values are refused: a damaged file must not use all memory. */
const READ_BYTES_MAX = 64 * 2 ** 20
const SCRATCH_BYTES = 16_384
/** Cached kinds of objects, since every read needs one. */
const KINDS_MAX = 10_000
/** Groups whose names are cached. */
const LISTINGS_MAX = 5000

const NONE: ReadonlySet<string> = new Set()

function isBelow(path: string, deleted: ReadonlySet<string>): boolean {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) if (deleted.has(at)) return true
  return false
}

/** Makes the library write elements to a pointer, or free what it allocated for them. */
export type ReadInto = (pointer: bigint) => number

export interface SettledFile {
  readonly fileBytes: number
  readonly stamp: string
}

/** Identifies the file and its last write. */
function stampOf({ ino, size, mtimeNs }: BigIntStats): string {
  return `${ino} ${size} ${mtimeNs}`
}

/** Call this before checking for writers. @throws the system's error if the file does not exist */
export function settledFile(file: string): SettledFile {
  const found = statSync(file, { bigint: true })
  return { fileBytes: Number(found.size), stamp: stampOf(found) }
}

/** Whether the file was written or replaced. A removed file stays unchanged for those that have it open. */
export function isChanged(file: string, { stamp }: SettledFile): boolean {
  const now = statSync(file, { bigint: true, throwIfNoEntry: false })
  return now !== undefined && stampOf(now) !== stamp
}

export class Hdf5Handle {
  readonly file: string
  /** At the last commit. */
  readonly fileBytes: number
  /** From the `.cnt` files next to the file. None for a settled file. */
  readonly unfinished: readonly UnfinishedTrajectory[]
  /** Notes for the user about this state, as sentences. */
  readonly notes: readonly string[]
  protected readonly module: H5Module
  protected readonly id: bigint
  /** Exactly one of the two is set. */
  readonly #committed: CommittedFile | undefined
  readonly #settled: SettledFile | undefined
  readonly #kinds = new Map<string, ObjectKind>()
  readonly #listings = new Map<string, ReadonlySet<string>>()
  #isOpen = true
  /** Buffer for small values: most are small. */
  #scratch = 0

  /** @param source the last commit of an unfinished file, or a settled file as it was before any check */
  constructor(module: H5Module, id: bigint, file: string, source: CommittedFile | SettledFile) {
    this.module = module
    this.id = id
    if ('stamp' in source) this.#settled = source
    else this.#committed = source
    this.file = file
    this.fileBytes = source.fileBytes
    this.unfinished = this.#committed?.unfinished ?? []
    this.notes = this.#committed?.notes ?? []
  }

  /** Whether a writer was active, so that reads may have failed or mixed several commits. */
  get hasChanged(): boolean {
    if (this.isOverwritten) return true
    // A writer that came after the opening is not watched, but has a `.cnt` file.
    const known = this.#committed?.cntFiles ?? []
    return cntFilesOf(this.file).some((cntFile) => !known.includes(cntFile))
  }

  /**
   * The same for a reader that keeps the file open and checks after each read. A settled file is not watched: it must
   * be unchanged since before the opening, to the nanosecond.
   */
  get isOverwritten(): boolean {
    return this.#committed?.isLost ?? isChanged(this.file, this.#settled as SettledFile)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (this.#scratch !== 0) this.module._free(this.#scratch)
    this.#scratch = 0
    this.module.close_file(this.id)
    this.#committed?.close()
  }

  /**
   * The kind of object at a path. Links are reported, not followed. Undefined if there is nothing, or if the path goes
   * through a link.
   */
  kind(path: string): ObjectKind | undefined {
    if (path === '/') return 'group'
    const known = this.#kinds.get(path)
    if (known !== undefined) return known
    const slash = path.lastIndexOf('/')
    const group = path.slice(0, slash) || '/'
    if (this.kind(group) !== 'group') return undefined
    // Look in the group's names: do not ask the library for something missing, see `hasAttribute`.
    if (!this.namesIn(group).has(path.slice(slash + 1))) return undefined
    const kind = this.attempt(path, () => this.#askKind(path))
    if (this.#kinds.size >= KINDS_MAX) this.#kinds.clear()
    if (kind !== undefined) this.#kinds.set(path, kind)
    return kind
  }

  /**
   * Learns in one call which groups are below a group, and what they contain, for a visit to all of them. An object
   * without content may be of any kind, and is checked individually.
   */
  learnBelow(group: string): void {
    const children = new Map<string, Set<string>>([[group, new Set()]])
    const deleted = this.#deletedIn(group)
    for (const name of this.attempt(group, () => this.module.get_names(this.id, group, true))) {
      const path = `${group}/${name}`
      const slash = path.lastIndexOf('/')
      const parent = path.slice(0, slash)
      if (deleted.size > 0 && isBelow(path, deleted)) continue
      const known = children.get(parent)
      if (known === undefined) children.set(parent, new Set([path.slice(slash + 1)]))
      else known.add(path.slice(slash + 1))
    }
    if (this.#kinds.size + children.size >= KINDS_MAX) this.#kinds.clear()
    if (this.#listings.size + children.size >= LISTINGS_MAX) this.#listings.clear()
    for (const [path, names] of children) {
      this.#kinds.set(path, 'group')
      this.#listings.set(path, names)
    }
  }

  protected namesIn(group: string): ReadonlySet<string> {
    let names = this.#listings.get(group)
    if (names === undefined) {
      const all = this.attempt(group, () => this.module.get_names(this.id, group, false))
      const deleted = this.#deletedIn(group)
      names = new Set(deleted.size === 0 ? all : all.filter((name) => !deleted.has(`${group}/${name}`)))
      if (this.#listings.size >= LISTINGS_MAX) this.#listings.clear()
      this.#listings.set(group, names)
    }
    return names
  }

  /** Whether a node or one of its parents was deleted. */
  isDeleted(path: string): boolean {
    const deleted = this.#deletedIn(path)
    return deleted.size > 0 && isBelow(path, deleted)
  }

  /** Whether nodes of a trajectory were deleted. @param root `/T` */
  hasDeleted(root: string): boolean {
    return this.#deletedIn(root).size > 0
  }

  /** Paths deleted from the trajectory of a path. They stay in the file until it is compacted. */
  #deletedIn(path: string): ReadonlySet<string> {
    const end = path.indexOf('/', 1)
    const trajectory = end < 0 ? path : path.slice(0, end)
    if (trajectory === '/') return NONE
    const known = this.#deleted.get(trajectory)
    if (known !== undefined) return known
    // Nothing counts as deleted during this lookup.
    this.#deleted.set(trajectory, NONE)
    const deleted = this.deletedPaths(trajectory)
    if (deleted.size > 0) {
      this.#deleted.set(trajectory, deleted)
      this.#listings.clear()
      this.#kinds.clear()
    }
    return deleted
  }

  readonly #deleted = new Map<string, ReadonlySet<string>>()

  protected deletedPaths(_trajectory: string): ReadonlySet<string> {
    return NONE
  }

  /**
   * Whether an attribute exists. Check this before asking h5wasm for it: each error thrown through wasm leaks stack,
   * and after a few hundred the library aborts.
   */
  protected hasAttribute(path: string, name: string): boolean {
    return this.attributesOf(path).has(name)
  }

  protected attributesOf(path: string): ReadonlySet<string> {
    if (this.#attributes?.path !== path) {
      this.#attributes = { path, names: new Set(this.module.get_attribute_names(this.id, path)) }
    }
    return this.#attributes.names
  }

  /** Cached for the last object: its attributes are usually read one after the other. */
  #attributes: { readonly path: string; readonly names: ReadonlySet<string> } | undefined

  #askKind(path: string): ObjectKind | undefined {
    try {
      // Checked first: `get_type` would open the other file.
      if (this.module.get_external_link(this.id, path).filename !== undefined) return 'external-link'
    } catch (error) {
      if (/doesn't exist|not found/.test(hdf5Cause(error))) return undefined
      throw error
    }
    // Typed as a string, but null if there is no link.
    if ((this.module.get_symbolic_link(this.id, path) as string | null) !== null) return 'soft-link'
    const type = this.module.get_type(this.id, path)
    if (type === this.module.H5G_GROUP) return 'group'
    return type === this.module.H5G_DATASET ? 'dataset' : 'other'
  }

  protected expect(path: string, ...kinds: readonly ObjectKind[]): void {
    const kind = this.kind(path)
    if (kind === undefined) throw new Error('it does not exist')
    if (!kinds.includes(kind)) throw new Error(`found ${kind} instead of ${kinds.join(' or ')}`)
  }

  protected attributeForm(path: string, name: string): DatasetForm | undefined {
    if (!this.hasAttribute(path, name)) return undefined
    const raw = this.module.get_attribute_metadata(this.id, path, name)
    return { type: parseDatatype(raw as RawDatatype), shape: raw.shape }
  }

  protected decode(type: Datatype, elementCount: number, read: ReadInto, reclaim: ReadInto): Cell[] {
    const cells: Cell[] = []
    const decode: Decode = decoderOf(type, this.textAt)
    this.withBytes(type, elementCount, read, reclaim, (view) => {
      for (let index = 0; index < elementCount; index += 1) cells.push(decode(view, index * type.bytes))
    })
    return cells
  }

  /** Lends the bytes of elements. What the library allocated for them is freed afterwards. */
  protected withBytes(
    type: Datatype,
    elementCount: number,
    read: ReadInto,
    reclaim: ReadInto,
    use: (view: DataView) => void,
  ): void {
    this.withHeap(elementCount * type.bytes, read, (heap, pointer) => {
      // A copy: decoding texts may grow the heap, which detaches views of it.
      const copy = heap.slice()
      try {
        use(new DataView(copy.buffer, copy.byteOffset, copy.byteLength))
      } finally {
        if (holdsPointers(type)) reclaim(BigInt(pointer))
      }
    })
  }

  /** Lends bytes that the library fills, without a copy. `use` must not call the library. */
  protected withHeap(bytes: number, read: ReadInto, use: (heap: Uint8Array, pointer: number) => void): void {
    if (bytes > READ_BYTES_MAX)
      throw new Error(`it takes ${bytes} bytes, more than ${READ_BYTES_MAX} at once`)
    const module = this.module
    const isSmall = bytes <= SCRATCH_BYTES
    if (isSmall) this.#scratch ||= module._malloc(SCRATCH_BYTES)
    const pointer = isSmall ? this.#scratch : module._malloc(bytes)
    if (pointer === 0) throw new Error(`cannot allocate ${bytes} bytes`)
    try {
      if (read(BigInt(pointer)) < 0) throw new Error('the HDF5 library cannot read it')
      use(module.HEAPU8.subarray(pointer, pointer + bytes), pointer)
    } finally {
      if (!isSmall) module._free(pointer)
    }
  }

  protected readonly textAt = (pointer: number): string =>
    pointer === 0 ? '' : this.module.UTF8ToString(pointer)

  /** A copy of data allocated by the library. */
  protected lentBytes(pointer: number, bytes: number): Uint8Array {
    if (bytes > READ_BYTES_MAX)
      throw new Error(`it takes ${bytes} bytes, more than ${READ_BYTES_MAX} at once`)
    return this.module.HEAPU8.slice(pointer, pointer + bytes)
  }

  protected attempt<Value>(path: string, read: () => Value): Value {
    if (!this.#isOpen) throw new Error(`${this.file} is closed`)
    try {
      return read()
    } catch (cause) {
      if (this.#committed?.isLost) throw fileChanging(this.file, cause)
      if (cause instanceof PypetError) throw cause
      throw this.damaged(path, hdf5Cause(cause), cause)
    }
  }

  protected damaged(path: string, found: string, cause?: unknown): PypetError {
    return new PypetError('PYPET_STORAGE_FAILED', `cannot read ${path} in ${this.file}: ${found}`, {
      where: `${this.file}:${path}`,
      hint: 'The file may be damaged, or use a compression other than gzip. Check it with `h5dump`.',
      cause,
    })
  }
}
