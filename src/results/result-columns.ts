/**
 * Results and derived parameters of runs as columns. They are read from columns where the file has the values there only,
 * and from the leaves below the runs otherwise. Another program may have changed a leaf without its column, so a leaf
 * comes first.
 */

import type { RunSet } from '../journal/run-set.ts'
import {
  overviewPath,
  RUN_BRANCHES,
  RUN_STATUS,
  type RunBranch,
  runlessName,
  runName,
  runOfName,
  runSetName,
  SRVC,
  TYPE_ATTRIBUTE,
} from '../names.ts'
import type { ColumnSet, FoundColumn } from '../reading/column-set.ts'
import { isLeaf, isPickled, itemPlaces, textAttribute } from '../reading/leaf-place.ts'
import { readLeaf } from '../reading/leaf-reader.ts'
import { walkLeaves } from '../reading/leaf-walk.ts'
import { elementTypeOf, readValue } from '../reading/read-value.ts'
import type { Hdf5Reader } from '../reading/reader.ts'
import { readDefault } from '../reading/stored-leaf.ts'
import type { RunIndex } from '../values/path.ts'
import type { StoredValue } from '../values/stored-value.ts'
import type { TypedArray } from '../values/typed-array.ts'
import {
  type ArrayDtype,
  blockOf,
  type ColumnType,
  commonType,
  emptyArray,
  fitsFloat64,
  isBig,
  isFloating,
  MIXED,
  presenceOf,
  sliceRows,
  storedAt,
  typeOfValue,
} from './block.ts'
import type { ColumnBlock } from './column.ts'
import type { ColumnSource } from './column-source.ts'
import { typeOfBlock, unitOf } from './parameter-columns.ts'
import type { RunStates } from './run-states.ts'

/** Runs below which results are looked for: the first, the middle and the last one. */
const SAMPLED = 3
/** Rows of the summary that are looked at; pypet writes at most a thousand. */
const SUMMARY_ROWS_MAX = 1000

/** Runs whose units are looked at. */
const UNITS_CHECKED_MAX = 1000

/** An item of a leaf, at the same place in every run. */
interface Item {
  readonly branch: RunBranch
  /** Full name of the leaf, with `$` and `$set`: `results.runs.$.neuron`. */
  readonly template: string
  readonly item: string
  /** Below the leaf: `rate`, `inner/a`, `m__spsp__`. */
  readonly itemPath: string
}

interface FoundItem extends Item, ColumnType {
  readonly comment: string
  readonly unit: string
  /** Whether every run that was looked at has it. */
  readonly isUsual: boolean
}

/** Which items were found, without their values. Still true of later commits, in which there may be more. */
export type ResultSurvey = ReadonlyMap<string, FoundItem>

export interface ResultColumnsOptions {
  /** Runs whose columns are known to be as their leaves. */
  readonly fresh?: RunSet | undefined
  /** Of an earlier commit. Nothing else is looked for at first. */
  readonly survey?: ResultSurvey | undefined
}

export class ResultColumns {
  readonly #reader: Hdf5Reader
  readonly #root: string
  readonly #states: RunStates
  /** Only where the columns are the results. */
  readonly #set: ColumnSet | undefined
  /** Where they repeat what is in the tree. */
  readonly #copies: { readonly set: ColumnSet; readonly fresh: RunSet } | undefined
  /** Runs that have a group of their own in the file although their results are in columns. */
  readonly #realRuns: Partial<Record<RunBranch, readonly RunIndex[]>> = {}
  readonly #runSets: Partial<Record<RunBranch, ReadonlySet<RunIndex>>> = {}
  readonly #items: Map<string, FoundItem> = new Map()

