/**
 * A run record as bytes, from a worker to the writer:
 *
 *     u32 header bytes | f64 payload bytes | header, JSON | payload
 *
 * little-endian. The header names leaves and items; numbers travel in the payload as raw array bytes,
 * so no value is changed on the way (NaN, -0, 64-bit integers). Strings travel in the header. What the job
 * returned ends the payload.
 */
import type { LeafRecord, RunRecord } from './run-record.ts'
import { ARRAY_TYPES } from './typed-array.ts'
import type { Dtype, NumericDtype, Scalar, StoredValue, TypedArray } from './value.ts'

export const FRAME_PREFIX_BYTES = 12

/** A value whose numbers have become bytes: what the writer puts on disk without looking at it. */
export type RawValue =
  | {
      readonly form: 'scalar' | 'list' | 'ndarray'
      readonly dtype: NumericDtype | 'bool'
      readonly shape: readonly number[]
      readonly bytes: Uint8Array
    }
  | { readonly form: 'scalar' | 'list'; readonly dtype: 'str'; readonly texts: readonly string[] }

export interface RawLeaf extends Omit<LeafRecord, 'items'> {
  readonly items: readonly { readonly name: string; readonly value: RawValue }[]
}

export interface RawRunRecord extends Omit<RunRecord, 'leaves'> {
  readonly leaves: readonly RawLeaf[]
}

/** Arrays from this size on are sent from where they lie instead of being copied into the frame. */
const COPY_BYTES_MAX = 65_536

/**
 * The frame as pieces to be written in order: one with prefix, header and small values, and then, for
 * large arrays, views of the user's own memory. Those must not change until they have been sent.
 */
export function encodeRunFrame(record: RunRecord): Uint8Array[] {
  const payload: Uint8Array[] = []
  const leaves = record.leaves.map((leaf) => ({
    ...leaf,
    items: leaf.items.map(({ name, value }) => ({ name, ...encodeValue(rawValue(value), payload) })),
  }))
  const { returned, ...rest } = record
  if (returned !== undefined) payload.push(returned)
  const returnedBytes = returned?.byteLength
  const header = encoder.encode(JSON.stringify({ ...rest, leaves, returnedBytes }))
  return joinSmallPieces(header, payload)
}

/** Bytes of header and payload that follow a prefix. */
export function decodeFramePrefix(prefix: Uint8Array): { headerBytes: number; payloadBytes: number } {
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength)
  return { headerBytes: view.getUint32(0, true), payloadBytes: view.getFloat64(4, true) }
}

/** The record in a frame's body (header and payload). The values are views of `body`. */
export function decodeRunFrame(body: Uint8Array, headerBytes: number): RawRunRecord {
  const { returnedBytes, ...header }: FrameHeader = JSON.parse(decoder.decode(body.subarray(0, headerBytes)))
  let offset = headerBytes
  const leaves = header.leaves.map((leaf) => ({
    ...leaf,
    items: leaf.items.map((item): RawLeaf['items'][number] => {
      if (item.texts !== undefined) {
        return { name: item.name, value: { form: item.form as 'list', dtype: 'str', texts: item.texts } }
      }
      const dtype = item.dtype as NumericDtype
      const byteCount = arrayType(dtype).BYTES_PER_ELEMENT * elementCount(item.shape)
      const bytes = body.subarray(offset, offset + byteCount)
      offset += byteCount
      return { name: item.name, value: { form: item.form, dtype, shape: item.shape, bytes } }
    }),
  }))
  const returned = returnedBytes === undefined ? undefined : body.subarray(offset, offset + returnedBytes)
  offset += returnedBytes ?? 0
  if (offset !== body.byteLength) {
    throw new Error(`a run frame of ${body.byteLength} bytes describes ${offset}: the stream is out of step`)
  }
  return { ...header, leaves, ...(returned !== undefined && { returned }) }
}

