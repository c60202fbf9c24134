/**
 * The nodes of runs whose results are in columns, as the layout `tree` would have written them. They come from the same
 * operations, so readers cannot tell the layouts apart. A leaf that is below its run in the file comes first.
 */
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { leafOperations } from '../layout/leaf-layout.ts'
import { RUN_BRANCHES, RUN_STATUS, type RunBranch, runName, runOfName } from '../names.ts'
import { exact } from '../values/exact-integer.ts'
import type { RunIndex } from '../values/path.ts'
import type { RawField } from '../values/raw-value.ts'
import { ColumnSet, type FoundColumn } from './column-set.ts'
import { isLeaf } from './leaf-place.ts'
import { type MemoryNode, memoryNodes } from './memory-nodes.ts'
import type { RawReader } from './raw-reader.ts'

/** Runs whose nodes are kept: callers visit one run after the other. */
const RUNS_KEPT = 16

interface Place {
  readonly branch: RunBranch
  readonly run: RunIndex
  /** Path of the group of the run. */
  readonly group: string
}

export class ColumnNodes {
  readonly set: ColumnSet
  readonly #raw: RawReader
  readonly #root: string
  /** By branch and leaf. */
  readonly #leaves: Readonly<Record<RunBranch, ReadonlyMap<string, readonly FoundColumn[]>>>
  readonly #nodes = new Map<string, ReadonlyMap<string, MemoryNode>>()
  readonly #realRuns: Partial<Record<RunBranch, ReadonlySet<string>>> = {}

