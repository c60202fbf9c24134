/**
 * Consecutive runs that have stored items of the same names and types, as one frame of packed rows:
 *
 *     u32 header bytes | f64 bytes of all rows | header, JSON | rows
 *     row: f64 start | f64 finish | the items
 *
 * All little-endian. The header says once what is the same in all of them. A short text takes 64 bytes, padded with
 * NUL. What does not fit in a row is sent as a frame of its own, see `run-frame`.
 */
import { runName } from '../names.ts'
import type { RunIndex } from '../values/path.ts'
import {
  elementBytes,
  elementCount,
  isSameShape,
  type RawField,
  type RawNumbers,
  rawElements,
} from '../values/raw-value.ts'
import type { StoredValue } from '../values/stored-value.ts'
import { isOnlyUnit, storedUnitOf, unitAnnotations } from '../values/unit.ts'
import { FRAME_PREFIX_BYTES, framePrefix, type RawLeaf, type RawRunRecord } from './run-frame.ts'
import type { LeafRecord, RunRecord } from './run-record.ts'

/** Larger rows are not worth packing. */
const ROW_BYTES_MAX = 4096
/** A longer text, or one that ends in a way that padding would hide, is sent by itself. */
const ROW_TEXT_BYTES = 64
const TIMES_BYTES = 16

/** An item of each row: a raw value without its bytes. */
export interface RowItem {
  readonly name: string
  readonly form: 'scalar' | 'list' | 'ndarray'
  readonly dtype: RawNumbers['dtype'] | 'str'
  readonly shape: readonly number[]
  /** From the start of a row. */
  readonly offset: number
  readonly bytes: number
}

/** A leaf of each run. Its full name is `before`, the name of the run, `after`. */
export interface RowLeaf extends Pick<LeafRecord, 'kind' | 'comment'> {
  readonly before: string
  readonly after: string
  /** Of all runs. Empty for none. */
  readonly unit: string
  readonly items: readonly RowItem[]
}

interface RowsHeader {
  /** The first run. */
  readonly rows: RunIndex
  readonly rowBytes: number
  readonly attempts?: number
  readonly leaves: readonly RowLeaf[]
}

/** Packs runs into memory of a fixed size. */
export class RowPacker {
  readonly #room: Uint8Array
  readonly #view: DataView
  #header: RowsHeader | undefined
  #headerBytes = 0
  #count = 0

  /** @param room may be shared memory */
  constructor(room: Uint8Array) {
    this.#room = room
    this.#view = new DataView(room.buffer, room.byteOffset, room.byteLength)
  }

  get count(): number {
    return this.#count
  }

  get rowBytes(): number {
    return this.#header?.rowBytes ?? 0
  }

  get headerBytes(): number {
    return this.#headerBytes
  }

  clear(): void {
    this.#header = undefined
    this.#count = 0
  }

