/** The columns of a trajectory (docs/format.md, section 5): which there are, and the cells of a run. */
import { type Cell, type Datatype, decoderOf } from '../hdf5/datatype.ts'
import type { MemoryDelta } from '../journal/cnt-record.ts'
import { type ColumnType, columnText, placeOfColumn, type StoredColumn } from '../layout/run-columns.ts'
import {
  ANNOTATION_PREFIX,
  columnsGroup,
  FORM_ATTRIBUTE,
  type Layout,
  MEMORY,
  presenceGroup,
  RUN_BRANCHES,
  RUN_FACTS,
  RUN_STATUS,
  type RunBranch,
  SRVC,
} from '../names.ts'
import type { RunIndex } from '../values/path.ts'
import { elementCount, type RawNumbers, type RawValue } from '../values/raw-value.ts'
import { isUnit, UNIT } from '../values/unit.ts'
import type { RawReader } from './raw-reader.ts'

/** Rows are read in blocks of about this size. */
const BLOCK_BYTES = 65_536
/** The unit of a column, as of a leaf. */
const UNIT_ATTRIBUTE = `${ANNOTATION_PREFIX}${UNIT}`
/** Blocks of all columns that are kept. */
const KEPT_BYTES_MAX = 2 ** 26

export interface FoundColumn extends StoredColumn {
  readonly branch: RunBranch
  readonly path: string
  /** The dataset that tells which runs have a value. Undefined if all stored runs do. */
  readonly presence: string | undefined
  /** Of an element. */
  readonly type: Datatype
  readonly rowBytes: number
  /** Within its run: `neuron.rate`. */
  readonly leaf: string
  readonly item: string
}

export class ColumnSet {
  readonly layout: Layout
  readonly runCount: number
  readonly #raw: RawReader
  readonly #root: string
  #columns: readonly FoundColumn[] | undefined
  readonly #status: string
  #statuses: Uint8Array | undefined
  #isEveryRunStored: boolean | undefined
  readonly #presences = new Map<string, Uint8Array>()
  /** By column and number, the one that was used last at the end. */
  readonly #blocks = new Map<string, Uint8Array>()
  #keptBytes = 0

  private constructor(raw: RawReader, root: string, layout: Layout, status: string) {
    this.#raw = raw
    this.#root = root
    this.layout = layout
    this.#status = status
    this.runCount = raw.form(status).shape?.[0] ?? 0
  }

  /** Read at the first call: most readers of a tree need none. */
  get columns(): readonly FoundColumn[] {
    this.#columns ??= RUN_BRANCHES.flatMap((branch) => columnsIn(this.#raw, this.#root, branch, this.layout))
    return this.#columns
  }

  /** The columns of a trajectory. Undefined if it has none. @param root path of the trajectory: `/T` */
  static find(raw: RawReader, root: string): ColumnSet | undefined {
    for (const layout of ['columns', 'tree'] as const) {
      // No result has such a name.
      const status = `${columnsGroup(root, 'results', layout)}/${RUN_FACTS.status}`
      if (raw.kind(status) === 'dataset') return new ColumnSet(raw, root, layout, status)
    }
    return undefined
  }

  /** What the layout remembers of them. */
  memory(): MemoryDelta['added'] {
    const added: Record<string, string[]> = {}
    for (const branch of RUN_BRANCHES) {
      const columns = this.columns.filter((column) => column.branch === branch)
      added[MEMORY.columnsOf(branch)] = columns.map(columnText)
      added[MEMORY.presenceOf(branch)] = columns.filter(({ presence }) => presence).map(({ name }) => name)
    }
    return added
  }

  /** Of every run, as `RUN_STATUS`. */
  statuses(): Uint8Array {
    this.#statuses ??= this.#raw.bytes(this.#status)
    return this.#statuses
  }

  get isEveryRunStored(): boolean {
    this.#isEveryRunStored ??= this.statuses().every((status) => status === RUN_STATUS.stored)
    return this.#isEveryRunStored
  }

  /** How often a run was attempted. */
  attemptsOf(run: RunIndex): number | undefined {
    const column = this.columns.find(({ name }) => name === RUN_FACTS.attempts)
    if (column === undefined) return undefined
    const { buffer, byteOffset } = this.bytesAt(column, run)
    return new DataView(buffer, byteOffset).getUint16(0, true)
  }

