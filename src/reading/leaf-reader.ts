/** Reading leaves: parameters with their ranges, results with their items (docs/format.md, sections 2 and 4). */
import type { Cell } from '../hdf5/datatype.ts'
import { ARRAY_SUFFIX, PICKLE_PROTOCOL, RANGE, rangeValueName, SPARSE_SUFFIX, SRVC } from '../names.ts'
import { columnPreviewer, type Preview, previewDataset, unreadPreview } from './preview.ts'
import type { Hdf5Reader } from './reader.ts'

/** A leaf group of the tree. */
export interface Leaf {
  readonly path: string
  readonly comment: string
  /** The Python class that pypet builds from it: `Parameter`, `PickleResult`. */
  readonly className: string
}

/** The values of an explored parameter: one row a run. */
export interface RangePlace {
  readonly table: string
  readonly column: string
  readonly rowCount: number
  /** The column numbers stored arrays instead of holding the values. */
  readonly isReference: boolean
  readonly preview: (cell: Cell) => Preview
}

/** Items of one result that are described; pypet's own overviews hold fewer characters than this. */
const ITEMS_MAX = 100
/** Groups in groups of one item; more can only be a ring of hard links. */
const NESTING_MAX = 16

/** The leaf at a path; undefined when the group there is none. */
export function readLeaf(reader: Hdf5Reader, path: string): Leaf | undefined {
  const isLeaf = reader.attribute(path, SRVC.leaf)
  // pypet stores a boolean, we an int8; a group has no such attribute.
  if (isLeaf !== true && isLeaf !== 1) return undefined
  return {
    path,
    comment: text(reader.attribute(path, SRVC.comment)),
    className: text(reader.attribute(path, SRVC.class)),
  }
}

/** The default of a parameter. */
export function previewParameter(reader: Hdf5Reader, { path, className }: Leaf): Preview {
  const items = reader.children(path)
  if (className.startsWith('Pickle')) return pickled(reader, `${path}/data`)
  if (items.includes(`data${SPARSE_SUFFIX}`)) return sparse(reader, `${path}/data${SPARSE_SUFFIX}`)
  if (items.includes(`data${ARRAY_SUFFIX}`)) return previewDataset(reader, `${path}/data${ARRAY_SUFFIX}`)
  if (!items.includes('data')) return unreadPreview('unknown', 'no value is stored')
  const { type } = reader.form(`${path}/data`)
  if (type.kind !== 'record') return previewDataset(reader, `${path}/data`)
  let value: Cell | undefined
  reader.scanRows(`${path}/data`, ['data'], (_, [cell]) => (value = cell), { start: 0, end: 1 })
  if (value === undefined) return unreadPreview('unknown', 'no value is stored')
  return columnPreviewer(reader, `${path}/data`, 'data')(value)
}

/** Where the range of an explored parameter lies; undefined when the file does not hold it. */
export function rangePlace(reader: Hdf5Reader, { path, className }: Leaf): RangePlace | undefined {
  const items = new Set(reader.children(path))
  const found = (name: string, column: string, preview: (cell: Cell) => Preview): RangePlace => ({
    table: `${path}/${name}`,
    column,
    rowCount: reader.rowCount(`${path}/${name}`),
    isReference: column === 'idx',
    preview,
  })
  if (items.has(`${RANGE}${ARRAY_SUFFIX}`)) {
    return found(`${RANGE}${ARRAY_SUFFIX}`, 'idx', (cell) => {
      const value = `${path}/${rangeValueName(ARRAY_SUFFIX, Number(cell))}`
      return reader.kind(value) === 'group' ? previewRecord(reader, value) : previewDataset(reader, value)
    })
  }
  if (items.has(`${RANGE}${SPARSE_SUFFIX}`)) {
    return found(`${RANGE}${SPARSE_SUFFIX}`, 'idx', (cell) =>
      sparse(reader, `${path}/${rangeValueName(SPARSE_SUFFIX, Number(cell))}`),
    )
  }
  if (!items.has(RANGE)) return undefined
  if (className.startsWith('Pickle')) {
    return found(RANGE, 'idx', (cell) => pickled(reader, `${path}/${rangeValueName('', Number(cell))}`))
  }
  return found(RANGE, 'data', columnPreviewer(reader, `${path}/${RANGE}`, 'data'))
}

