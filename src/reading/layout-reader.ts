/**
 * Reads a file as if all results were below their runs: what is in columns appears there, and the columns themselves do
 * not. `raw` reads the file as it is.
 */
import type { Cell } from '../hdf5/datatype.ts'
import type { Hdf5Operation } from '../hdf5/operation.ts'
import { ColumnNodes } from './column-nodes.ts'
import { ColumnSet } from './column-set.ts'
import type { DatasetForm, ObjectKind } from './handle.ts'
import { cellsOf, type MemoryNode } from './memory-nodes.ts'
import {
  type Box,
  type NodeReader,
  type RawReader,
  type RowRange,
  rowVisitor,
  type VisitRow,
} from './raw-reader.ts'

export class LayoutReader implements NodeReader {
  readonly raw: RawReader
  /** By path of the trajectory. Null for those without columns. */
  readonly #sets = new Map<string, ColumnSet | null>()
  /** Null for those whose results are below their runs. */
  readonly #views = new Map<string, ColumnNodes | null>()

  constructor(raw: RawReader) {
    this.raw = raw
  }

  get file(): string {
    return this.raw.file
  }

  get fileBytes(): number {
    return this.raw.fileBytes
  }

  get unfinished(): RawReader['unfinished'] {
    return this.raw.unfinished
  }

  get notes(): readonly string[] {
    return this.raw.notes
  }

  get hasChanged(): boolean {
    return this.raw.hasChanged
  }

  get isOverwritten(): boolean {
    return this.raw.isOverwritten
  }

  [Symbol.dispose](): void {
    this.raw.close()
  }

  close(): void {
    this.raw.close()
  }

  /** The columns of a trajectory, in any layout. Undefined if it has none. */
  columns(trajectory: string): ColumnSet | undefined {
    return this.#setOf(`/${trajectory}`)
  }

  /**
   * Operations that write nodes from columns below their runs, with the groups above them: something is to be added to
   * them. Nodes that are in the file, and missing ones, need none.
   */
  realised(paths: Iterable<string>): Hdf5Operation[] {
    const done = new Set<string>()
    const operations: Hdf5Operation[] = []
    for (const path of paths) {
      const view = this.#view(path)
      if (view === undefined) continue
      for (let slash = path.indexOf('/', 1); slash >= 0; slash = path.indexOf('/', slash + 1)) {
        const end = path.indexOf('/', slash + 1)
        const node = end < 0 ? path : path.slice(0, end)
        if (done.has(node) || this.raw.kind(node) !== undefined) continue
        for (const operation of view.realised(node)) {
          if ('path' in operation) done.add(operation.path)
          operations.push(operation)
        }
      }
    }
    return operations
  }

  /** As `Hdf5Handle.kind`. */
  kind(path: string): ObjectKind | undefined {
    const view = this.#view(path)
    if (view === undefined) return this.raw.kind(path)
    if (view.hides(path)) return undefined
    return this.raw.kind(path) ?? view.kind(path)
  }

  learnBelow(group: string): void {
    if (this.raw.kind(group) === 'group') this.raw.learnBelow(group)
  }

  hasDeleted(root: string): boolean {
    return this.raw.hasDeleted(root)
  }

  isDeleted(path: string): boolean {
    return this.raw.isDeleted(path)
  }

  children(group: string): string[] {
    const view = this.#view(group)
    if (view === undefined) return this.raw.children(group)
    const inFile = this.raw.kind(group) === 'group' ? this.raw.children(group) : []
    const names = new Set(inFile.filter((name) => !view.hides(`${group}/${name}`)))
    const inFileCount = names.size
    let last = ''
    let isSorted = inFileCount === 0
    for (const name of view.children(group)) {
      isSorted &&= last < name
      last = name
      names.add(name)
    }
    // HDF5 lists names in order. A million runs come in order.
    return isSorted || names.size === inFileCount ? [...names] : [...names].sort()
  }

  attribute(path: string, name: string): Cell | undefined {
    const node = this.#node(path)
    if (node === undefined) return this.raw.attribute(path, name)
    const found = node.attributes.get(name)
    return found?.form.shape?.length === 0 ? cellsOf(found.form, found.bytes)[0] : undefined
  }

  attributeNames(path: string): string[] {
    const node = this.#node(path)
    return node === undefined ? this.raw.attributeNames(path) : [...node.attributes.keys()]
  }

  attributeCells(path: string, name: string): ReturnType<RawReader['attributeCells']> {
    const node = this.#node(path)
    if (node === undefined) return this.raw.attributeCells(path, name)
    const found = node.attributes.get(name)
    return found && { form: found.form, cells: cellsOf(found.form, found.bytes) }
  }