  /** @param root path of the trajectory: `/T` */
  constructor(reader: Hdf5Reader, root: string, states: RunStates, { fresh, survey }: ResultColumnsOptions) {
    this.#reader = reader
    this.#root = root
    this.#states = states
    const set = reader.columns(root.slice(1))
    this.#set = set?.layout === 'columns' ? set : undefined
    this.#copies = set?.layout === 'tree' && fresh !== undefined ? { set, fresh } : undefined
    if (survey !== undefined) {
      this.#items = new Map(survey)
      return
    }
    this.#findInColumns(set)
    for (const branch of RUN_BRANCHES) this.#findInRuns(branch, this.#sampledRuns(branch))
    for (const branch of RUN_BRANCHES) this.#findInSummary(branch)
  }

  get survey(): ResultSurvey {
    return this.#items
  }

  /** Looks below this run: it may have what no sampled run has. */
  findIn(run: RunIndex): void {
    for (const branch of RUN_BRANCHES) this.#visit(branch, [run])
  }

  /** Looks below every run: some may have what no sampled run has. */
  findAll(): void {
    for (const branch of RUN_BRANCHES) this.#findInRuns(branch, this.#runsBelow(branch))
  }

  sources(): ColumnSource[] {
    return [...this.#items.values()].map((item) => this.#source(item))
  }

  #source(found: FoundItem): ColumnSource {
    const { branch, template, item, dtype, shape, comment } = found
    const column = columnOf(found, this.#set)
    const leaves = new LeafColumn(this.#reader, this.#root, found, {
      runCount: this.#states.total,
      runs: () => this.#runSetOf(branch),
    })
    const place = template.replace(/^(\w+)\.runs\.\$\./, '').replace(/^(?:results|derived_parameters)\./, '')
    const last = place.slice(place.lastIndexOf('.') + 1)
    const shortName = branch === 'results' && item !== last ? `${place}.${item}` : place
    const facts = {
      fullName: `${branch}.${shortName}`,
      shortName,
      kind: branch === 'results' ? ('result' as const) : ('derived parameter' as const),
      dtype,
      shape,
      comment,
      isExplored: false,
    }
    let units: string | undefined
    const unitOnce = () => {
      units ??= this.#unitsOf(found, leaves)
      return units
    }
    if (column === undefined) {
      return {
        ...facts,
        isLong: leaves.isLong,
        get unit() {
          return unitOnce()
        },
        read: (start, end) => this.#leavesOrCopies(found, leaves, start, end),
        findType: () => leaves.type(),
      }
    }
    const set = this.#set as ColumnSet
    return {
      ...facts,
      get unit() {
        return unitOnce()
      },
      isComplete: () =>
        set.runCount >= this.#states.total &&
        set.isEveryRunStored &&
        set.presenceOf(column) === undefined &&
        this.#runsBelow(branch).length === 0 &&
        !this.#reader.raw.hasDeleted(this.#root),
      read: (start, end) =>
        this.#overlaid(columnBlock(this.#reader, set, column, start, end), leaves, start, end),
      findType: () => {
        const own = { dtype, shape }
        const type = leaves.typeIn(this.#runsBelow(branch), own) ?? own
        if (!isFloating(type.dtype) || !isBig(dtype)) return type
        const { values } = columnBlock(this.#reader, set, column, 0, this.#states.total)
        const data = values as TypedArray
        return fitsFloat64({ form: 'ndarray', dtype: column.dtype, shape: [data.length], data })
          ? type
          : { ...type, dtype: 'mixed' }
      },
    }
  }

  /** All units of its values, `mV | V` if runs differ. A column of the file holds values with one unit only. */
  #unitsOf(found: FoundItem, leaves: LeafColumn): string {
    const { branch, unit } = found
    if (unit === '') return unit
    const set = this.#reader.columns(this.#root.slice(1))
    const column = columnOf(found, set)
    if (set === undefined || column === undefined) return unit
    const others = this.#runsBelow(branch).filter((run) => !set.has(column, run) && leaves.exists(run))
    const units = others.slice(0, UNITS_CHECKED_MAX).map((run) => leaves.unitIn(run))
    return [...new Set([unit, ...units])].filter(Boolean).join(' | ')
  }

  /** One read for many runs, where one for each would give the same. */
  #leavesOrCopies(found: FoundItem, leaves: LeafColumn, start: RunIndex, end: RunIndex): ColumnBlock {
    const column = columnOf(found, this.#copies?.set)
    if (this.#copies === undefined || column === undefined) return leaves.read(start, end)
    const { set, fresh } = this.#copies
    const copyAt = storedAt(columnBlock(this.#reader, set, column, start, end))
    return leaves.readExcept(start, end, (run) => (fresh.has(run) ? copyAt(run - start) : undefined))
  }

  /** Leaves below their runs come first, and deleted ones are gone. */
  #overlaid(block: ColumnBlock, leaves: LeafColumn, start: RunIndex, end: RunIndex): ColumnBlock {
    const { branch } = leaves.item
    const below = this.#runsBelow(branch)
    const isBelow = this.#runSetOf(branch)
    // One row is often read alone.
    const candidates =
      end - start < below.length
        ? Array.from({ length: end - start }, (_, at) => start + at).filter((run) => isBelow.has(run))
        : below.filter((run) => run >= start && run < end)
    const changed = candidates.filter((run) => leaves.exists(run))
    const deleted = this.#reader.raw.hasDeleted(this.#root)
      ? Array.from({ length: end - start }, (_, at) => start + at).filter((run) => leaves.isDeleted(run))
      : []
    if (changed.length === 0 && deleted.length === 0) return block
    const storedOf = storedAt(block)
    const values = Array.from({ length: end - start }, (_, row) => storedOf(row))
    for (const run of deleted) values[run - start] = undefined
    for (const run of changed) values[run - start] = leaves.valueOf(run)
    return blockOf(values, leaves.declared)
  }

  #runsBelow(branch: RunBranch): readonly RunIndex[] {
    const group = `${this.#root}/${branch}/runs`
    const reader = this.#reader.raw
    this.#realRuns[branch] ??= (
      reader.kind(`${this.#root}/${branch}`) === 'group' && reader.kind(group) === 'group'
        ? reader.children(group)
        : []
    ).flatMap((name) => {
      const run = runOfName(name)
      return run === undefined || run >= this.#states.total ? [] : [run]
    })
    return this.#realRuns[branch]
  }

  #runSetOf(branch: RunBranch): ReadonlySet<RunIndex> {
    this.#runSets[branch] ??= new Set(this.#runsBelow(branch))
    return this.#runSets[branch]
  }

