/**
 * Columns: what runs have stored, one dataset per item, one row per run (docs/format.md, section 5). A retried run
 * overwrites its row. In the layout `tree`, they are an overview of the leaves; in the layout `columns`, a leaf whose
 * items all have a column is nowhere else.
 *
 * The rows of ended runs wait for the commit. Then neighbouring rows are written together, like those of `runs`.
 */
import { PypetError } from '../errors.ts'
import { elementType, isElementType } from '../hdf5/element-type.ts'
import type { Hdf5Operation, Hdf5Type } from '../hdf5/operation.ts'
import type { RunSet } from '../journal/run-set.ts'
import {
  columnName,
  columnPlace,
  columnsGroup,
  FORM_ATTRIBUTE,
  type Layout,
  MEMORY,
  presenceGroup,
  RUN_BRANCHES,
  RUN_FACTS,
  RUN_STATUS,
  type RunBranch,
  runName,
  SRVC,
} from '../names.ts'
import type { RawLeaf } from '../run/run-frame.ts'
import type { RowItem, RunRows } from '../run/run-rows.ts'
import { cutText } from '../values/cut-text.ts'
import type { RunIndex } from '../values/path.ts'
import {
  elementBytes,
  elementCount,
  isSameShape,
  type RawNumbers,
  type RawValue,
} from '../values/raw-value.ts'
import { isOnlyUnit, unitAnnotations, unitOf } from '../values/unit.ts'
import { annotationOperations } from './annotation-layout.ts'
import type { LayoutMemory } from './layout-memory.ts'

/** Longer texts are in leaves only. */
const TEXT_BYTES = 64
/** Values of a branch that would need more columns are in leaves only. */
const COLUMNS_MAX = 1000
/**
 * After the first stored run, so many columns may have a single value. Where each run names its results differently, a column
 * per name would take a row per run for one value.
 */
const SINGLE_COLUMNS_MAX = 64
/** Rows of a chunk. Fewer if the trajectory has fewer runs, or if a row is an array. */
const CHUNK_ROWS_MAX = 8192
/** Even if there are fewer runs: more may be added, and such a chunk is small. */
const CHUNK_ROWS_MIN = 64
const CHUNK_BYTES = 2 ** 20
/** Larger arrays are in leaves only: a row is written in one piece. */
const ROW_BYTES_MAX = 2 ** 25
/** Rows are written before the commit if they take more memory. */
const PENDING_BYTES_MAX = 2 ** 23
/** If that many rows or fewer between two rows are still to come, they are written, empty, with both. */
const GAP_ROWS_MAX = 1024

/** What the elements of a column are. */
export interface ColumnType {
  readonly form: 'scalar' | 'list' | 'ndarray'
  readonly dtype: RawNumbers['dtype'] | 'str'
  /** Of one row. */
  readonly shape: readonly number[]
}

/** A column that is in the file, as the memory records it. */
export interface StoredColumn extends ColumnType, ColumnNote {
  readonly name: string
}

/** What is said of a column once, and holds for each of its runs. */
interface ColumnNote {
  readonly comment: string
  /** Empty for none. */
  readonly unit: string
}

export interface RunFacts {
  readonly status: number
  readonly attempts: number
  /** Seconds since 1970. */
  readonly start: number
  /** Seconds. */
  readonly runtime: number
}

export interface RunColumnsOptions {
  readonly root: string
  readonly layout: Layout
  readonly runCount: number
  readonly memory: LayoutMemory
  /** Runs that the file holds already. */
  readonly ended?: EndedBefore | undefined
}

export interface EndedBefore {
  readonly stored: RunSet
  readonly failed: Iterable<RunIndex>
}

const FACT_TYPES: Readonly<Record<keyof RunFacts, ColumnType['dtype']>> = {
  status: 'int8',
  attempts: 'uint16',
  start: 'float64',
  runtime: 'float64',
}

export class RunColumns {
  readonly #layout: Layout
  readonly #branches: Readonly<Record<RunBranch, BranchColumns>>
  readonly #facts: Readonly<Record<keyof RunFacts, Column>>
  /** Of each run whose row has been written. */
  #status: Uint8Array
  #storedCount = 0
  /** Also if its row waits. */
  #hasStored = false
  /** Runs whose rows wait. */
  #waiting: { readonly run: RunIndex; readonly status: number }[] = []
  /** Of the waiting rows that are arrays. */
  #arrayBytes = 0
  /** The columns of the current run's cells. */
  #touched: Column[] = []