/** Describes the data items of a result, each under its key; a nested item's key has dots. */
export function previewItems(reader: Hdf5Reader, leaf: Leaf): (readonly [key: string, Preview])[] {
  const items: (readonly [string, Preview])[] = []
  collectItems(reader, leaf, leaf.path, '', items, 0)
  return items
}

function collectItems(
  reader: Hdf5Reader,
  leaf: Leaf,
  group: string,
  prefix: string,
  items: (readonly [string, Preview])[],
  depth: number,
): void {
  for (const name of reader.children(group)) {
    if (items.length >= ITEMS_MAX) return
    const path = `${group}/${name}`
    const kind = name === PICKLE_PROTOCOL ? undefined : reader.kind(path)
    if (kind === 'dataset') {
      items.push([prefix + name.replace(SPARSE_SUFFIX, ''), previewItem(reader, leaf, name, path)])
    } else if (kind === 'group') {
      const store = reader.attribute(path, SRVC.store)
      if (store !== 'NESTED_GROUP') items.push([prefix + name, previewGroup(reader, path, store)])
      else if (depth < NESTING_MAX) collectItems(reader, leaf, path, `${prefix}${name}.`, items, depth + 1)
    } else if (kind !== undefined) {
      items.push([prefix + name, unreadPreview(kind, `a ${kind}, not followed`)])
    }
  }
}

function previewItem(reader: Hdf5Reader, leaf: Leaf, name: string, path: string): Preview {
  if (leaf.className.startsWith('Pickle')) return pickled(reader, path)
  if (name.endsWith(SPARSE_SUFFIX)) return sparse(reader, path)
  const store = reader.attribute(path, SRVC.store)
  if (store === 'VLARRAY') return unreadPreview('VLARRAY', 'rows of different lengths')
  return previewDataset(reader, path)
}

/** What a class of the user's own has stored by name. */
function previewRecord(reader: Hdf5Reader, path: string): Preview {
  const fields = reader.children(path).map((name): readonly [string, Cell] => {
    const item = `${path}/${name}`
    const preview =
      reader.kind(item) === 'dataset' ? previewDataset(reader, item) : previewRecord(reader, item)
    return [name, preview.shape.length === 0 ? (preview.cells[0] ?? '') : [...preview.cells]]
  })
  return { type: 'record', shape: [], cells: [{ fields }] }
}

/** Items that are groups: pandas' frames and series, and tables of more columns than one dataset takes. */
function previewGroup(reader: Hdf5Reader, path: string, store: Cell | undefined): Preview {
  const length = (dataset: string) =>
    reader.kind(`${path}/${dataset}`) === 'dataset' ? (reader.form(`${path}/${dataset}`).shape?.[0] ?? 0) : 0
  if (store === 'FRAME') {
    const shape = [length('axis1'), length('axis0')]
    return { type: 'pandas frame', shape, cells: [{ unread: 'read it with pandas.read_hdf' }] }
  }
  if (store === 'SERIES') {
    return {
      type: 'pandas series',
      shape: [length('values')],
      cells: [{ unread: 'read it with pandas.read_hdf' }],
    }
  }
  return unreadPreview(text(store).toLowerCase() || 'group', 'a group of datasets')
}

function pickled(reader: Hdf5Reader, path: string): Preview {
  return unreadPreview('pickle', `${bytesOf(reader, path)} bytes that only Python can read`)
}

function sparse(reader: Hdf5Reader, path: string): Preview {
  return unreadPreview('sparse matrix', `${bytesOf(reader, path)} bytes that only SciPy can read`)
}

function bytesOf(reader: Hdf5Reader, path: string): number {
  return reader.kind(path) === 'dataset' ? reader.form(path).type.bytes : 0
}

function text(cell: Cell | undefined): string {
  return typeof cell === 'string' ? cell : ''
}