  #sampledRuns(branch: RunBranch): readonly RunIndex[] {
    const runs = this.#runsBelow(branch)
    const last = runs.length - 1
    const places = Array.from({ length: SAMPLED }, (_, at) => Math.round((at * last) / (SAMPLED - 1)))
    return last < 0 ? [] : [...new Set(places)].map((place) => runs[place] as RunIndex)
  }

  #findInColumns(set: ColumnSet | undefined): void {
    for (const column of set?.columns ?? []) {
      const { branch, leaf, item, dtype, shape, comment } = column
      if (leaf.startsWith('_')) continue
      const { unit } = column
      const template = `${branch}.runs.$.${leaf}`
      const isUsual = column.presence === undefined
      this.#add({ branch, template, item, itemPath: item, dtype, shape, comment, unit, isUsual })
    }
  }

  #findInRuns(branch: RunBranch, runs: readonly RunIndex[]): void {
    const counts = this.#visit(branch, runs)
    for (const [key, item] of this.#items) {
      const isUsual = counts.get(item.template) === runs.length
      if (isUsual && !item.isUsual) this.#items.set(key, { ...item, isUsual })
    }
  }

  /** Adds the leaves below these runs. How many of the runs have each. */
  #visit(branch: RunBranch, runs: readonly RunIndex[]): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const run of runs) {
      walkLeaves(this.#reader, `${this.#root}/${branch}/runs/${runName(run)}`, ({ path }, name) => {
        const template = runlessName(`${branch}.runs.${runName(run)}.${name}`)
        counts.set(template, (counts.get(template) ?? 0) + 1)
        this.#addLeaf(branch, path, template)
      })
    }
    return counts
  }

  /** Results that `$` puts elsewhere, and those that no sampled run has. */
  #findInSummary(branch: RunBranch): void {
    const table = overviewPath(this.#root, `${branch}_summary`)
    if (this.#reader.kind(table) !== 'dataset') return
    const names: string[] = []
    this.#reader.scanRows(
      table,
      ['location', 'name'],
      (_, [location, name]) => names.push(`${location}.${name}`),
      { start: 0, end: SUMMARY_ROWS_MAX },
    )
    for (const fullName of names) {
      const template = runlessName(fullName)
      if (template !== fullName)
        this.#addLeaf(branch, `${this.#root}/${fullName.replaceAll('.', '/')}`, template)
    }
  }

  #addLeaf(branch: RunBranch, path: string, template: string): void {
    if (this.#reader.kind(path) !== 'group') return
    const leaf = readLeaf(this.#reader, path)
    if (leaf === undefined) return
    const unit = unitOf(this.#reader, path)
    const { comment, className } = leaf
    const found = { branch, template, comment, unit, isUsual: false }
    if (branch === 'derived_parameters') {
      const value = readDefault(this.#reader, path, className)
      const type = value === undefined ? MIXED : typeOfValue(value)
      this.#add({ ...found, item: 'data', itemPath: 'data', ...type })
      return
    }
    for (const place of itemPlaces(this.#reader, path, { entersRecords: false })) {
      const type = itemType(this.#reader, place.path, className)
      this.#add({ ...found, item: place.name, itemPath: place.path.slice(path.length + 1), ...type })
    }
  }

  #add(item: FoundItem): void {
    const key = `${item.template}:${item.item}`
    const known = this.#items.get(key)
    if (known === undefined) this.#items.set(key, item)
    else if (known.comment === '' && item.comment !== '')
      this.#items.set(key, { ...known, comment: item.comment })
  }
}

/** The type of an item as it is stored, without reading its elements. */
function itemType(reader: Hdf5Reader, path: string, className: string): ColumnType {
  if (reader.kind(path) !== 'dataset' || isPickled(className)) return MIXED
  // Dates are shown as texts.
  if (reader.attribute(path, TYPE_ATTRIBUTE) === 'date') return { dtype: 'str', shape: [] }
  const form = reader.form(path)
  const dtype = form.shape === null ? undefined : elementTypeOf(reader, path, form)
  return dtype === undefined || form.shape === null ? MIXED : { dtype, shape: form.shape }
}

/** The column of an item. Undefined if it is not below its run, or has none. */
function columnOf({ branch, template, item }: Item, set: ColumnSet | undefined): FoundColumn | undefined {
  if (set === undefined || !template.startsWith(`${branch}.runs.$.`)) return undefined
  const leaf = template.slice(`${branch}.runs.$.`.length)
  return set.columns.find(
    (column) => column.branch === branch && column.leaf === leaf && column.item === item,
  )
}

/** The bytes of rows of a column, `count` of them in the file. The others are 0. */
function rowsOf(
  reader: Hdf5Reader,
  { path, rowBytes }: FoundColumn,
  start: RunIndex,
  end: RunIndex,
  count: number,
): Uint8Array {
  if (count > 0 && count === end - start) return reader.raw.rows(path, start, count)
  const bytes = new Uint8Array((end - start) * rowBytes)
  if (count > 0) bytes.set(reader.raw.rows(path, start, count))
  return bytes
}

/** Rows of a column of the file. */
function columnBlock(
  reader: Hdf5Reader,
  set: ColumnSet,
  column: FoundColumn,
  start: RunIndex,
  end: RunIndex,
): ColumnBlock {
  const count = Math.max(0, Math.min(end, set.runCount) - start)
  const bytes = rowsOf(reader, column, start, end, count)
  const [statuses, flags] = [set.statuses(), set.presenceOf(column)]
  const hasAll = count === end - start && flags === undefined && set.isEveryRunStored
  const present = hasAll
    ? undefined
    : presenceOf(
        end - start,
        (row) =>
          statuses[start + row] === RUN_STATUS.stored && (flags === undefined || flags[start + row] === 1),
      )
  const { dtype, shape, form } = column
  if (dtype === 'str') {
    const values = fixedTexts(bytes, column.rowBytes, end - start)
    return { present, form: 'text', values }
  }
  const values = viewOf(dtype, bytes)
  if (form !== 'scalar') {
    const size = values.length / Math.max(1, end - start)
    if (present !== undefined && isFloating(dtype)) {
      // Like single numbers. The file has 0 there.
      for (const [row, has] of present.entries())
        if (has === 0) values.fill(Number.NaN as never, row * size, (row + 1) * size)
    }
    return { present, form: 'array', dtype, shape, values }
  }
  if (dtype === 'bool') return { present, form: 'bool', values: values as Uint8Array }
  if (dtype === 'complex128' || dtype === 'complex64')
    return { present, form: 'complex', dtype, values: values as Float64Array }
  return { present, form: 'number', dtype, values }
}

function viewOf(dtype: ArrayDtype, bytes: Uint8Array): TypedArray {
  const make = emptyArray(dtype, 0).constructor as new (buffer: ArrayBufferLike) => TypedArray
  return new make(bytes.buffer)
}

/** NUL-padded UTF-8 texts of equal width. */
function fixedTexts(bytes: Uint8Array, width: number, count: number): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: count }, (_, row) => {
    const start = row * width
    let end = start
    while (end < start + width && buffer[end] !== 0) end += 1
    return buffer.toString('utf8', start, end)
  })
}