  attributeBytes(path: string, name: string): ReturnType<RawReader['attributeBytes']> {
    return this.#node(path)?.attributes.get(name) ?? this.raw.attributeBytes(path, name)
  }

  form(dataset: string): DatasetForm {
    return this.#node(dataset)?.form ?? this.raw.form(dataset)
  }

  bytes(dataset: string, form?: DatasetForm): Uint8Array {
    return this.#node(dataset)?.bytes ?? this.raw.bytes(dataset, form)
  }

  rows(dataset: string, first: number, rowCount: number, form = this.form(dataset)): Uint8Array {
    const node = this.#node(dataset)
    if (node === undefined) return this.raw.rows(dataset, first, rowCount, form)
    const rowBytes = node.bytes.byteLength / (form.shape?.[0] ?? 1)
    return node.bytes.slice(first * rowBytes, (first + rowCount) * rowBytes)
  }

  variableBytes(dataset: string): Uint8Array | undefined {
    return this.#node(dataset) === undefined ? this.raw.variableBytes(dataset) : undefined
  }

  storage(dataset: string): ReturnType<RawReader['storage']> {
    const form = this.#node(dataset)?.form
    return form === undefined
      ? this.raw.storage(dataset)
      : { form, chunks: undefined, maxShape: undefined, deflate: 0 }
  }

  linkTarget(path: string): string | undefined {
    return this.#node(path) === undefined ? this.raw.linkTarget(path) : undefined
  }

  quickNumber(dataset: string): number | bigint | undefined {
    // The library must not be asked for what is not there.
    const isInFile = this.#view(dataset) === undefined || this.raw.kind(dataset) === 'dataset'
    return isInFile ? this.raw.quickNumber(dataset) : undefined
  }

  /** As `Hdf5Source.columnAt`, by path. */
  columnAt(template: string): ReturnType<ColumnNodes['columnAt']> {
    return this.#view(template)?.columnAt(template)
  }

  cells(dataset: string, form?: DatasetForm, box?: Box): Cell[] {
    const node = this.#node(dataset)
    if (node?.form === undefined) return this.raw.cells(dataset, form, box)
    const cells = cellsOf(node.form, node.bytes)
    return box === undefined ? cells : cellsIn(cells, node.form.shape ?? [], box)
  }

  scanRows(table: string, columns: readonly string[], visit: VisitRow, rows?: RowRange): void {
    const node = this.#node(table)
    if (node?.form === undefined) {
      this.raw.scanRows(table, columns, visit, rows)
      return
    }
    const { bytes } = node
    const [start, end] = [
      rows?.start ?? 0,
      Math.min(this.rowCount(table), rows?.end ?? Number.POSITIVE_INFINITY),
    ]
    const visitRows = rowVisitor(node.form.type, columns, () => '')
    const rowBytes = node.form.type.bytes
    visitRows(new DataView(bytes.buffer, bytes.byteOffset + start * rowBytes), start, end - start, visit)
  }

  rowCount(table: string): number {
    return this.#node(table)?.form?.shape?.[0] ?? this.raw.rowCount(table)
  }

  /** A node that comes from columns. Undefined for what is in the file. */
  #node(path: string): MemoryNode | undefined {
    const view = this.#view(path)
    if (view === undefined || this.raw.kind(path) !== undefined) return undefined
    return view.node(path)
  }

  /** Undefined if the path cannot lead to something from columns. */
  #view(path: string): ColumnNodes | undefined {
    const slash = path.indexOf('/', 1)
    if (slash < 0) return undefined
    if (!path.startsWith('results', slash + 1) && !path.startsWith('derived_parameters', slash + 1))
      return undefined
    return this.#viewOf(path.slice(0, slash))
  }

  #viewOf(root: string): ColumnNodes | undefined {
    let view = this.#views.get(root)
    if (view === undefined) {
      const set = this.#setOf(root)
      view = set?.layout === 'columns' ? new ColumnNodes(this.raw, root, set) : null
      this.#views.set(root, view)
    }
    return view ?? undefined
  }

  #setOf(root: string): ColumnSet | undefined {
    let set = this.#sets.get(root)
    if (set === undefined) {
      set = ColumnSet.find(this.raw, root) ?? null
      this.#sets.set(root, set)
    }
    return set ?? undefined
  }
}

/** Elements of a box, in C order. */
function cellsIn(cells: readonly Cell[], shape: readonly number[], { start, count }: Box): Cell[] {
  const found: Cell[] = []
  const walk = (axis: number, offset: number): void => {
    if (axis === shape.length) {
      found.push(cells[offset] as Cell)
      return
    }
    const [first = 0, size = 0, length = 0] = [start[axis], count[axis], shape[axis]]
    for (let at = first; at < first + size; at += 1) walk(axis + 1, offset * length + at)
  }
  walk(0, 0)
  return found
}