  private constructor(raw: RawReader, root: string, set: ColumnSet) {
    this.#raw = raw
    this.#root = root
    this.set = set
    this.#leaves = {
      results: groupByLeaf(set, 'results'),
      derived_parameters: groupByLeaf(set, 'derived_parameters'),
    }
  }

  /** Undefined for a trajectory whose results are all below their runs. @param root `/T` */
  static find(raw: RawReader, root: string): ColumnNodes | undefined {
    const set = ColumnSet.find(raw, root)
    return set?.layout === 'columns' ? new ColumnNodes(raw, root, set) : undefined
  }

  /** Whether it is a group of columns, or in one. */
  hides(path: string): boolean {
    return RUN_BRANCHES.some((branch) => {
      const group = `${this.#root}/${branch}/columns`
      return path === group || path.startsWith(`${group}/`)
    })
  }

  /** Undefined if there is no such node, or none from columns. */
  kind(path: string): 'group' | 'dataset' | undefined {
    return this.node(path)?.kind
  }

  /** Names of the children that come from columns. */
  children(path: string): Iterable<string> {
    const branch = this.#isRunsGroup(path) ? this.#runsBranch(path) : undefined
    if (branch !== undefined) return this.#runNames(branch)
    if (path === `${this.#root}/derived_parameters` && this.#leaves.derived_parameters.size > 0)
      return ['runs']
    return this.node(path)?.children ?? []
  }

  node(path: string): MemoryNode | undefined {
    if (this.#isRunsGroup(path)) return memoryNodes([{ type: 'create-group', path }]).get(path)
    const place = this.#place(path)
    return place && this.#nodesOf(place).get(path)
  }

  /** The operations that write a node to the file: a group, or a whole leaf. */
  realised(path: string): Hdf5Operation[] {
    if (this.node(path)?.kind !== 'group') return []
    const place = this.#place(path)
    const leaf = place && this.#leafAt(place, path)
    if (place === undefined || leaf === undefined) return [{ type: 'create-group', path }]
    return this.#leafOperations(place, leaf)
  }

  /** A float64 or int64 of a run, for one value from each of many runs. Undefined for everything else. */
  quickNumber(path: string): number | bigint | undefined {
    const place = this.#place(path)
    if (place === undefined) return undefined
    const slash = path.lastIndexOf('/')
    const leaf = path.slice(place.group.length + 1, slash).replaceAll('/', '.')
    const column = this.#leaves[place.branch].get(leaf)?.find(({ item }) => item === path.slice(slash + 1))
    if (column === undefined || column.form !== 'scalar' || !this.set.has(column, place.run)) return undefined
    if (column.dtype !== 'float64' && column.dtype !== 'int64') return undefined
    if (this.#isReal(place, path.slice(0, slash)) || this.#raw.isDeleted(path)) return undefined
    const bytes = this.set.bytesAt(column, place.run)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return column.dtype === 'float64' ? view.getFloat64(0, true) : view.getBigInt64(0, true)
  }

  /**
   * The single values of a leaf with one item, by run. Undefined if the leaf has other values, or if nodes of the
   * trajectory were deleted.
   *
   * @param template path of the leaf, with `$` for the run
   */
  columnAt(
    template: string,
  ): ((run: RunIndex) => number | bigint | boolean | string | undefined) | undefined {
    const branch = RUN_BRANCHES.find((each) => template.startsWith(`${this.#root}/${each}/runs/$/`))
    if (branch === undefined || this.#raw.hasDeleted(this.#root)) return undefined
    const prefix = `${this.#root}/${branch}/runs/`
    const columns = this.#leaves[branch].get(template.slice(prefix.length + 2).replaceAll('/', '.'))
    const [column] = columns ?? []
    if (column === undefined || columns?.length !== 1 || column.form !== 'scalar') return undefined
    const valueAt = cellReader(column.dtype)
    if (valueAt === undefined) return undefined
    const inFile = this.#inFile(branch)
    return (run) => {
      if (!this.set.has(column, run) || (inFile.size > 0 && inFile.has(runName(run)))) return undefined
      return valueAt(this.set.bytesAt(column, run))
    }
  }

  #isRunsGroup(path: string): boolean {
    return path.endsWith('/runs') && this.#runsBranch(path) !== undefined
  }

  #runsBranch(path: string): RunBranch | undefined {
    return RUN_BRANCHES.find(
      (branch) =>
        path === `${this.#root}/${branch}/runs` &&
        (branch === 'results' || this.#leaves[branch].size > 0) &&
        !this.#raw.isDeleted(path),
    )
  }

  *#runNames(branch: RunBranch): Generator<string> {
    const statuses = this.set.statuses()
    const columns = [...this.#leaves[branch].values()].flat()
    for (let run = 0; run < statuses.length; run += 1) {
      if (statuses[run] !== RUN_STATUS.stored) continue
      if (branch !== 'results' && !columns.some((column) => this.set.has(column, run))) continue
      const name = runName(run)
      if (!this.#raw.isDeleted(`${this.#root}/${branch}/runs/${name}`)) yield name
    }
  }

  #place(path: string): Place | undefined {
    for (const branch of RUN_BRANCHES) {
      const prefix = `${this.#root}/${branch}/runs/`
      if (!path.startsWith(prefix)) continue
      const slash = path.indexOf('/', prefix.length)
      const group = slash < 0 ? path : path.slice(0, slash)
      const run = runOfName(group.slice(prefix.length))
      return run === undefined ? undefined : { branch, run, group }
    }
    return undefined
  }

  #nodesOf(place: Place): ReadonlyMap<string, MemoryNode> {
    const known = this.#nodes.get(place.group)
    if (known !== undefined) return known
    const nodes = this.#makeNodes(place)
    if (this.#nodes.size >= RUNS_KEPT) this.#nodes.delete(this.#nodes.keys().next().value as string)
    this.#nodes.set(place.group, nodes)
    return nodes
  }

  #makeNodes(place: Place): Map<string, MemoryNode> {
    const { branch, run, group } = place
    const nodes = new Map<string, MemoryNode>()
    if (this.set.statuses()[run] !== RUN_STATUS.stored || this.#raw.isDeleted(group)) return nodes
    if (branch === 'results') memoryNodes([{ type: 'create-group', path: group }], nodes)
    for (const [leaf, columns] of this.#leaves[branch]) {
      if (!columns.some((column) => this.set.has(column, run))) continue
      const path = `${group}/${leaf.replaceAll('.', '/')}`
      if (this.#isReal(place, path) || this.#raw.isDeleted(path)) continue
      for (let slash = path.indexOf('/', group.length); slash >= 0; slash = path.indexOf('/', slash + 1)) {
        const above = path.slice(0, slash)
        if (!nodes.has(above)) memoryNodes([{ type: 'create-group', path: above }], nodes)
      }
      memoryNodes(this.#leafOperations(place, leaf), nodes)
    }
    return nodes
  }

  /** Whether the file has this leaf below its run. */
  #isReal({ branch, group }: Place, leaf: string): boolean {
    if (!this.#inFile(branch).has(group.slice(group.lastIndexOf('/') + 1))) return false
    return this.#raw.kind(leaf) === 'group' && isLeaf(this.#raw, leaf)
  }

  /** Names of runs that have a group in the file. */
  #inFile(branch: RunBranch): ReadonlySet<string> {
    const group = `${this.#root}/${branch}/runs`
    this.#realRuns[branch] ??= new Set(this.#raw.kind(group) === 'group' ? this.#raw.children(group) : [])
    return this.#realRuns[branch]
  }

  /** The leaf at a path. */
  #leafAt({ branch, group }: Place, path: string): string | undefined {
    const leaf = path.slice(group.length + 1).replaceAll('/', '.')
    return this.#leaves[branch].has(leaf) ? leaf : undefined
  }

  #leafOperations({ branch, run, group }: Place, leaf: string): Hdf5Operation[] {
    const columns = (this.#leaves[branch].get(leaf) ?? []).filter((column) => this.set.has(column, run))
    const items = columns.map(
      (column): RawField => ({ name: column.item, value: this.set.valueAt(column, run) }),
    )
    const comment = columns[0]?.comment ?? ''
    const kind = branch === 'results' ? 'result' : 'parameter'
    const path = `${group}/${leaf.replaceAll('.', '/')}`
    const location = path.slice(this.#root.length + 1).replaceAll('/', '.')
    return leafOperations(path, { location, kind, comment, items }, { comment, complevel: 0 })
  }
}

const decoder = new TextDecoder()

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

/** Turns the bytes of a cell into its value. */
function cellReader(
  dtype: FoundColumn['dtype'],
): ((bytes: Uint8Array) => number | bigint | boolean | string) | undefined {
  switch (dtype) {
    case 'float64':
      return (bytes) => viewOf(bytes).getFloat64(0, true)
    case 'int64':
      return (bytes) => exact(viewOf(bytes).getBigInt64(0, true))
    case 'bool':
      return (bytes) => bytes[0] !== 0
    case 'str':
      return (bytes) => {
        const end = bytes.indexOf(0)
        return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end))
      }
    default:
      return undefined
  }
}

function groupByLeaf(set: ColumnSet, branch: RunBranch): ReadonlyMap<string, readonly FoundColumn[]> {
  const leaves = new Map<string, FoundColumn[]>()
  for (const column of set.columns) {
    if (column.branch !== branch || column.leaf.startsWith('_')) continue
    const known = leaves.get(column.leaf)
    if (known === undefined) leaves.set(column.leaf, [column])
    else known.push(column)
  }
  return leaves
}