  constructor({ root, layout, runCount, memory, ended }: RunColumnsOptions) {
    this.#layout = layout
    const branch = (name: RunBranch) => new BranchColumns(root, name, layout, memory)
    this.#branches = { results: branch('results'), derived_parameters: branch('derived_parameters') }
    const fact = (name: keyof RunFacts) =>
      this.#branches.results.fact(RUN_FACTS[name], {
        form: 'scalar',
        dtype: FACT_TYPES[name],
        shape: NO_AXES,
      })
    this.#facts = {
      status: fact('status'),
      attempts: fact('attempts'),
      start: fact('start'),
      runtime: fact('runtime'),
    }
    this.#status = new Uint8Array(runCount)
    if (ended === undefined) return
    const ranges = ended.stored.toRanges()
    for (let index = 0; index < ranges.length; index += 2)
      this.#status.fill(RUN_STATUS.stored, ranges[index], ranges[index + 1])
    this.#storedCount = ended.stored.count
    this.#hasStored = this.#storedCount > 0
    for (const run of ended.failed) this.#setStatus(run, RUN_STATUS.failed)
  }

  /** The groups and the facts. Called by the first `commit` if not before. */
  open(): Hdf5Operation[] {
    const { results } = this.#branches
    if (results.exists) return []
    return [
      ...results.createGroup(),
      ...Object.values(this.#facts).flatMap((column) => column.create(this.#status.length)),
    ]
  }

  /** Leaves added from now on belong to one run. */
  beginRun(): void {
    this.#touched = []
  }

  /** Removes what the current run has added. */
  undoRun(): void {
    for (const column of this.#touched) {
      column.pop()
      if (column.isArray) this.#arrayBytes -= column.rowBytes
    }
    this.#touched = []
  }

  /**
   * Adds the items of a leaf that have a column.
   *
   * @returns whether the columns hold the whole leaf
   */
  add(run: RunIndex, leaf: RawLeaf): boolean {
    const branch: RunBranch = leaf.kind === 'parameter' ? 'derived_parameters' : 'results'
    const prefix = `${branch}.runs.${runName(run)}.`
    if (!leaf.location.startsWith(prefix)) return false
    const name = leaf.location.slice(prefix.length)
    const columns = this.#branches[branch]
    const note = { comment: leaf.comment, unit: unitOf(leaf.annotations) }
    let isWhole =
      leaf.userClass === undefined && isOnlyUnit(leaf.annotations, note.unit) && leaf.items.length > 0
    for (const { name: item, value } of leaf.items) {
      const key = leaf.kind === 'parameter' ? name : columnName(name, item)
      const type = columnTypeOf(value, this.#layout)
      const column =
        type && columns.columnFor(key, type, note, this.#hasStored ? SINGLE_COLUMNS_MAX : COLUMNS_MAX)
      if (column?.holdsUnit(note.unit) !== true || !column.push(run, value)) {
        isWhole = false
        continue
      }
      this.#touched.push(column)
      if (column.isArray) this.#arrayBytes += column.rowBytes
      if (!column.isNoted(note)) isWhole = false
    }
    return isWhole
  }

  /**
   * Adds the items of packed runs.
   *
   * @returns false if the columns cannot hold all of their leaves. Then nothing was added.
   */
  addRows(rows: RunRows): boolean {
    const cells: { readonly column: Column; readonly item: RowItem }[] = []
    for (const { kind, before, after, comment, unit, items } of rows.leaves) {
      const branch: RunBranch = kind === 'parameter' ? 'derived_parameters' : 'results'
      if (before !== `${branch}.runs.` || !after.startsWith('.')) return false
      for (const item of items) {
        const key = kind === 'parameter' ? after.slice(1) : columnName(after.slice(1), item.name)
        const column = this.#branches[branch].at(key)
        // The first run of an item makes its column.
        if (column?.isNoted({ comment, unit }) !== true) return false
        if (!column.takes(item) || column.rowBytes !== item.bytes) return false
        cells.push({ column, item })
      }
    }
    for (const { column, item } of cells) {
      column.pushRows(rows, item)
      if (column.isArray) this.#arrayBytes += rows.count * column.rowBytes
    }
    return true
  }

  /** The run has ended, or it is missing again. */
  end(run: RunIndex, { status, attempts, start, runtime }: RunFacts): void {
    this.#touched = []
    if (status === RUN_STATUS.stored) this.#hasStored = true
    this.#facts.status.pushNumber(run, status)
    this.#facts.attempts.pushNumber(run, Math.min(attempts, 65_535))
    this.#facts.start.pushNumber(run, start)
    this.#facts.runtime.pushNumber(run, runtime)
    this.#waiting.push({ run, status })
  }

  /**
   * Changes cells of a stored run: its leaf was written again, deleted, or has gained items.
   *
   * @param name of the leaf in its run
   * @param leaf undefined if it was deleted
   * @param isWhole items that it does not have are deleted too
   */
  amend(
    run: RunIndex,
    branch: RunBranch,
    name: string,
    leaf: RawLeaf | undefined,
    { isWhole = true }: { readonly isWhole?: boolean } = {},
  ): void {
    const columns = this.#branches[branch]
    const given = new Set<Column>()
    const note = { comment: leaf?.comment ?? '', unit: unitOf(leaf?.annotations) }
    for (const { name: item, value } of leaf?.items ?? []) {
      const type = columnTypeOf(value, this.#layout)
      const key = branch === 'derived_parameters' ? name : columnName(name, item)
      const known = columns.at(key)
      // An item of another type takes the cell of the one before.
      const fitting = type && columns.columnFor(key, type, note, COLUMNS_MAX)
      const column = fitting ?? known
      if (column === undefined) continue
      given.add(column)
      const isFitting = type !== undefined && column.takes(type) && column.holdsUnit(note.unit)
      column.amend(run, isFitting ? value : undefined)
    }
    if (!isWhole) return
    for (const column of columns.all()) {
      if (column.isFact || given.has(column) || placeOfColumn(branch, column.name).leaf !== name) continue
      column.amend(run, undefined)
    }
  }

  /** Another unit was given to a stored leaf: columns with a unit lose its values. */
  amendUnit(run: RunIndex, branch: RunBranch, name: string, unit: string): void {
    for (const column of this.#branches[branch].all()) {
      if (column.isFact || placeOfColumn(branch, column.name).leaf !== name) continue
      if (!column.holdsUnit(unit)) column.amend(run, undefined)
    }
  }

  /** The cells that `amend` has changed, after the rows of `commit`. */
  amendments(): Hdf5Operation[] {
    const before = this.#before()
    return [...this.#columns()].flatMap((column) => [...column.flushAmended(before)])
  }

  /** If rows of large arrays wait: writes them before the commit. */
  spill(): Hdf5Operation[] {
    return this.#arrayBytes > PENDING_BYTES_MAX ? this.commit() : []
  }

  /** The rows of the runs that have ended since the last call. */
  commit(): Hdf5Operation[] {
    if (this.#waiting.length === 0) return []
    const operations = this.open()
    const runs = this.#waiting.sort((one, other) => one.run - other.run)
    const segments = this.#segments(runs)
    const storedCount = runs.filter(({ status }) => status === RUN_STATUS.stored).length
    const before = this.#before()
    for (const column of this.#columns()) {
      for (const operation of column.flush(segments, storedCount, before)) operations.push(operation)
    }
    for (const { run, status } of runs) this.#setStatus(run, status)
    this.#waiting = []
    this.#arrayBytes = 0
    return operations
  }

  /** Points were added: every column gets more rows. */
  grow(runCount: number): Hdf5Operation[] {
    const status = new Uint8Array(runCount)
    status.set(this.#status)
    this.#status = status
    return [...this.#columns()].flatMap((column) => column.grow(runCount))
  }

  #before(): Before {
    return { runCount: this.#status.length, storedCount: this.#storedCount, status: this.#status }
  }

  #setStatus(run: RunIndex, status: number): void {
    if (this.#status[run] === RUN_STATUS.stored) this.#storedCount -= 1
    if (status === RUN_STATUS.stored) this.#storedCount += 1
    this.#status[run] = status
  }

  *#columns(): Generator<Column> {
    for (const branch of RUN_BRANCHES) yield* this.#branches[branch].all()
  }

  /** The rows to write, together if nothing between them is in the file. */
  #segments(runs: readonly { readonly run: RunIndex }[]): Segment[] {
    const segments: Segment[] = []
    let last: { first: RunIndex; end: RunIndex } | undefined
    for (const { run } of runs) {
      if (last !== undefined && run < last.end) continue
      if (last !== undefined && this.#isGap(last.end, run)) last.end = run + 1
      else {
        last = { first: run, end: run + 1 }
        segments.push(last)
      }
    }
    return segments
  }

  #isGap(first: RunIndex, end: RunIndex): boolean {
    if (end - first > GAP_ROWS_MAX) return false
    for (let run = first; run < end; run += 1) if (this.#status[run] !== RUN_STATUS.missing) return false
    return true
  }
}

/** Consecutive rows. */
interface Segment {
  readonly first: RunIndex
  readonly end: RunIndex // exclusive
}

class BranchColumns {
  readonly #group: string
  readonly #presence: string
  readonly #branch: RunBranch
  readonly #layout: Layout
  readonly #memory: LayoutMemory
  readonly #columns = new Map<string, Column>()
  #exists: boolean
  #hasPresence: boolean

  constructor(root: string, branch: RunBranch, layout: Layout, memory: LayoutMemory) {
    this.#branch = branch
    this.#layout = layout
    this.#memory = memory
    this.#group = columnsGroup(root, branch, layout)
    this.#presence = presenceGroup(root, branch)
    const recorded = memory.recordedTexts(MEMORY.columnsOf(branch))
    const present = new Set(memory.recordedTexts(MEMORY.presenceOf(branch)))
    this.#exists = recorded.length > 0
    this.#hasPresence = present.size > 0
    for (const text of recorded) {
      const { name, comment, unit, ...type } = columnOfText(text)
      const state = { isInFile: true, hasPresence: present.has(name) }
      this.#columns.set(name, new Column(this, name, type, { comment, unit }, state))
    }
  }

  get exists(): boolean {
    return this.#exists
  }

  get isData(): boolean {
    return this.#layout === 'columns'
  }

  all(): Iterable<Column> {
    return this.#columns.values()
  }

  pathOf(name: string): string {
    return `${this.#group}/${name}`
  }

  presenceOf(name: string): string {
    return `${this.#presence}/${name}`
  }

  fact(name: string, type: ColumnType): Column {
    return this.#columns.get(name) ?? this.#add(name, type, { comment: '', unit: '' })
  }

  #add(name: string, type: ColumnType, note: ColumnNote): Column {
    const column = new Column(this, name, type, note, { isInFile: false, hasPresence: false })
    this.#columns.set(name, column)
    return column
  }

  at(name: string): Column | undefined {
    return this.#columns.get(name)
  }

  /**
   * The column of an item. Undefined if it holds another type, or if there are too many.
   *
   * @param singleMax how many columns of this process may have a single value
   */
  columnFor(name: string, type: ColumnType, note: ColumnNote, singleMax: number): Column | undefined {
    const known = this.#columns.get(name)
    if (known !== undefined) return known.takes(type) ? known : undefined
    if (this.#columns.size >= COLUMNS_MAX) return undefined
    let singleCount = 0
    for (const { isSingle } of this.#columns.values()) if (isSingle) singleCount += 1
    return singleCount >= singleMax ? undefined : this.#add(name, type, note)
  }

  createGroup(): Hdf5Operation[] {
    if (this.#exists) return []
    this.#exists = true
    const path = this.#group
    const operations: Hdf5Operation[] = [{ type: 'create-group', path }]
    if (!this.isData) return operations
    // pypet loads it as one result.
    return [
      ...operations,
      { type: 'create-attribute', path, name: SRVC.class, value: 'Result' },
      { type: 'create-attribute', path, name: SRVC.leaf, value: true },
      { type: 'create-attribute', path, name: SRVC.comment, value: 'One row per run, one item per column.' },
    ]
  }

  createPresenceGroup(): Hdf5Operation[] {
    if (this.#hasPresence) return []
    this.#hasPresence = true
    return [{ type: 'create-group', path: this.#presence }]
  }

  noteColumn(column: StoredColumn): void {
    this.#memory.add(MEMORY.columnsOf(this.#branch), columnText(column))
  }

  notePresence(name: string): void {
    this.#memory.add(MEMORY.presenceOf(this.#branch), name)
  }
}

interface Before {
  readonly runCount: number
  readonly storedCount: number
  readonly status: Uint8Array
}

class Column {
  readonly name: string
  readonly #note: ColumnNote
  readonly #branch: BranchColumns
  readonly #type: ColumnType
  readonly #elementType: Hdf5Type
  readonly #rowBytes: number
  #isInFile: boolean
  #hasPresence: boolean
  #runs: RunIndex[] = []
  /** As far as it matters: 2 for one that was there before. */
  #valueCount: number
  #bytes = new Uint8Array(0)
  #view = new DataView(this.#bytes.buffer)
  /** New cells of runs whose rows are in the file. Undefined for none. */
  readonly #amended = new Map<RunIndex, Uint8Array | undefined>()

  constructor(
    branch: BranchColumns,
    name: string,
    type: ColumnType,
    note: ColumnNote,
    { isInFile, hasPresence }: { readonly isInFile: boolean; readonly hasPresence: boolean },
  ) {
    this.#branch = branch
    this.name = name
    this.#type = type
    this.#note = note
    this.#elementType = type.dtype === 'str' ? TEXT : elementType(type.dtype)
    this.#rowBytes = this.#elementType.bytes * elementCount(type.shape)
    this.#isInFile = isInFile
    this.#hasPresence = hasPresence
    this.#valueCount = isInFile ? 2 : 0
  }

  get isFact(): boolean {
    return this.name.startsWith('_')
  }

  /** It is new, and has one value at most. */
  get isSingle(): boolean {
    return !this.isFact && this.#valueCount < 2
  }

  get isArray(): boolean {
    return this.#type.shape.length > 0
  }

  get rowBytes(): number {
    return this.#rowBytes
  }

  takes({ form, dtype, shape }: ColumnType): boolean {
    const own = this.#type
    return form === own.form && dtype === own.dtype && isSameShape(shape, own.shape)
  }

  /** Whether this is all that a leaf of the column has besides its items. */
  isNoted({ comment, unit }: ColumnNote): boolean {
    return comment === this.#note.comment && unit === this.#note.unit
  }

  /** Readers of the column take its unit for that of every value. Without one, it says nothing. */
  holdsUnit(unit: string): boolean {
    return this.#note.unit === '' || this.#note.unit === unit
  }

  /** Adds a cell. False if it is a text that does not fit. */
  push(run: RunIndex, value: RawValue): boolean {
    const at = this.#room()
    if (!putCell(this.#bytes.subarray(at, at + this.#rowBytes), value)) return false
    this.#runs.push(run)
    this.#valueCount += 1
    return true
  }

  /** Adds the cells of an item of this type. */
  pushRows(rows: RunRows, { offset, bytes }: RowItem): void {
    for (let row = 0; row < rows.count; row += 1) {
      const at = this.#room()
      const start = row * rows.rowBytes + offset
      this.#bytes.set(rows.bytes.subarray(start, start + bytes), at)
      this.#runs.push(rows.first + row)
    }
    this.#valueCount += rows.count
  }

  /** @param value undefined for none */
  amend(run: RunIndex, value: RawValue | undefined): void {
    const cell = value && new Uint8Array(this.#rowBytes)
    const isFitting = cell !== undefined && putCell(cell, value as RawValue)
    if (isFitting || this.#isInFile) this.#amended.set(run, isFitting ? cell : undefined)
  }

  pushNumber(run: RunIndex, number: number): void {
    const at = this.#room()
    const view = this.#view
    if (this.#type.dtype === 'float64') view.setFloat64(at, number, true)
    else if (this.#type.dtype === 'uint16') view.setUint16(at, number, true)
    else view.setInt8(at, number)
    this.#runs.push(run)
  }

  /** Removes the last cell. */
  pop(): void {
    this.#runs.pop()
    this.#valueCount -= 1
  }

  #room(): number {
    const at = this.#runs.length * this.#rowBytes
    if (at + this.#rowBytes > this.#bytes.byteLength) {
      // Rows of large arrays are written after a few.
      const least = this.isArray ? this.#rowBytes : 16 * this.#rowBytes
      const larger = new Uint8Array(Math.max(2 * this.#bytes.byteLength, least, 256))
      larger.set(this.#bytes)
      this.#replaceBytes(larger)
    }
    return at
  }

  #replaceBytes(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }

  create(runCount: number): Hdf5Operation[] {
    const { form, dtype, shape } = this.#type
    const path = this.#branch.pathOf(this.name)
    this.#isInFile = true
    const { comment, unit } = this.#note
    this.#branch.noteColumn({ ...this.#type, name: this.name, comment, unit })
    const operations = [dataset(path, this.#elementType, runCount, shape)]
    const attribute = (name: string, value: string) => {
      operations.push({ type: 'create-attribute', path, name, value })
    }
    if (this.#branch.isData) {
      attribute(SRVC.store, 'ARRAY')
      attribute(SRVC.collection, 'COLL_NDARRAY')
      if (comment !== '') attribute(SRVC.comment, comment)
    }
    if (dtype === 'str' || dtype === 'bool') attribute(SRVC.scalarType, dtype)
    if (form !== 'scalar') attribute(FORM_ATTRIBUTE, form)
    return [...operations, ...annotationOperations(path, unitAnnotations(unit).annotations ?? [])]
  }

  /** Writes the waiting cells, and for each row whether it has one. */
  *flush(segments: readonly Segment[], storedCount: number, before: Before): Generator<Hdf5Operation> {
    const { isFact } = this
    if (!this.#isInFile) {
      if (this.#runs.length === 0) return
      yield* this.#branch.createGroup()
      yield* this.create(before.runCount)
      yield* this.#fillBackwards(before)
      if (!isFact && before.storedCount > 0) yield* this.#createPresence(before.runCount)
    }
    const hasGaps = !isFact && this.#runs.length < storedCount
    if (hasGaps && !this.#hasPresence) {
      yield* this.#createPresence(before.runCount)
      yield* this.#presentBefore(before.status)
    }
    // Rows of arrays are written for the runs that have one: an empty row would take as much space.
    const own = this.isArray ? consecutive(this.#runs, this.#rowBytes) : segments
    for (const [number, cells] of this.#cells(own).entries())
      yield this.#rows((own[number] as Segment).first, cells)
    if (this.#hasPresence) {
      const present = new Set(this.#runs)
      for (const { first, end } of segments) {
        const flags = Uint8Array.from({ length: end - first }, (_, at) => (present.has(first + at) ? 1 : 0))
        yield rowsOf(this.#branch.presenceOf(this.name), first, flags, [])
      }
    }
    this.#runs = []
    if (this.#bytes.byteLength > PENDING_BYTES_MAX) this.#replaceBytes(new Uint8Array(0))
  }

  *flushAmended(before: Before): Generator<Hdf5Operation> {
    if (this.#amended.size === 0) return
    const isNew = !this.#isInFile
    if (isNew) {
      yield* this.#branch.createGroup()
      yield* this.create(before.runCount)
      yield* this.#fillBackwards(before)
    }
    const hasGaps = isNew || [...this.#amended.values()].includes(undefined)
    if (hasGaps && !this.#hasPresence) {
      yield* this.#createPresence(before.runCount)
      if (!isNew) yield* this.#presentBefore(before.status)
    }
    for (const { first, end } of consecutive(this.#amended.keys(), this.#rowBytes)) {
      const cells = this.#absent(end - first)
      const flags = new Uint8Array(end - first)
      for (let run = first; run < end; run += 1) {
        const cell = this.#amended.get(run)
        if (cell === undefined) continue
        cells.set(cell, (run - first) * this.#rowBytes)
        flags[run - first] = 1
      }
      yield this.#rows(first, cells)
      if (this.#hasPresence) yield rowsOf(this.#branch.presenceOf(this.name), first, flags, [])
    }
    this.#amended.clear()
  }

  grow(runCount: number): Hdf5Operation[] {
    const operations: Hdf5Operation[] = []
    const path = this.#branch.pathOf(this.name)
    if (this.#isInFile)
      operations.push({ type: 'resize-table', path, rowCount: runCount, rowShape: this.#type.shape })
    const presence = this.#branch.presenceOf(this.name)
    if (this.#hasPresence) operations.push({ type: 'resize-table', path: presence, rowCount: runCount })
    return operations
  }

  /** The rows of each segment. */
  #cells(segments: readonly Segment[]): Uint8Array[] {
    const rows = segments.map(({ first, end }) => this.#absent(end - first))
    const runs = this.#runs
    for (let at = 0; at < runs.length; ) {
      const run = runs[at] as RunIndex
      const number = segmentOf(segments, run)
      const { first, end } = segments[number] as Segment
      // Most runs follow each other.
      let count = 1
      while (run + count < end && runs[at + count] === run + count) count += 1
      const cells = this.#bytes.subarray(at * this.#rowBytes, (at + count) * this.#rowBytes)
      rows[number]?.set(cells, (run - first) * this.#rowBytes)
      at += count
    }
    return rows
  }

  #rows(first: RunIndex, bytes: Uint8Array): Hdf5Operation {
    return rowsOf(this.#branch.pathOf(this.name), first, bytes, this.#type.shape, this.#rowBytes)
  }

  /** Rows without a value: NaN, 0 or an empty text. */
  #absent(rowCount: number): Uint8Array {
    const { dtype, shape } = this.#type
    const bytes = new Uint8Array(rowCount * this.#rowBytes)
    const count = rowCount * elementCount(shape)
    if (dtype === 'float64') new Float64Array(bytes.buffer).fill(Number.NaN)
    else if (dtype === 'float32') new Float32Array(bytes.buffer).fill(Number.NaN)
    else if (dtype === 'complex128') new Float64Array(bytes.buffer, 0, 2 * count).fill(Number.NaN)
    else if (dtype === 'complex64') new Float32Array(bytes.buffer, 0, 2 * count).fill(Number.NaN)
    return bytes
  }

  /** Runs that ended before the column existed have no number, not the number 0. */
  *#fillBackwards({ status }: Before): Generator<Hdf5Operation> {
    if (this.isArray || !/^(float|complex)/.test(this.#type.dtype)) return
    const rowsMax = Math.max(1, Math.floor(CHUNK_BYTES / this.#rowBytes))
    for (const { first, end } of filled(status, rowsMax)) yield this.#rows(first, this.#absent(end - first))
  }

  *#createPresence(runCount: number): Generator<Hdf5Operation> {
    yield* this.#branch.createPresenceGroup()
    this.#hasPresence = true
    this.#branch.notePresence(this.name)
    yield dataset(this.#branch.presenceOf(this.name), elementType('uint8'), runCount, [])
  }

  /** So far, all stored runs had a value. */
  *#presentBefore(status: Uint8Array): Generator<Hdf5Operation> {
    const path = this.#branch.presenceOf(this.name)
    for (const { first, end } of filled(status, CHUNK_BYTES)) {
      const flags = status.subarray(first, end).map((each) => (each === RUN_STATUS.stored ? 1 : 0))
      yield rowsOf(path, first, flags, [])
    }
  }
}

const TEXT: Hdf5Type = { kind: 'string', bytes: TEXT_BYTES, charset: 'utf8' }

/** These rows, together where they follow each other and are not too large. */
function consecutive(runs: Iterable<RunIndex>, rowBytes: number): Segment[] {
  const rowsMax = Math.max(1, Math.floor(PENDING_BYTES_MAX / rowBytes))
  const segments: { first: RunIndex; end: RunIndex }[] = []
  for (const run of [...runs].sort((one, other) => one - other)) {
    const last = segments.at(-1)
    if (last !== undefined && last.end === run && run - last.first < rowsMax) last.end = run + 1
    else segments.push({ first: run, end: run + 1 })
  }
  return segments
}

/** The number of the segment that holds a run. */
function segmentOf(segments: readonly Segment[], run: RunIndex): number {
  let [low, high] = [0, segments.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((segments[middle] as Segment).first <= run) low = middle
    else high = middle - 1
  }
  return low
}

/** Ended runs, in segments of at most `rowsMax`. */
function* filled(status: Uint8Array, rowsMax: number): Generator<Segment> {
  for (let run = 0; run < status.length; ) {
    if (status[run] === RUN_STATUS.missing) run += 1
    else {
      const first = run
      while (run < status.length && run - first < rowsMax && status[run] !== RUN_STATUS.missing) run += 1
      yield { first, end: run }
    }
  }
}

function dataset(path: string, type: Hdf5Type, runCount: number, rowShape: readonly number[]): Hdf5Operation {
  const rowBytes = type.bytes * elementCount(rowShape)
  const isArray = rowShape.length > 0
  const rows = Math.min(CHUNK_ROWS_MAX, isArray ? runCount : Math.max(runCount, CHUNK_ROWS_MIN))
  return {
    type: 'create-dataset',
    path,
    elementType: type,
    shape: [runCount, ...rowShape],
    maxShape: [null, ...rowShape],
    chunks: [Math.max(1, Math.min(rows, Math.floor(CHUNK_BYTES / rowBytes))), ...rowShape],
  }
}

function rowsOf(
  path: string,
  first: RunIndex,
  bytes: Uint8Array,
  rowShape: readonly number[],
  rowBytes = 1,
): Hdf5Operation {
  return {
    type: 'write-box',
    path,
    offset: [first, ...rowShape.map(() => 0)],
    count: [bytes.byteLength / rowBytes, ...rowShape],
    bytes,
  }
}

/** A column as a text of the memory: `ndarray float64 1000,2 trace`, a NUL, the comment, and after a NUL the unit, if any. */
export function columnText({ form, dtype, shape, name, comment, unit }: StoredColumn): string {
  return `${form} ${dtype} ${shape.join(',')} ${name}\0${comment}${unit === '' ? '' : `\0${unit}`}`
}

/** The inverse of `columnText`. @throws PypetError `PYPET_CNT_DAMAGED` */
function columnOfText(text: string): StoredColumn {
  const found = COLUMN_TEXT.exec(text)
  const { form, dtype, shape: sizes = '', name, comment, unit = '' } = found?.groups ?? {}
  const shape = sizes === '' ? [] : sizes.split(',').map(Number)
  const isKnown = dtype === 'str' ? form === 'scalar' : dtype !== undefined && isElementType(dtype)
  if (!isKnown || name === undefined || elementCount(shape) > ROW_BYTES_MAX) {
    const hint = 'Restore the .cnt file and its HDF5 file from the same backup.'
    throw new PypetError(
      'PYPET_CNT_DAMAGED',
      `the .cnt file remembers ${JSON.stringify(cutText(text, 60))}, which is not a column`,
      { hint },
    )
  }
  return { form, dtype, shape, name, comment, unit } as StoredColumn
}

const COLUMN_TEXT =
  /^(?<form>scalar|list|ndarray) (?<dtype>\w+) (?<shape>(?:\d+(?:,\d+)*)?) (?<name>[\w.:-]+)\0(?<comment>[^\0]*)(?:\0(?<unit>[^\0]*))?$/

/** The column that a value needs. Undefined if there is none for it. */
function columnTypeOf(value: RawValue, layout: Layout): ColumnType | undefined {
  switch (value.form) {
    case 'scalar':
      if (value.dtype === 'bytes' || value.isTuple === true) return undefined
      return { form: 'scalar', dtype: value.dtype, shape: NO_AXES }
    case 'list':
    case 'ndarray': {
      if (layout === 'tree' || 'texts' in value) return undefined
      if (value.isTuple === true || value.isMatrix === true || value.isNested === true) return undefined
      const { form, dtype, shape } = value
      const rowBytes = elementBytes(dtype) * elementCount(shape)
      return rowBytes > 0 && rowBytes <= ROW_BYTES_MAX ? { form, dtype, shape } : undefined
    }
    default:
      return undefined
  }
}

const NO_AXES: readonly number[] = []

const encoder = new TextEncoder()

/** False if it is a text that does not fit. */
function putCell(room: Uint8Array, value: RawValue): boolean {
  if ('texts' in value) return putText(room, value.texts[0] ?? '')
  if ('bytes' in value) room.set(value.bytes)
  return true
}

/** False if the text is too long, or if its end would be lost. */
function putText(room: Uint8Array, text: string): boolean {
  if (text.length > room.byteLength || text.includes('\0')) return false
  const { read, written } = encoder.encodeInto(text, room)
  if (read < text.length || (written === room.byteLength && text.endsWith(' '))) return false
  room.fill(0, written)
  return true
}

/**
 * Checks that a node is not where the columns are.
 *
 * @throws PypetError `PYPET_NAME_TAKEN`
 */
export function assertNoColumns(fullName: string, layout: Layout): void {
  if (layout !== 'columns') return
  const branch = RUN_BRANCHES.find((each) => `${fullName}.`.startsWith(`${each}.columns.`))
  if (branch === undefined) return
  throw new PypetError(
    'PYPET_NAME_TAKEN',
    `${fullName} cannot be stored: ${branch}.columns holds the columns`,
    {
      where: fullName,
      hint: 'Choose another name, or use the layout tree.',
    },
  )
}

/** The leaf and the item of a column: the item of a parameter is `data`. */
export function placeOfColumn(
  branch: RunBranch,
  name: string,
): { readonly leaf: string; readonly item: string } {
  return branch === 'derived_parameters' ? { leaf: name, item: 'data' } : columnPlace(name)
}