/** For fewer rows than this share of all, the others are not read. */
const FEW_SHARE = 16

/** One item of the leaves below the runs. */
class LeafColumn {
  readonly item: Item
  readonly #reader: Hdf5Reader
  readonly #root: string
  readonly #runCount: number
  /** Single values of all runs, read once. */
  #block: ColumnBlock | undefined
  readonly declared: ColumnType
  readonly #isSingle: boolean
  /** See `ColumnType`. */
  readonly isLong: boolean
  /** The default of a parameter is stored in another way than the item of a result. */
  readonly #isParameter: boolean
  /** Whether some run lacks the leaf, so that each is looked for before it is read. */
  #hasGaps: boolean
  readonly #runs: () => ReadonlySet<RunIndex>

  /** @param runs that have a group below `runs` */
  constructor(
    reader: Hdf5Reader,
    root: string,
    item: FoundItem,
    { runCount, runs }: { readonly runCount: number; readonly runs: () => ReadonlySet<RunIndex> },
  ) {
    this.#reader = reader
    this.#root = root
    this.item = item
    this.#runCount = runCount
    this.#runs = runs
    this.declared = { dtype: item.dtype, shape: item.shape }
    this.#isSingle = item.shape?.length === 0
    this.isLong = item.dtype === 'str' || item.dtype === 'mixed'
    this.#isParameter = item.branch === 'derived_parameters'
    this.#hasGaps = !item.isUsual
  }

