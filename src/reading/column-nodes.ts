/**
 * The nodes of runs whose results are in columns, as the layout `tree` would have written them. They come from the same
 * operations, so readers cannot tell the layouts apart. A leaf that is below its run in the file comes first.
 */
import type { Cell } from '../hdf5/datatype.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { leafOperations } from '../layout/leaf-layout.ts'
import { columnsGroup, RUN_BRANCHES, RUN_STATUS, type RunBranch, runName, runOfName } from '../names.ts'
import type { RunIndex } from '../values/path.ts'
import type { RawField } from '../values/raw-value.ts'
import { unitAnnotations } from '../values/unit.ts'
import type { ColumnSet, FoundColumn } from './column-set.ts'
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

  /** @param set with the layout `columns` @param root `/T` */
  constructor(raw: RawReader, root: string, set: ColumnSet) {
    this.#raw = raw
    this.#root = root
    this.set = set
    this.#leaves = {
      results: groupByLeaf(set, 'results'),
      derived_parameters: groupByLeaf(set, 'derived_parameters'),
    }
  }

  /** Whether it is a group of columns, or in one. */
  hides(path: string): boolean {
    return RUN_BRANCHES.some((branch) => {
      const group = columnsGroup(this.#root, branch, 'columns')
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

  /**
   * The values of a leaf with one single value, by run, all read here. Undefined where a run has none in the column, and
   * for leaves with other values.
   *
   * @param template path of the leaf, with `$` for the run
   */
  columnAt(template: string): ((run: RunIndex) => Cell | undefined) | undefined {
    const branch = RUN_BRANCHES.find((each) => template.startsWith(`${this.#root}/${each}/runs/$/`))
    if (branch === undefined) return undefined
    const prefix = `${this.#root}/${branch}/runs/`
    const columns = this.#leaves[branch].get(template.slice(prefix.length + 2).replaceAll('/', '.'))
    const [column] = columns ?? []
    if (column === undefined || columns?.length !== 1 || column.form !== 'scalar') return undefined
    if (!PLAIN_DTYPES.has(column.dtype)) return undefined
    const cellOf = this.set.scalars(column)
    const inFile = this.#inFile(branch)
    const hasDeleted = this.#raw.hasDeleted(this.#root)
    return (run) => {
      if (inFile.size > 0 && inFile.has(runName(run))) return undefined
      if (hasDeleted && this.#raw.isDeleted(template.replace('$', runName(run)))) return undefined
      const cell = cellOf(run)
      return column.dtype === 'bool' && cell !== undefined ? cell !== 0 : cell
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
    const { comment = '', unit = '' } = columns[0] ?? {}
    const kind = branch === 'results' ? 'result' : 'parameter'
    const path = `${group}/${leaf.replaceAll('.', '/')}`
    const location = path.slice(this.#root.length + 1).replaceAll('/', '.')
    const described = { location, kind, comment, ...unitAnnotations(unit), items } as const
    return leafOperations(path, described, { comment, complevel: 0 })
  }
}

/** Cells of these types are what a result returns. */
const PLAIN_DTYPES: ReadonlySet<string> = new Set(['float64', 'int64', 'bool', 'str'])

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
