/** HDF5 objects in memory: what the operations of the layout would have written. */
import { type Cell, type Datatype, decoderOf, parseDatatype, type RawDatatype } from '../hdf5/datatype.ts'
import { rawDatatype } from '../hdf5/file.ts'
import type { Hdf5Operation, Hdf5Type } from '../hdf5/operation.ts'
import type { DatasetForm } from './handle.ts'

interface MemoryAttribute {
  readonly form: DatasetForm
  readonly bytes: Uint8Array
}

export interface MemoryNode {
  readonly kind: 'group' | 'dataset'
  readonly attributes: Map<string, MemoryAttribute>
  /** Of a group. */
  readonly children: Set<string>
  /** Of a dataset. */
  readonly form: DatasetForm | undefined
  readonly bytes: Uint8Array
}

/** Applies operations that create groups, datasets with their data, and attributes. Parents come first, or are outside. */
export function memoryNodes(
  operations: readonly Hdf5Operation[],
  nodes: Map<string, MemoryNode> = new Map(),
): Map<string, MemoryNode> {
  const add = (path: string, form: DatasetForm | undefined, bytes: Uint8Array): void => {
    const kind = form === undefined ? 'group' : 'dataset'
    nodes.set(path, { kind, attributes: new Map(), children: new Set(), form, bytes })
    const slash = path.lastIndexOf('/')
    nodes.get(path.slice(0, slash))?.children.add(path.slice(slash + 1))
  }
  for (const operation of operations) {
    switch (operation.type) {
      case 'create-group':
        add(operation.path, undefined, NOTHING)
        break
      case 'create-dataset': {
        const { elementType, shape, bytes = NOTHING } = operation
        add(operation.path, { type: datatypeOf(elementType), shape }, bytes)
        break
      }
      case 'create-table': {
        const { rowType, rowCount, rows = NOTHING } = operation
        add(operation.path, { type: datatypeOf(rowType), shape: [rowCount] }, rows)
        break
      }
      case 'create-attribute':
        nodes.get(operation.path)?.attributes.set(operation.name, attributeOf(operation.value))
        break
      case 'create-raw-attribute': {
        const { elementType, shape, bytes } = operation
        nodes
          .get(operation.path)
          ?.attributes.set(operation.name, { form: { type: datatypeOf(elementType), shape }, bytes })
        break
      }
      default:
        throw new Error(`${operation.path}: ${operation.type} does not create anything`)
    }
  }
  return nodes
}

export function cellsOf({ type, shape }: DatasetForm, bytes: Uint8Array): Cell[] {
  const count = (shape ?? []).reduce((product, size) => product * size, 1)
  const decode = decoderOf(type, () => '')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: count }, (_, index) => decode(view, index * type.bytes))
}

const NOTHING = new Uint8Array(0)
const encoder = new TextEncoder()
const INT8: Hdf5Type = { kind: 'int', bytes: 1 }
const INT64: Hdf5Type = { kind: 'int', bytes: 8 }

function attributeOf(value: string | number | boolean): MemoryAttribute {
  const shape: number[] = []
  if (typeof value === 'string') {
    const text = encoder.encode(`${value}\0`)
    const type: Hdf5Type = { kind: 'string', bytes: text.byteLength, charset: 'utf8' }
    return { form: { type: parse(type), shape }, bytes: text }
  }
  if (typeof value === 'boolean')
    return { form: { type: datatypeOf(INT8), shape }, bytes: Uint8Array.of(value ? 1 : 0) }
  const bytes = new Uint8Array(BigInt64Array.of(BigInt(value)).buffer)
  return { form: { type: datatypeOf(INT64), shape }, bytes }
}

const datatypes = new WeakMap<Hdf5Type, Datatype>()

/** Types of the layout are shared objects. */
function datatypeOf(type: Hdf5Type): Datatype {
  let datatype = datatypes.get(type)
  if (datatype === undefined) {
    datatype = parse(type)
    datatypes.set(type, datatype)
  }
  return datatype
}

function parse(type: Hdf5Type): Datatype {
  return parseDatatype(rawDatatype(type) as RawDatatype)
}
