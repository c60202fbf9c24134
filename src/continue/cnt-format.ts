/**
 * How a `.cnt` file is laid out, as a mapping between bytes and records. Reads and writes nothing.
 *
 *     "PYPETCNT" | u32 version | u32 0 | slot 0 | slot 1 | record | record | ...
 *     slot:    f64 sequence | f64 end of its record in the file | 16 bytes of SHA-1 over both
 *     record:  "REC1" | u32 header bytes | f64 payload bytes | 16 bytes of SHA-1 | header, JSON | payload
 *
 * Little-endian. The digest of a record covers the 16 bytes before it, header and payload. The payload of a commit
 * is its page images and then what its jobs returned.
 *
 * A slot names the commit whose pages are being written into the HDF5 file: that record must be whole from then
 * on, so a bad one is damage. A bad record behind it is one that was never finished, and never announced.
 */
import { createHash } from 'node:crypto'
import type { CntRecord, CommitRecord, PageImage, ReturnedValue } from './cnt-record.ts'
import { decodeTaggedJson, encodeTaggedJson } from './tagged-json.ts'

export const CNT_VERSION = 1
export const SLOT_BYTES = 32
/** Two slots, written in turn, so that one is whole at any time. */
export const SLOT_OFFSETS = [16, 48] as const
/** Where the first record begins. */
export const RECORDS_OFFSET = 80
export const RECORD_PREFIX_BYTES = 32
/** Bytes of an HDF5 file that tell one state of it from another: they hold the superblock. */
export const SUPERBLOCK_BYTES = 96

const MAGIC = Buffer.from('PYPETCNT')
export const RECORD_MAGIC = Buffer.from('REC1')
const DIGEST_BYTES = 16

/** The beginning of a new file: magic, version, empty slots. */
export function encodeFileStart(): Uint8Array {
  const bytes = Buffer.alloc(RECORDS_OFFSET)
  MAGIC.copy(bytes)
  bytes.writeUInt32LE(CNT_VERSION, 8)
  return bytes
}

/** The version that a file claims; undefined when it is no `.cnt` file. */
export function decodeVersion(start: Uint8Array): number | undefined {
  const bytes = bufferOf(start)
  if (bytes.byteLength < 16 || !bytes.subarray(0, 8).equals(MAGIC)) return undefined
  return bytes.readUInt32LE(8)
}

export interface Slot {
  readonly sequence: number
  /** Position behind the record of that commit. */
  readonly recordEnd: number
}

export function encodeSlot({ sequence, recordEnd }: Slot): Uint8Array {
  const bytes = Buffer.alloc(SLOT_BYTES)
  bytes.writeDoubleLE(sequence, 0)
  bytes.writeDoubleLE(recordEnd, 8)
  digest(bytes.subarray(0, 16)).copy(bytes, 16)
  return bytes
}

/** The slot in these bytes; `unused` when there never was one. */
export function decodeSlot(slot: Uint8Array): Slot | 'unused' | 'bad' {
  const bytes = bufferOf(slot)
  if (bytes.every((byte) => byte === 0)) return 'unused'
  if (!digest(bytes.subarray(0, 16)).equals(bytes.subarray(16, 32))) return 'bad'
  return { sequence: bytes.readDoubleLE(0), recordEnd: bytes.readDoubleLE(8) }
}

/** A record as the pieces to be written one after the other. */
export function encodeRecord(record: CntRecord): Uint8Array {
  const { header, payload } = split(record)
  const text = Buffer.from(encodeTaggedJson(header))
  const payloadBytes = payload.reduce((sum, piece) => sum + piece.byteLength, 0)
  const prefix = Buffer.alloc(RECORD_PREFIX_BYTES)
  RECORD_MAGIC.copy(prefix)
  prefix.writeUInt32LE(text.byteLength, 4)
  prefix.writeDoubleLE(payloadBytes, 8)
  const hash = createHash('sha1').update(prefix.subarray(0, 16)).update(text)
  for (const piece of payload) hash.update(piece)
  hash.digest().copy(prefix, 16, 0, DIGEST_BYTES)
  return Buffer.concat([prefix, text, ...payload])
}

/** Sizes of the header and the payload that follow a prefix; undefined when it is none. */
export function decodePrefix(prefix: Uint8Array): { headerBytes: number; payloadBytes: number } | undefined {
  const bytes = bufferOf(prefix)
  if (bytes.byteLength < RECORD_PREFIX_BYTES || !bytes.subarray(0, 4).equals(RECORD_MAGIC)) return undefined
  const headerBytes = bytes.readUInt32LE(4)
  const payloadBytes = bytes.readDoubleLE(8)
  return Number.isSafeInteger(payloadBytes) && payloadBytes >= 0 ? { headerBytes, payloadBytes } : undefined
}