  /** Starts with this run. False if it cannot be packed. */
  begin(record: RunRecord): boolean {
    this.clear()
    const header = rowsHeader(record)
    if (header === undefined) return false
    const bytes = encoder.encode(JSON.stringify(header))
    if (FRAME_PREFIX_BYTES + bytes.byteLength + header.rowBytes > this.#room.byteLength) return false
    this.#room.set(bytes, FRAME_PREFIX_BYTES)
    this.#headerBytes = bytes.byteLength
    this.#header = header
    return true
  }

  /** Adds the next run. False if it is another one, has stored something else, or if there is no room. */
  add(record: RunRecord): boolean {
    const header = this.#header
    if (header === undefined || record.run !== header.rows + this.#count || !isPlain(record)) return false
    const at = FRAME_PREFIX_BYTES + this.#headerBytes + this.#count * header.rowBytes
    if (at + header.rowBytes > this.#room.byteLength) return false
    if (record.attempts !== header.attempts || record.leaves.length !== header.leaves.length) return false
    for (const [number, leaf] of header.leaves.entries()) {
      const given = record.leaves[number] as LeafRecord
      if (!isLeafOf(given, leaf, record.run)) return false
      for (let item = 0; item < leaf.items.length; item += 1) {
        const of = leaf.items[item] as RowItem
        const { name, value } = given.items[item] as LeafRecord['items'][number]
        if (name !== of.name || !this.#put(at + of.offset, of, value)) return false
      }
    }
    this.#view.setFloat64(at, record.startTimestamp, true)
    this.#view.setFloat64(at + 8, record.finishTimestamp, true)
    this.#count += 1
    return true
  }

  /** The frame of the rows so far, as a copy. */
  frame(): Uint8Array {
    return rowsFrame(this.#room, this.#headerBytes, this.#count * this.rowBytes)
  }

  /** False if it is not a value of this type. */
  #put(at: number, { form, dtype, shape, bytes }: RowItem, value: StoredValue): boolean {
    if (value.form !== form || value.dtype !== dtype) return false
    if (dtype === 'str')
      return putText(this.#room.subarray(at, at + bytes), value.form === 'scalar' && value.value)
    // The most frequent ones.
    if (form === 'scalar' && dtype === 'float64') {
      this.#view.setFloat64(at, (value as { readonly value: number }).value, true)
      return true
    }
    const raw = rawElements(value as Parameters<typeof rawElements>[0])
    if (!('bytes' in raw) || !isSameShape(raw.shape, shape) || isMarked(raw)) return false
    this.#room.set(raw.bytes, at)
    return true
  }
}

/**
 * The frame whose header and rows are in memory that a `RowPacker` has filled.
 *
 * @returns a copy
 */
export function rowsFrame(room: Uint8Array, headerBytes: number, rowsBytes: number): Uint8Array {
  const frame = new Uint8Array(FRAME_PREFIX_BYTES + headerBytes + rowsBytes)
  frame.set(room.subarray(0, frame.byteLength))
  frame.set(framePrefix(headerBytes, rowsBytes))
  return frame
}

function rowsHeader(record: RunRecord): RowsHeader | undefined {
  if (!isPlain(record)) return undefined
  const name = runName(record.run)
  let offset = TIMES_BYTES
  const leaves: RowLeaf[] = []
  for (const { location, kind, comment, items, annotations, userClass, parts } of record.leaves) {
    const start = location.indexOf(name)
    const unit = storedUnitOf(annotations)
    if (start < 0 || !hasOnlyUnit(annotations, unit) || userClass !== undefined || parts !== undefined)
      return undefined
    const rowItems: RowItem[] = []
    for (const item of items) {
      const type = rowType(item.value)
      if (type === undefined) return undefined
      rowItems.push({ name: item.name, ...type, offset })
      offset += type.bytes
      if (offset > ROW_BYTES_MAX) return undefined
    }
    const end = start + name.length
    leaves.push({
      kind,
      comment,
      before: location.slice(0, start),
      after: location.slice(end),
      unit,
      items: rowItems,
    })
  }
  const { run, attempts } = record
  return { rows: run, rowBytes: offset, ...(attempts !== undefined && { attempts }), leaves }
}

/** Nothing but leaves. */
function isPlain({ links, groups, partFile, returned }: RunRecord): boolean {
  return links === undefined && groups === undefined && partFile === undefined && returned === undefined
}

function isLeafOf(given: LeafRecord, leaf: RowLeaf, run: RunIndex): boolean {
  return (
    given.kind === leaf.kind &&
    given.comment === leaf.comment &&
    storedUnitOf(given.annotations) === leaf.unit &&
    hasOnlyUnit(given.annotations, leaf.unit) &&
    given.userClass === undefined &&
    given.parts === undefined &&
    given.items.length === leaf.items.length &&
    given.location === leaf.before + runName(run) + leaf.after
  )
}

/** Empty annotations are not the same as none. */
function hasOnlyUnit(annotations: LeafRecord['annotations'], unit: string): boolean {
  return annotations === undefined ? unit === '' : unit !== '' && isOnlyUnit(annotations, unit)
}

function rowType(value: StoredValue): Pick<RowItem, 'form' | 'dtype' | 'shape' | 'bytes'> | undefined {
  if (value.form !== 'scalar' && value.form !== 'list' && value.form !== 'ndarray') return undefined
  const { form } = value
  if (value.dtype === 'str')
    return form === 'scalar' ? { form, dtype: 'str', shape: [], bytes: ROW_TEXT_BYTES } : undefined
  if (value.dtype === 'bytes') return undefined
  // Checked before its bytes are made.
  const count = form === 'scalar' ? 1 : form === 'list' ? value.values.length : elementCount(value.shape)
  if (count * elementBytes(value.dtype) > ROW_BYTES_MAX) return undefined
  const raw = rawElements(value)
  if (!('bytes' in raw) || isMarked(raw)) return undefined
  const { dtype, shape, bytes } = raw
  return { form, dtype, shape, bytes: bytes.byteLength }
}

function isMarked({ isTuple, isMatrix, isNested }: RawNumbers): boolean {
  return isTuple === true || isMatrix === true || isNested === true
}

/** False if the padding would change it. */
function putText(room: Uint8Array, text: unknown): boolean {
  if (typeof text !== 'string' || text.length >= room.byteLength || text.includes('\0')) return false
  const bytes = encoder.encode(text)
  if (bytes.byteLength >= room.byteLength || text !== decoder.decode(bytes)) return false
  room.fill(0)
  room.set(bytes)
  return true
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Runs in packed rows, as they arrive. They are views of the frame. */
export class RunRows {
  readonly first: RunIndex
  readonly count: number
  readonly rowBytes: number
  /** Of each run. Undefined for the first. */
  readonly attempts: number | undefined
  readonly leaves: readonly RowLeaf[]
  readonly bytes: Uint8Array
  readonly #view: DataView

  constructor({ rows, rowBytes, attempts, leaves }: RowsHeader, bytes: Uint8Array) {
    this.first = rows
    this.rowBytes = rowBytes
    this.attempts = attempts
    this.leaves = leaves
    this.count = bytes.byteLength / rowBytes
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Seconds since 1970. */
  startTimestamp(row: number): number {
    return this.#view.getFloat64(row * this.rowBytes, true)
  }

  finishTimestamp(row: number): number {
    return this.#view.getFloat64(row * this.rowBytes + 8, true)
  }

  /** The run of a row, as if it had been sent by itself. Its values are copies. */
  record(row: number): RawRunRecord {
    return {
      run: this.first + row,
      startTimestamp: this.startTimestamp(row),
      finishTimestamp: this.finishTimestamp(row),
      ...(this.attempts !== undefined && { attempts: this.attempts }),
      leaves: this.leaves.map((leaf) => this.leaf(leaf, row)),
    }
  }

  leaf({ before, after, kind, comment, unit, items }: RowLeaf, row: number): RawLeaf {
    const location = `${before}${runName(this.first + row)}${after}`
    const fields = items.map((item) => this.#item(item, row))
    return { location, kind, comment, ...unitAnnotations(unit), items: fields }
  }

  #item({ name, form, dtype, shape, offset, bytes }: RowItem, row: number): RawField {
    const start = row * this.rowBytes + offset
    const own = new Uint8Array(this.bytes.subarray(start, start + bytes))
    if (dtype !== 'str') return { name, value: { form, dtype, shape, bytes: own } }
    return { name, value: { form, dtype, shape, texts: [decoder.decode(own.subarray(0, own.indexOf(0)))] } }
  }
}

/** The rows in a frame's body. Undefined if it is a single run: see `decodeRunFrame`. */
export function decodeRows(body: Uint8Array, headerBytes: number): RunRows | undefined {
  if (!isRows(body)) return undefined
  const header: RowsHeader = JSON.parse(decoder.decode(body.subarray(0, headerBytes)))
  return new RunRows(header, body.subarray(headerBytes))
}

const START = encoder.encode('{"rows":')

function isRows(body: Uint8Array): boolean {
  return body.byteLength >= START.byteLength && START.every((byte, at) => body[at] === byte)
}
