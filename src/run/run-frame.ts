/**
 * A run record as bytes, from a worker to the writer:
 *
 *     u32 header bytes | f64 payload bytes | header, JSON | payload
 *
 * All little-endian. The header names leaves and items. Numbers are in the payload as raw array bytes, so no value
 * changes on the way (NaN, -0, 64-bit integers). Strings are in the header. The return value of the job is at the end of
 * the payload.
 */
import { PypetError } from '../errors.ts'
import {
  elementBytes,
  elementCount,
  type RawField,
  type RawNumbers,
  type RawSparse,
  type RawTable,
  type RawTexts,
  type RawValue,
  rawValue,
} from '../values/raw-value.ts'
import type { StoredValue } from '../values/stored-value.ts'
import type { LeafRecord, RunRecord } from './run-record.ts'

export const FRAME_PREFIX_BYTES = 12

export interface RawLeaf extends Omit<LeafRecord, 'items' | 'annotations'> {
  readonly items: readonly RawField[]
  readonly annotations?: readonly RawField[]
}

/** A group with a comment or annotations. */
export interface RawGroup {
  readonly location: string
  readonly comment: string
  readonly annotations: readonly RawField[]
}

export interface RawRunRecord extends Omit<RunRecord, 'leaves' | 'groups'> {
  readonly leaves: readonly RawLeaf[]
  readonly groups?: readonly RawGroup[]
}

/** Arrays from this size on are sent from their own memory instead of being copied into the frame. */
const COPY_BYTES_MAX = 65_536

/**
 * The frame as pieces to write in order. The first holds prefix, header and small values. The others are views of the
 * user's memory, for large arrays. They must not change until they have been sent.
 */
export function encodeRunFrame(record: RunRecord): Uint8Array[] {
  const payload: Uint8Array[] = []
  const encode = ({ name, value }: { readonly name: string; readonly value: StoredValue }): EncodedField => ({
    name,
    value: encodeValue(rawValue(value), payload),
  })
  const leaves = record.leaves.map((leaf) => ({
    ...leaf,
    items: leaf.items.map(encode),
    ...(leaf.annotations !== undefined && { annotations: leaf.annotations.map(encode) }),
  }))
  const groups = record.groups?.map((group) => ({ ...group, annotations: group.annotations.map(encode) }))
  const { returned, ...rest } = record
  if (returned !== undefined) payload.push(returned)
  const returnedBytes = returned?.byteLength
  const header = encoder.encode(JSON.stringify({ ...rest, leaves, groups, returnedBytes }))
  return joinSmallPieces(header, payload)
}

/** Sizes of header and payload, from the prefix. */
export function decodeFramePrefix(prefix: Uint8Array): { headerBytes: number; payloadBytes: number } {
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength)
  return { headerBytes: view.getUint32(0, true), payloadBytes: view.getFloat64(4, true) }
}

/** The record in a frame's body (header and payload). The values are views of `body`. */
export function decodeRunFrame(body: Uint8Array, headerBytes: number): RawRunRecord {
  const { returnedBytes, ...header }: FrameHeader = JSON.parse(decoder.decode(body.subarray(0, headerBytes)))
  let offset = headerBytes
  const take = (byteCount: number): Uint8Array => {
    const bytes = body.subarray(offset, offset + byteCount)
    offset += byteCount
    return bytes
  }
  const decode = ({ name, value }: EncodedField): RawField => ({ name, value: decodeValue(value, take) })
  const leaves = header.leaves.map(({ annotations, ...leaf }) => ({
    ...leaf,
    items: leaf.items.map(decode),
    ...(annotations !== undefined && { annotations: annotations.map(decode) }),
  }))
  const { groups: encodedGroups, ...head } = header
  const groups = encodedGroups?.map((group) => ({ ...group, annotations: group.annotations.map(decode) }))
  const returned = returnedBytes === undefined ? undefined : body.subarray(offset, offset + returnedBytes)
  offset += returnedBytes ?? 0
  if (offset !== body.byteLength) {
    throw new Error(`a run frame of ${body.byteLength} bytes describes ${offset}: the stream is out of step`)
  }
  return {
    ...head,
    leaves,
    ...(groups !== undefined && { groups }),
    ...(returned !== undefined && { returned }),
  }
}