/**
 * The record in these bytes, prefix included; its page images and returned values are views of them.
 *
 * @returns undefined when the digest, or what it says, is wrong
 */
export function decodeRecord(whole: Uint8Array): CntRecord | undefined {
  const bytes = bufferOf(whole)
  const sizes = decodePrefix(bytes)
  if (sizes === undefined) return undefined
  const { headerBytes, payloadBytes } = sizes
  if (bytes.byteLength !== RECORD_PREFIX_BYTES + headerBytes + payloadBytes) return undefined
  const expected = createHash('sha1')
    .update(bytes.subarray(0, 16))
    .update(bytes.subarray(RECORD_PREFIX_BYTES))
    .digest()
    .subarray(0, DIGEST_BYTES)
  if (!expected.equals(bytes.subarray(16, 32))) return undefined
  const headerEnd = RECORD_PREFIX_BYTES + headerBytes
  try {
    const header = decodeTaggedJson(bytes.toString('utf8', RECORD_PREFIX_BYTES, headerEnd))
    return join(header as Header, bytes.subarray(headerEnd))
  } catch {
    // Somebody has written it so: its digest is right.
    return undefined
  }
}

/** 16 hexadecimal digits that tell this beginning of an HDF5 file from that of another state of it. */
export function superblockOf(head: Uint8Array): string {
  return createHash('sha1').update(head.subarray(0, SUPERBLOCK_BYTES)).digest('hex').slice(0, 16)
}

/** A commit's bulk travels in the payload, and the header says what it is. */
type Header =
  | Exclude<CntRecord, CommitRecord>
  | (Omit<CommitRecord, 'pages' | 'returned'> & {
      /** Offset and size of each page image. */
      readonly pages: readonly (readonly [offset: number, bytes: number])[]
      /** Run and size of each returned value. */
      readonly returned: readonly (readonly [run: number, bytes: number])[]
    })

function split(record: CntRecord): { header: Header; payload: readonly Uint8Array[] } {
  if (record.type !== 'commit') return { header: record, payload: [] }
  const { pages, returned } = record
  return {
    header: {
      ...record,
      pages: pages.map(({ offset, bytes }) => [offset, bytes.byteLength] as const),
      returned: returned.map(({ run, bytes }) => [run, bytes.byteLength] as const),
    },
    payload: [...pages, ...returned].map(({ bytes }) => bytes),
  }
}

function join(header: Header, payload: Uint8Array): CntRecord | undefined {
  if (header.type !== 'commit') return payload.byteLength === 0 && isKnown(header) ? header : undefined
  let start = 0
  const take = (size: number) => {
    if (!isCount(size)) throw new Error('a size is no count of bytes')
    start += size
    return payload.subarray(start - size, start)
  }
  const pages: PageImage[] = header.pages.map(([offset, size]) => ({ offset, bytes: take(size) }))
  const returned: ReturnedValue[] = header.returned.map(([run, size]) => ({ run, bytes: take(size) }))
  if (start !== payload.byteLength || !isSound(header, pages)) return undefined
  return { ...header, pages, returned }
}

function isKnown(record: { readonly type: string }): boolean {
  return record.type === 'experiment' || record.type === 'applied'
}

/** What a stranger's file could say to ask for the impossible. */
function isSound(header: Extract<Header, { type: 'commit' }>, pages: readonly PageImage[]): boolean {
  const { sequence, applied, fileBytes, stored, reopened } = header
  const areRanges = [stored, reopened].every(
    (ranges) =>
      ranges.length % 2 === 0 &&
      ranges.every(
        (bound, index) => isCount(bound) && bound > (index === 0 ? -1 : (ranges[index - 1] as number)),
      ),
  )
  const arePages = pages.every(
    ({ offset, bytes }) => isCount(offset) && offset + bytes.byteLength <= PAGES_END_MAX,
  )
  return (
    areRanges &&
    arePages &&
    isCount(sequence) &&
    isCount(applied) &&
    applied <= sequence &&
    isCount(fileBytes)
  )
}

/** The largest file that anybody could have. */
const PAGES_END_MAX = 2 ** 50

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest().subarray(0, DIGEST_BYTES)
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
