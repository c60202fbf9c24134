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
import { isWhole, RecordFault } from './check.ts'
import { checkHeader, FILE_BYTES_MAX } from './check-record.ts'
import type { CntRecord, PageImage, RecordHeader, ReturnedValue } from './cnt-record.ts'
import { decodeTaggedJson, encodeTaggedJson } from './tagged-json.ts'

export const CNT_VERSION = 1
export const SLOT_BYTES = 32
/** Two slots, written in turn, so that one is always intact. */
export const SLOT_OFFSETS = [16, 48] as const
/** Where the first record starts. */
export const RECORDS_OFFSET = 80
export const RECORD_PREFIX_BYTES = 32
/** The first bytes of an HDF5 file, which identify its state: they hold the superblock. */
export const SUPERBLOCK_BYTES = 96

const MAGIC = Buffer.from('PYPETCNT')
export const RECORD_MAGIC = Buffer.from('REC1')
const DIGEST_BYTES = 16

/** The start of a new file: magic, version, empty slots. */
export function encodeFileStart(): Uint8Array {
  const bytes = Buffer.alloc(RECORDS_OFFSET)
  MAGIC.copy(bytes)
  bytes.writeUInt32LE(CNT_VERSION, 8)
  return bytes
}

/** The version that a file declares. Undefined if it is not a `.cnt` file. */
export function decodeVersion(start: Uint8Array): number | undefined {
  const bytes = bufferOf(start)
  if (bytes.byteLength < 16 || !bytes.subarray(0, 8).equals(MAGIC)) return undefined
  return bytes.readUInt32LE(8)
}

export interface Slot {
  readonly sequence: number
  /** End of that commit's record. */
  readonly recordEnd: number
}

export function encodeSlot({ sequence, recordEnd }: Slot): Uint8Array {
  const bytes = Buffer.alloc(SLOT_BYTES)
  bytes.writeDoubleLE(sequence, 0)
  bytes.writeDoubleLE(recordEnd, 8)
  digest(bytes.subarray(0, 16)).copy(bytes, 16)
  return bytes
}

/** The slot in these bytes. `unused` if none was ever written, `bad` if it does not name a place in a file. */
export function decodeSlot(slot: Uint8Array): Slot | 'unused' | 'bad' {
  const bytes = bufferOf(slot)
  if (bytes.every((byte) => byte === 0)) return 'unused'
  if (!digest(bytes.subarray(0, 16)).equals(bytes.subarray(16, 32))) return 'bad'
  const [sequence, recordEnd] = [bytes.readDoubleLE(0), bytes.readDoubleLE(8)]
  const isPlace = isWhole(sequence, 0, Number.MAX_SAFE_INTEGER) && isWhole(recordEnd, 0, FILE_BYTES_MAX)
  return isPlace ? { sequence, recordEnd } : 'bad'
}

/** A record, as pieces to write one after the other. */
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

/** Sizes of the header and the payload after a prefix. Undefined if it is not a prefix. */
export function decodePrefix(prefix: Uint8Array): { headerBytes: number; payloadBytes: number } | undefined {
  const bytes = bufferOf(prefix)
  if (bytes.byteLength < RECORD_PREFIX_BYTES || !bytes.subarray(0, 4).equals(RECORD_MAGIC)) return undefined
  const headerBytes = bytes.readUInt32LE(4)
  const payloadBytes = bytes.readDoubleLE(8)
  return Number.isSafeInteger(payloadBytes) && payloadBytes >= 0 ? { headerBytes, payloadBytes } : undefined
}

/**
 * The record in these bytes, including the prefix. Its page images and returned values are views of them.
 *
 * @returns undefined if the digest is wrong
 * @throws RecordFault if the digest is right but the content is not: it was written on purpose
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
  return join(decodeHeader(bytes, headerEnd), bytes.subarray(headerEnd))
}

function decodeHeader(bytes: Buffer, end: number): RecordHeader {
  let header: unknown
  try {
    header = decodeTaggedJson(bytes.toString('utf8', RECORD_PREFIX_BYTES, end))
  } catch (error) {
    throw new RecordFault(`header: ${(error as Error).message}`)
  }
  checkHeader(header)
  return header
}

/** 16 hexadecimal digits that identify the state of an HDF5 file by its first bytes. */
export function superblockOf(head: Uint8Array): string {
  return createHash('sha1').update(head.subarray(0, SUPERBLOCK_BYTES)).digest('hex').slice(0, 16)
}

function split(record: CntRecord): { header: RecordHeader; payload: readonly Uint8Array[] } {
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

function join(header: RecordHeader, payload: Uint8Array): CntRecord {
  const described =
    header.type === 'commit'
      ? [...header.pages, ...header.returned].reduce((sum, [, size]) => sum + size, 0)
      : 0
  if (described !== payload.byteLength)
    throw new RecordFault(`payload: expected ${described} bytes, found ${payload.byteLength}`)
  if (header.type !== 'commit') return header
  let start = 0
  const take = (size: number) => {
    start += size
    return payload.subarray(start - size, start)
  }
  const pages: PageImage[] = header.pages.map(([offset, size]) => ({ offset, bytes: take(size) }))
  const returned: ReturnedValue[] = header.returned.map(([run, size]) => ({ run, bytes: take(size) }))
  return { ...header, pages, returned }
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest().subarray(0, DIGEST_BYTES)
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
