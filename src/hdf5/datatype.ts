/**
 * Turns the bytes of an HDF5 dataset into values: parses a datatype once, and returns its decoder. Pure: the bytes come
 * from `reading/handle`.
 */
import { exact } from '../values/exact-integer.ts'

/** One decoded element. Integers are numbers while they are exact, bigints beyond 2^53. */
export type Cell = number | bigint | boolean | string | ComplexCell | Unread | CellRecord | readonly Cell[]

interface ComplexCell {
  readonly real: number
  readonly imaginary: number
}

/** Data that is not turned into a value: a description of it. */
interface Unread {
  readonly unread: string
}

/** A row of several columns. */
interface CellRecord {
  readonly fields: readonly (readonly [name: string, cell: Cell])[]
}

export type Datatype =
  | { readonly kind: 'number'; readonly name: string; readonly bytes: number; readonly littleEndian: boolean }
  | { readonly kind: 'boolean'; readonly name: 'bool'; readonly bytes: number }
  | {
      readonly kind: 'string'
      readonly name: 'str'
      readonly bytes: number
      /** The bytes are a pointer to the text. */
      readonly isVariable: boolean
      readonly isUtf8: boolean
      readonly isSpacePadded: boolean
    }
  | {
      readonly kind: 'complex'
      readonly name: string
      readonly bytes: number
      readonly parts: readonly [Field, Field]
    }
  | {
      readonly kind: 'record'
      readonly name: 'record'
      readonly bytes: number
      readonly fields: readonly Field[]
    }
  | {
      readonly kind: 'array'
      readonly name: string
      readonly bytes: number
      readonly shape: readonly number[]
      readonly element: Datatype
    }
  | { readonly kind: 'opaque'; readonly name: string; readonly bytes: number }

export interface Field {
  readonly name: string
  readonly offset: number
  readonly type: Datatype
}

/** A datatype as h5wasm describes it (its `Metadata`), as far as used here. */
export interface RawDatatype {
  readonly type: number
  readonly size: number
  readonly signed: boolean
  readonly littleEndian: boolean
  readonly vlen: boolean
  readonly cset?: number
  readonly strpad?: number
  readonly shape?: readonly number[] | null
  readonly array_type?: RawDatatype
  readonly compound_type?: { readonly members: readonly (RawDatatype & { name: string; offset: number })[] }
  readonly enum_type?: { readonly members: Readonly<Record<string, number>> }
}

/** HDF5's numbers of its datatype classes (H5Tpublic.h). */
const CLASS = {
  integer: 0,
  float: 1,
  string: 3,
  bitfield: 4,
  opaque: 5,
  compound: 6,
  reference: 7,
  enum: 8,
  vlen: 9,
  array: 10,
}
const CSET_UTF8 = 1
const STRPAD_SPACE = 2

/**
 * The datatype of a dataset or attribute. h5wasm returns numbers in little-endian order, except in a record that mixes
 * both orders: those keep their order in the file.
 */
export function parseDatatype(raw: RawDatatype): Datatype {
  const orders = new Set<boolean>()
  collectOrders(raw, orders)
  return parse(raw, orders.size > 1)
}

/** Turns the element at `offset` into a value. `textAt` reads the text behind a pointer. */
export type Decode = (view: DataView, offset: number) => Cell
export type TextAt = (pointer: number) => string

/** The decoder of a datatype, chosen once so that long columns are read without further decisions. */
export function decoderOf(type: Datatype, textAt: TextAt): Decode {
  switch (type.kind) {
    case 'number':
      return numberDecoder(type.name, type.littleEndian)
    case 'boolean':
      return (view, offset) => view.getUint8(offset) !== 0
    case 'string':
      return type.isVariable
        ? (view, offset) => textAt(view.getUint32(offset, true))
        : (view, offset) => fixedText(view, offset, type.bytes, type.isSpacePadded)
    case 'complex': {
      const [real, imaginary] = type.parts.map((part) => fieldDecoder(part, textAt)) as [Decode, Decode]
      return (view, offset) => ({
        real: real(view, offset) as number,
        imaginary: imaginary(view, offset) as number,
      })
    }
    case 'record': {
      const decoders = type.fields.map((field) => [field.name, fieldDecoder(field, textAt)] as const)
      return (view, offset) => ({
        fields: decoders.map(([name, decode]) => [name, decode(view, offset)] as const),
      })
    }
    case 'array': {
      const element = decoderOf(type.element, textAt)
      const count = type.shape.reduce((product, size) => product * size, 1)
      return (view, offset) =>
        Array.from({ length: count }, (_, index) => element(view, offset + index * type.element.bytes))
    }
    case 'opaque':
      return () => ({ unread: type.name })
  }
}

function fieldDecoder(field: Field, textAt: TextAt): Decode {
  const decode = decoderOf(field.type, textAt)
  return (view, offset) => decode(view, offset + field.offset)
}

/** True if reading elements of this type allocates memory in the library that must be freed. */
export function holdsPointers(type: Datatype): boolean {
  switch (type.kind) {
    case 'string':
      return type.isVariable
    case 'record':
      return type.fields.some((field) => holdsPointers(field.type))
    case 'array':
      return holdsPointers(type.element)
    case 'opaque':
      return isVariableLength(type)
    default:
      return false
  }
}