  read(start: RunIndex, end: RunIndex): ColumnBlock {
    const isFew = this.#block === undefined && (end - start) * FEW_SHARE < this.#runCount
    if (!this.#isSingle || this.isLong || isFew) return blockOf(this.#values(start, end), this.declared)
    this.#block ??= blockOf(this.#values(0, this.#runCount), this.declared)
    return sliceRows(this.#block, start, end)
  }

  /** As `read`, with values of some runs that are known already. */
  readExcept(
    start: RunIndex,
    end: RunIndex,
    knownIn: (run: RunIndex) => StoredValue | undefined,
  ): ColumnBlock {
    const values = Array.from(
      { length: end - start },
      (_, row) => knownIn(start + row) ?? this.#quickValue(start + row),
    )
    return blockOf(values, this.declared)
  }

  /** The type of all runs. */
  type(): ColumnType {
    if (this.#isSingle && !this.isLong) return typeOfBlock(this.read(0, this.#runCount))
    return this.typeIn(Array.from({ length: this.#runCount }, (_, run) => run)) ?? MIXED
  }

  /** The type in these runs and of other values. Undefined if there are none. */
  typeIn(runs: readonly RunIndex[], others?: ColumnType): ColumnType | undefined {
    let type = others
    const bigRuns: RunIndex[] = []
    for (const run of runs) {
      const own = this.#typeOf(run)
      if (own !== undefined) type = commonType(type, own)
      if (type?.dtype === 'mixed' && type.shape === undefined) return type
      if (own !== undefined && isBig(own.dtype)) bigRuns.push(run)
    }
    if (type === undefined || !isFloating(type.dtype)) return type
    return bigRuns.every((run) => fitsFloat64(this.valueOf(run))) ? type : { ...type, dtype: 'mixed' }
  }

  #typeOf(run: RunIndex): ColumnType | undefined {
    if (this.#isParameter) {
      const value = this.valueOf(run)
      return value === undefined || value.form === 'null' ? undefined : typeOfValue(value)
    }
    const path = this.#pathIn(run)
    if (this.#reader.kind(path) === undefined) return undefined
    if (this.#reader.attribute(path, TYPE_ATTRIBUTE) === 'null') return undefined
    return itemType(this.#reader, path, this.#classIn(run))
  }

  /** Whether the file has the leaf below its run. */
  exists(run: RunIndex): boolean {
    const leaf = this.#leafIn(run)
    return this.#reader.raw.kind(leaf) === 'group' && isLeaf(this.#reader.raw, leaf)
  }

  unitIn(run: RunIndex): string {
    return unitOf(this.#reader.raw, this.#leafIn(run))
  }

  isDeleted(run: RunIndex): boolean {
    return this.#reader.raw.isDeleted(this.#leafIn(run))
  }

  valueOf(run: RunIndex): StoredValue | undefined {
    if (this.#isParameter) {
      const leaf = this.#leafIn(run)
      return this.#reader.kind(leaf) === 'group'
        ? readDefault(this.#reader, leaf, this.#classIn(run))
        : undefined
    }
    const path = this.#pathIn(run)
    const kind = this.#reader.kind(path)
    if (kind !== 'dataset' && kind !== 'group') return undefined
    return readValue(this.#reader, path, this.#classIn(run))
  }

  #values(start: RunIndex, end: RunIndex): (StoredValue | undefined)[] {
    return Array.from({ length: end - start }, (_, row) => this.#quickValue(start + row))
  }

  #quickValue(run: RunIndex): StoredValue | undefined {
    const path = this.#pathIn(run)
    // The library must not be asked for what is not there.
    if (this.#isBelowRuns && !this.#runs().has(run)) return undefined
    if (this.#hasGaps && this.#reader.kind(path) === undefined) return undefined
    const value = this.#isSingle && !this.#isParameter ? this.#reader.quickNumber(path) : undefined
    if (typeof value === 'bigint') return { form: 'scalar', dtype: 'int64', value }
    // Null is stored as NaN.
    if (value !== undefined && !Number.isNaN(value)) return { form: 'scalar', dtype: 'float64', value }
    const slow = this.valueOf(run)
    if (slow === undefined) this.#hasGaps = true
    return slow
  }

  #classIn(run: RunIndex): string {
    return textAttribute(this.#reader, this.#leafIn(run), SRVC.class)
  }

  #leafIn(run: RunIndex): string {
    const parts = this.item.template.split('.').map((part) => {
      if (part === '$') return runName(run)
      return part === '$set' ? runSetName(run) : part
    })
    return `${this.#root}/${parts.join('/')}`
  }

  #pathIn(run: RunIndex): string {
    return `${this.#leafIn(run)}/${this.item.itemPath}`
  }

  get #isBelowRuns(): boolean {
    return this.item.template.startsWith(`${this.item.branch}.runs.$.`)
  }
}