interface FrameHeader extends Omit<RunRecord, 'leaves' | 'groups' | 'returned'> {
  readonly returnedBytes?: number
  readonly leaves: readonly (Omit<LeafRecord, 'items' | 'annotations'> & {
    readonly items: readonly EncodedField[]
    readonly annotations?: readonly EncodedField[]
  })[]
  readonly groups?: readonly (Omit<RawGroup, 'annotations'> & {
    readonly annotations: readonly EncodedField[]
  })[]
}

interface EncodedField {
  readonly name: string
  readonly value: EncodedValue
}

/** A raw value without its bytes. They are in the payload in the order of a walk through the value. */
export type EncodedValue = { readonly form: RawValue['form'] } & Readonly<Record<string, unknown>>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function encodeValue(value: RawValue, payload: Uint8Array[]): EncodedValue {
  switch (value.form) {
    case 'null':
    case 'date':
      return { ...value }
    case 'record':
      return {
        form: 'record',
        fields: value.fields.map((field) => ({ name: field.name, value: encodeValue(field.value, payload) })),
      }
    case 'table':
      return {
        ...value,
        columns: value.columns.map((column) => ({
          name: column.name,
          value: encodeValue(column.value, payload),
        })),
      }
    case 'sparse':
      return {
        ...value,
        indptr: encodeValue(value.indptr, payload),
        indices: encodeValue(value.indices, payload),
        data: encodeValue(value.data, payload),
      }
    default: {
      if ('texts' in value) return { ...value }
      const { bytes, ...rest } = value
      payload.push(bytes)
      return rest
    }
  }
}

export function decodeValue(encoded: EncodedValue, take: (byteCount: number) => Uint8Array): RawValue {
  const inner = (value: unknown) => decodeValue(value as EncodedValue, take)
  const named = (list: readonly EncodedField[]) =>
    list.map(({ name, value }) => ({ name, value: inner(value) }))
  switch (encoded.form) {
    case 'null':
    case 'date':
      return encoded as unknown as RawValue
    case 'record': {
      const { fields } = encoded as unknown as { readonly fields: readonly EncodedField[] }
      return { form: 'record', fields: named(fields) }
    }
    case 'table': {
      const { columns } = encoded as unknown as { readonly columns: readonly EncodedField[] }
      return { ...encoded, columns: named(columns) } as unknown as RawTable
    }
    case 'sparse': {
      const { indptr, indices, data } = encoded as unknown as RawSparse
      return {
        ...encoded,
        indptr: inner(indptr),
        indices: inner(indices),
        data: inner(data),
      } as unknown as RawSparse
    }
    default: {
      if ('texts' in encoded) return encoded as unknown as RawTexts
      const numbers = encoded as unknown as Omit<RawNumbers, 'bytes'>
      return { ...numbers, bytes: take(elementBytes(numbers.dtype) * elementCount(numbers.shape)) }
    }
  }
}

function joinSmallPieces(header: Uint8Array, payload: readonly Uint8Array[]): Uint8Array[] {
  const payloadBytes = payload.reduce((sum, piece) => sum + piece.byteLength, 0)
  const pieces: Uint8Array[] = []
  let small: Uint8Array[] = [framePrefix(checkedHeaderBytes(header.byteLength), payloadBytes), header]
  for (const piece of payload) {
    if (piece.byteLength < COPY_BYTES_MAX) {
      small.push(piece)
      continue
    }
    if (small.length > 0) pieces.push(concatenate(small))
    small = []
    pieces.push(piece)
  }
  if (small.length > 0) pieces.push(concatenate(small))
  return pieces
}

/** Larger numbers mark other frames, see `slot-frames`. */
export const HEADER_BYTES_MAX = 2 ** 30 - 1

/** @throws PypetError `PYPET_VALUE_UNSUPPORTED` for a longer header: texts of a gibibyte in one run */
function checkedHeaderBytes(headerBytes: number): number {
  if (headerBytes <= HEADER_BYTES_MAX) return headerBytes
  throw new PypetError(
    'PYPET_VALUE_UNSUPPORTED',
    `the texts of a run take ${headerBytes} bytes; at most ${HEADER_BYTES_MAX} can be sent`,
    { hint: 'Store long texts as arrays of bytes: new TextEncoder().encode(text).' },
  )
}

export function framePrefix(headerBytes: number, payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_PREFIX_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, headerBytes, true)
  view.setFloat64(4, payloadBytes, true)
  return bytes
}

export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0))
  let offset = 0
  for (const piece of pieces) {
    joined.set(piece, offset)
    offset += piece.byteLength
  }
  return joined
}