  has(column: FoundColumn, run: RunIndex): boolean {
    if (this.statuses()[run] !== RUN_STATUS.stored) return false
    const flags = this.presenceOf(column)
    return flags === undefined || flags[run] === 1
  }

  /** 1 for each run that has a value. Undefined if all stored runs do. */
  presenceOf({ presence }: FoundColumn): Uint8Array | undefined {
    if (presence === undefined) return undefined
    let flags = this.#presences.get(presence)
    if (flags === undefined) {
      flags = this.#raw.bytes(presence)
      this.#presences.set(presence, flags)
    }
    return flags
  }

  /** The single values of a column by run, read here. Undefined where a run has none. */
  scalars(column: FoundColumn): (run: RunIndex) => Cell | undefined {
    const all = this.#raw.bytes(column.path)
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength)
    const decode = decoderOf(column.type, () => '')
    // Also reads which runs have a value.
    this.has(column, 0)
    return (run) => (this.has(column, run) ? decode(view, run * column.rowBytes) : undefined)
  }

  /** The bytes of a run's cell. Check with `has` that it has one. */
  bytesAt(column: FoundColumn, run: RunIndex): Uint8Array {
    const { rowBytes } = column
    const rows = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes))
    const number = Math.floor(run / rows)
    const block = this.#block(column, number, rows)
    const start = (run - number * rows) * rowBytes
    return block.subarray(start, start + rowBytes)
  }

  valueAt(column: FoundColumn, run: RunIndex): RawValue {
    const { form, dtype, shape } = column
    const bytes = this.bytesAt(column, run)
    if (dtype !== 'str') return { form, dtype, shape, bytes: bytes.slice() }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const text = String(decoderOf(column.type, () => '')(view, 0))
    return { form: 'scalar', dtype, shape: [], texts: [text] }
  }

  #block({ path }: FoundColumn, number: number, rows: number): Uint8Array {
    const key = `${path}\0${number}`
    let block = this.#blocks.get(key)
    if (block !== undefined) {
      this.#blocks.delete(key)
      this.#blocks.set(key, block)
      return block
    }
    const first = number * rows
    block = this.#raw.rows(path, first, Math.min(rows, this.runCount - first))
    this.#blocks.set(key, block)
    this.#keptBytes += block.byteLength
    for (const [old, { byteLength }] of this.#blocks) {
      if (this.#keptBytes <= KEPT_BYTES_MAX) break
      this.#blocks.delete(old)
      this.#keptBytes -= byteLength
    }
    return block
  }
}

function columnsIn(raw: RawReader, root: string, branch: RunBranch, layout: Layout): FoundColumn[] {
  const group = columnsGroup(root, branch, layout)
  if (raw.kind(group) !== 'group') return []
  return raw.children(group).flatMap((name): FoundColumn[] => {
    const path = `${group}/${name}`
    const column = raw.kind(path) === 'dataset' ? columnType(raw, path) : undefined
    if (column === undefined) return []
    const { type } = raw.form(path)
    const presence = `${presenceGroup(root, branch)}/${name}`
    const comment = raw.attribute(path, SRVC.comment)
    const unit = raw.attribute(path, UNIT_ATTRIBUTE)
    return [
      {
        ...column,
        type,
        ...placeOfColumn(branch, name),
        branch,
        name,
        path,
        rowBytes: type.bytes * elementCount(column.shape),
        presence: raw.kind(presence) === 'dataset' ? presence : undefined,
        comment: typeof comment === 'string' ? comment : '',
        unit: isUnit(unit) ? unit : '',
      },
    ]
  })
}

function columnType(raw: RawReader, path: string): ColumnType | undefined {
  const { type, shape } = raw.form(path)
  const dtype = columnDtype(type, raw.attribute(path, SRVC.scalarType))
  if (dtype === undefined || shape === null || shape.length === 0) return undefined
  const form = raw.attribute(path, FORM_ATTRIBUTE) ?? 'scalar'
  return form === 'scalar' || form === 'list' || form === 'ndarray'
    ? { form, dtype, shape: shape.slice(1) }
    : undefined
}

function columnDtype(type: Datatype, scalarType: unknown): ColumnType['dtype'] | undefined {
  switch (type.kind) {
    case 'number':
      return scalarType === 'bool' ? 'bool' : (type.name as RawNumbers['dtype'])
    case 'complex':
      return type.name as RawNumbers['dtype']
    case 'string':
      return type.isVariable ? undefined : 'str'
    default:
      return undefined
  }
}
