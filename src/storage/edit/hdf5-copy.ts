/**
 * Copies HDF5 objects from an open file as operations for another one. The bytes are not decoded. Objects that this
 * HDF5 library cannot create are reported, never dropped silently.
 */
import type { Datatype } from '../../hdf5/datatype.ts'
import { elementType } from '../../hdf5/element-type.ts'
import type { Hdf5Operation, Hdf5Type } from '../../hdf5/operation.ts'
import { SRVC } from '../../names.ts'
import type { NodeReader } from '../../reading/raw-reader.ts'
import type { NumericDtype } from '../../values/typed-array.ts'

export interface CopyOptions {
  /** The name of a child in the copy. Undefined omits it. Default: the same name. */
  readonly nameChild?: (child: string, group: string) => string | undefined
  /** Where the copy of a soft link leads. Undefined omits it. */
  readonly retarget?: (target: string, link: string) => string | undefined
  /** Told what could not be copied, and why. */
  readonly onUncopied?: (path: string, reason: string) => void
}

/** An object and everything below it, parents first, in batches. */
export function* copyOperations(
  reader: NodeReader,
  from: string,
  to: string,
  options: CopyOptions = {},
): Generator<Hdf5Operation[]> {
  const kind = reader.kind(from)
  if (kind === 'dataset') {
    const operations = copyDataset(reader, from, to)
    if (typeof operations === 'string') options.onUncopied?.(from, operations)
    else yield operations
  } else if (kind === 'soft-link') {
    const target = reader.linkTarget(from) as string
    const retargeted = options.retarget === undefined ? target : options.retarget(target, from)
    if (retargeted !== undefined) yield [{ type: 'create-soft-link', path: to, target: retargeted }]
  } else if (kind !== 'group') options.onUncopied?.(from, `it is a ${kind ?? 'missing object'}`)
  else {
    yield [{ type: 'create-group', path: to }, ...copyAttributes(reader, from, to, options)]
    for (const child of reader.children(from)) {
      const name = options.nameChild === undefined ? child : options.nameChild(child, from)
      if (name !== undefined) yield* copyOperations(reader, `${from}/${child}`, `${to}/${name}`, options)
    }
  }
}

/** Copies the attributes between two existing objects. */
export function copyAttributes(
  reader: NodeReader,
  from: string,
  to: string,
  options: CopyOptions = {},
): Hdf5Operation[] {
  return reader.attributeNames(from).flatMap((name): Hdf5Operation[] => {
    const { form, bytes } = reader.attributeBytes(from, name)
    // PyTables' empty text: no value at all, which this library cannot create.
    if (form.shape === null) return [{ type: 'create-attribute', path: to, name, value: '' }]
    // Texts repeat, and the writer keeps them in the library's memory.
    if (form.type.kind === 'string' && form.type.isUtf8 && form.shape.length === 0 && bytes !== undefined) {
      return [{ type: 'create-attribute', path: to, name, value: textOf(bytes) }]
    }
    const writable = writableType(form.type)
    if (writable === undefined || bytes === undefined) {
      if (form.type.kind === 'string' && form.shape.length === 0) {
        return [
          { type: 'create-attribute', path: to, name, value: String(reader.attribute(from, name) ?? '') },
        ]
      }
      options.onUncopied?.(`${from}@${name}`, `its type, ${form.type.name}, cannot be created`)
      return []
    }
    return [{ type: 'create-raw-attribute', path: to, name, elementType: writable, shape: form.shape, bytes }]
  })
}

/** The operations, or why it cannot be copied. */
function copyDataset(reader: NodeReader, from: string, to: string): Hdf5Operation[] | string {
  const { form, ...stored } = reader.storage(from)
  const writable = writableType(form.type)
  if (writable === undefined) return `its type, ${form.type.name}, cannot be created`
  const shape = form.shape ?? [0]
  const attributes = copyAttributes(reader, from, to)
  const { chunks, maxShape, deflate } = shape.length === 0 ? CONTIGUOUS : stored
  const bytes = reader.bytes(from, form)
  if (writable.kind === 'compound' && shape.length === 1 && form.type.kind === 'record') {
    const [rowCount = 0] = shape
    const chunkRows = chunks?.[0] ?? Math.max(1, Math.min(rowCount, 1024))
    const rows: Hdf5Operation[] =
      rowCount === 0 ? [] : [{ type: 'write-rows', path: to, firstRow: 0, rowCount, bytes }]
    return [
      {
        type: 'create-table',
        path: to,
        rowType: writable,
        rowCount,
        chunkRows,
        deflate: Math.max(1, deflate),
      },
      ...rows,
      ...attributes,
    ]
  }
  return [
    {
      type: 'create-dataset',
      path: to,
      elementType: writable,
      shape,
      bytes,
      deflate,
      ...(chunks !== undefined && { chunks }),
      ...(maxShape !== undefined && { maxShape }),
    },
    ...attributes,
    ...boolMark(form.type, attributes, to),
  ]
}

const CONTIGUOUS = { chunks: undefined, maxShape: undefined, deflate: 0 }

const decoder = new TextDecoder()

/** Without padding NULs or spaces. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return end < 0 ? decoder.decode(bytes).replace(/ +$/, '') : decoder.decode(bytes.subarray(0, end))
}

/** A bitfield becomes a one-byte number, so its original type is stored with it. */
function boolMark(type: Datatype, attributes: readonly Hdf5Operation[], path: string): Hdf5Operation[] {
  const name = SRVC.scalarType
  if (type.kind !== 'boolean') return []
  const isMarked = attributes.some((operation) => 'name' in operation && operation.name === name)
  return isMarked ? [] : [{ type: 'create-attribute', path, name, value: 'bool' }]
}

/** The type as this library can create it. Undefined if it cannot. */
function writableType(type: Datatype): Hdf5Type | undefined {
  switch (type.kind) {
    case 'number': {
      if (!type.littleEndian) return undefined
      return elementType(type.name as NumericDtype)
    }
    case 'boolean':
      return elementType('bool')
    case 'string':
      return type.isVariable
        ? undefined
        : { kind: 'string', bytes: type.bytes, charset: type.isUtf8 ? 'utf8' : 'ascii' }
    case 'complex':
      return compound(type.bytes, type.parts)
    case 'record':
      return compound(type.bytes, type.fields)
    default:
      return undefined
  }
}

function compound(
  bytes: number,
  fields: readonly { readonly name: string; readonly offset: number; readonly type: Datatype }[],
): Hdf5Type | undefined {
  const columns = fields.map(({ name, offset, type }) => ({ name, offset, type: writableType(type) }))
  if (columns.some(({ type }) => type === undefined)) return undefined
  return { kind: 'compound', bytes, columns: columns as Extract<Hdf5Type, { kind: 'compound' }>['columns'] }
}