/** A stored value with its numbers as little-endian bytes. Typed arrays are viewed, not copied. */
export function rawValue(value: StoredValue): RawValue {
  switch (value.form) {
    case 'scalar':
      return value.dtype === 'str'
        ? { form: 'scalar', dtype: 'str', texts: [value.value as string] }
        : { form: 'scalar', dtype: value.dtype, shape: [], bytes: scalarBytes(value.dtype, [value.value]) }
    case 'list':
      return value.dtype === 'str'
        ? { form: 'list', dtype: 'str', texts: value.values as readonly string[] }
        : {
            form: 'list',
            dtype: value.dtype,
            shape: [value.values.length],
            bytes: scalarBytes(value.dtype, value.values),
          }
    case 'ndarray': {
      const { buffer, byteOffset, byteLength } = value.data
      const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
      return { form: 'ndarray', dtype: value.dtype, shape: value.shape, bytes }
    }
  }
}

/** The inverse of `rawValue`: numbers from their bytes. Copies, so the bytes need no alignment. */
export function toStoredValue(raw: RawValue): StoredValue {
  if (raw.dtype === 'str') {
    return raw.form === 'scalar'
      ? { form: 'scalar', dtype: 'str', value: raw.texts[0] ?? '' }
      : { form: 'list', dtype: 'str', values: raw.texts }
  }
  const data = typedArray(raw.dtype, raw.bytes)
  if (raw.form === 'ndarray') {
    return { form: 'ndarray', dtype: raw.dtype as NumericDtype, shape: raw.shape, data }
  }
  const dtype = raw.dtype as 'float64' | 'int64' | 'bool'
  const values = Array.from<number | bigint, Scalar>(data as ArrayLike<number>, (value) =>
    dtype === 'bool' ? value !== 0 : value,
  )
  return raw.form === 'scalar'
    ? { form: 'scalar', dtype, value: values[0] as Scalar }
    : { form: 'list', dtype, values }
}

/** The bytes as a typed array of their own. */
export function typedArray(dtype: NumericDtype | 'bool', bytes: Uint8Array): TypedArray {
  return new (arrayType(dtype))(new Uint8Array(bytes).buffer)
}

/** A bool travels and is stored in a byte. */
function arrayType(dtype: NumericDtype | 'bool') {
  return dtype === 'bool' ? Uint8Array : ARRAY_TYPES[dtype]
}

export function elementCount(shape: readonly number[]): number {
  let count = 1
  for (const size of shape) count *= size
  return count
}

interface FrameHeader extends Omit<RunRecord, 'leaves' | 'returned'> {
  readonly returnedBytes?: number
  readonly leaves: readonly (Omit<LeafRecord, 'items'> & {
    readonly items: readonly {
      readonly name: string
      readonly form: 'scalar' | 'list' | 'ndarray'
      readonly dtype: Dtype
      readonly shape: readonly number[]
      readonly texts?: readonly string[]
    }[]
  })[]
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function encodeValue(value: RawValue, payload: Uint8Array[]): object {
  if (value.dtype === 'str') return value
  payload.push(value.bytes)
  return { form: value.form, dtype: value.dtype, shape: value.shape }
}

function scalarBytes(dtype: 'float64' | 'int64' | 'bool', values: readonly Scalar[]): Uint8Array {
  switch (dtype) {
    case 'float64':
      return new Uint8Array(Float64Array.from(values as readonly number[]).buffer)
    case 'int64':
      return new Uint8Array(BigInt64Array.from(values as readonly number[], BigInt).buffer)
    case 'bool':
      return Uint8Array.from(values as readonly boolean[], Number)
  }
}

function joinSmallPieces(header: Uint8Array, payload: readonly Uint8Array[]): Uint8Array[] {
  const payloadBytes = payload.reduce((sum, piece) => sum + piece.byteLength, 0)
  const pieces: Uint8Array[] = []
  let small: Uint8Array[] = [prefix(header.byteLength, payloadBytes), header]
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

function prefix(headerBytes: number, payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_PREFIX_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, headerBytes, true)
  view.setFloat64(4, payloadBytes, true)
  return bytes
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0))
  let offset = 0
  for (const piece of pieces) {
    joined.set(piece, offset)
    offset += piece.byteLength
  }
  return joined
}