/** Rows of different lengths, with elements of any type. */
export function isVariableLength(type: Datatype): boolean {
  return type.kind === 'opaque' && type.name === VARIABLE_LENGTH
}

const VARIABLE_LENGTH = 'variable-length data'

function collectOrders(raw: RawDatatype, into: Set<boolean>): void {
  if (raw.array_type) collectOrders(raw.array_type, into)
  for (const member of raw.compound_type?.members ?? []) collectOrders(member, into)
  // Single bytes and texts have no order. h5wasm says "not little-endian" for both.
  if ((raw.type === CLASS.integer || raw.type === CLASS.float) && raw.size > 1) into.add(raw.littleEndian)
}

function parse(raw: RawDatatype, keepsOrder: boolean): Datatype {
  const bytes = raw.size
  const littleEndian = raw.littleEndian || !keepsOrder
  switch (raw.type) {
    case CLASS.integer:
      if (![1, 2, 4, 8].includes(bytes)) return opaque(`integer of ${bytes} bytes`, bytes)
      return { kind: 'number', name: `${raw.signed ? '' : 'u'}int${bytes * 8}`, bytes, littleEndian }
    case CLASS.float:
      if (bytes !== 4 && bytes !== 8) return opaque(`float of ${bytes} bytes`, bytes)
      return { kind: 'number', name: `float${bytes * 8}`, bytes, littleEndian }
    case CLASS.string:
      return {
        kind: 'string',
        name: 'str',
        bytes,
        isVariable: raw.vlen,
        isUtf8: raw.cset === CSET_UTF8,
        isSpacePadded: raw.strpad === STRPAD_SPACE,
      }
    case CLASS.bitfield:
      // PyTables stores booleans as bitfields of one byte.
      return bytes === 1
        ? { kind: 'boolean', name: 'bool', bytes }
        : opaque(`bitfield of ${bytes} bytes`, bytes)
    case CLASS.enum:
      // h5py stores booleans as an enumeration of these two.
      return bytes === 1 &&
        'TRUE' in (raw.enum_type?.members ?? {}) &&
        'FALSE' in (raw.enum_type?.members ?? {})
        ? { kind: 'boolean', name: 'bool', bytes }
        : opaque('enumeration', bytes)
    case CLASS.compound:
      return parseCompound(raw, keepsOrder)
    case CLASS.array: {
      if (raw.array_type === undefined) return opaque('array', bytes)
      const element = parse(raw.array_type, keepsOrder)
      return { kind: 'array', name: element.name, bytes, shape: raw.array_type.shape ?? [], element }
    }
    case CLASS.reference:
      return opaque('reference', bytes)
    case CLASS.vlen:
      return opaque(VARIABLE_LENGTH, bytes)
    default:
      return opaque('opaque bytes', bytes)
  }
}

function parseCompound(raw: RawDatatype, keepsOrder: boolean): Datatype {
  const fields = (raw.compound_type?.members ?? []).map((member) => ({
    name: member.name,
    offset: member.offset,
    type: parse(member, keepsOrder),
  }))
  const [first, second] = fields
  const isComplex = fields.length === 2 && first?.name === 'r' && second?.name === 'i'
  if (isComplex && first.type.kind === 'number' && second.type.kind === 'number') {
    return { kind: 'complex', name: `complex${raw.size * 8}`, bytes: raw.size, parts: [first, second] }
  }
  return { kind: 'record', name: 'record', bytes: raw.size, fields }
}

function opaque(name: string, bytes: number): Datatype {
  return { kind: 'opaque', name, bytes }
}

function numberDecoder(name: string, littleEndian: boolean): Decode {
  switch (name) {
    case 'float64':
      return (view, offset) => view.getFloat64(offset, littleEndian)
    case 'float32':
      return (view, offset) => view.getFloat32(offset, littleEndian)
    case 'int8':
      return (view, offset) => view.getInt8(offset)
    case 'uint8':
      return (view, offset) => view.getUint8(offset)
    case 'int16':
      return (view, offset) => view.getInt16(offset, littleEndian)
    case 'uint16':
      return (view, offset) => view.getUint16(offset, littleEndian)
    case 'int32':
      return (view, offset) => view.getInt32(offset, littleEndian)
    case 'uint32':
      return (view, offset) => view.getUint32(offset, littleEndian)
    case 'int64':
      return (view, offset) => exact(view.getBigInt64(offset, littleEndian))
    default:
      return (view, offset) => exact(view.getBigUint64(offset, littleEndian))
  }
}

const UTF8 = new TextDecoder()

/** pypet declares ASCII but writes UTF-8, so the declared character set is ignored. */
function fixedText(view: DataView, offset: number, bytes: number, isSpacePadded: boolean): string {
  let end = 0
  while (end < bytes && view.getUint8(offset + end) !== 0) end += 1
  // A NUL ends the text, so spaces before it belong to the text.
  const isPadded = isSpacePadded && end === bytes
  if (isPadded) while (end > 0 && view.getUint8(offset + end - 1) === SPACE) end -= 1
  return UTF8.decode(new Uint8Array(view.buffer, view.byteOffset + offset, end))
}

const SPACE = 0x20
