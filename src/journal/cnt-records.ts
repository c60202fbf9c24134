/** Reads the records of a `.cnt` file, and distinguishes an unfinished end from damage. */
import { PypetError } from '../errors.ts'
import { RecordFault } from './check.ts'
import {
  CNT_VERSION,
  decodePrefix,
  decodeRecord,
  decodeSlot,
  decodeVersion,
  RECORD_MAGIC,
  RECORD_PREFIX_BYTES,
  RECORDS_OFFSET,
  SLOT_BYTES,
  SLOT_OFFSETS,
} from './cnt-format.ts'
import type { CntRecord } from './cnt-record.ts'
import type { Disk, DiskSystem } from './disk.ts'

/**
 * Visits every record in order, until a visit returns `stop`.
 *
 * @returns the end of the last intact record. Anything after it is unfinished.
 * @throws PypetError `PYPET_CNT_NOT_FOUND`, `PYPET_CNT_NOT_CNT`, `PYPET_CNT_NEWER`, `PYPET_CNT_DAMAGED`
 */
export function readRecords(path: string, system: DiskSystem, visit: (record: CntRecord) => unknown): number {
  const disk = openCnt(path, system)
  try {
    const { wholeUntil, isSlotBad } = readStart(path, disk)
    const size = disk.size()
    let position = RECORDS_OFFSET
    while (position < size) {
      const found = readRecord(path, disk, position, size)
      if (found === undefined) break
      position = found.end
      if (visit(found.record) === 'stop') return position
    }
    if (position < wholeUntil) throw damaged(path, `the record at byte ${position} of ${size} is corrupt`)
    if (position < size && (isSlotBad || hasRecordBehind(disk, position, size))) {
      throw damaged(path, `the record at byte ${position} is corrupt, and more records follow it`)
    }
    return position
  } finally {
    disk.close()
  }
}

export function damaged(path: string, found: string): PypetError {
  return new PypetError('PYPET_CNT_DAMAGED', `${path} is damaged: ${found}`, {
    where: path,
    hint: 'Restore it and its HDF5 file from the same backup. Or remove it, and keep the HDF5 file as it is.',
  })
}

function openCnt(path: string, system: DiskSystem): Disk {
  try {
    return system.open(path, 'read')
  } catch (cause) {
    throw new PypetError('PYPET_CNT_NOT_FOUND', `cannot read ${path}: ${(cause as Error).message}`, {
      where: path,
      hint: 'Give the path of the HDF5 file, or of the .cnt file next to it.',
      cause,
    })
  }
}

/** Reads the start of the file: up to where records must be intact. */
function readStart(path: string, disk: Disk): { wholeUntil: number; isSlotBad: boolean } {
  const start = new Uint8Array(RECORDS_OFFSET)
  const count = disk.read(start, 0)
  const version = decodeVersion(start.subarray(0, count))
  if (version === undefined) {
    throw new PypetError('PYPET_CNT_NOT_CNT', `${path} is not a .cnt file of pypet-ts`, {
      where: path,
      hint: 'Give the path of the HDF5 file, or of the .cnt file next to it.',
    })
  }
  if (version > CNT_VERSION) {
    throw new PypetError(
      'PYPET_CNT_NEWER',
      `${path} was written by a newer pypet-ts: its format is version ${version}, this one reads up to version ${CNT_VERSION}`,
      { where: path, hint: 'Update pypet-ts.' },
    )
  }
  if (
    version !== CNT_VERSION ||
    count < RECORDS_OFFSET ||
    start.subarray(12, 16).some((byte) => byte !== 0)
  ) {
    throw damaged(path, 'its header is corrupt')
  }
  const slots = SLOT_OFFSETS.map((offset) => decodeSlot(start.subarray(offset, offset + SLOT_BYTES)))
  return {
    wholeUntil: Math.max(
      RECORDS_OFFSET,
      ...slots.map((slot) => (typeof slot === 'object' ? slot.recordEnd : 0)),
    ),
    isSlotBad: slots.includes('bad'),
  }
}

/**
 * The record at a position. Undefined if there is no intact one.
 *
 * @throws PypetError `PYPET_CNT_DAMAGED` for an intact record with impossible content
 */
export function readRecord(
  path: string,
  disk: Disk,
  position: number,
  size: number,
): { record: CntRecord; end: number } | undefined {
  const prefix = new Uint8Array(RECORD_PREFIX_BYTES)
  if (disk.read(prefix, position) < RECORD_PREFIX_BYTES) return undefined
  const sizes = decodePrefix(prefix)
  if (sizes === undefined) return undefined
  const end = position + RECORD_PREFIX_BYTES + sizes.headerBytes + sizes.payloadBytes
  // Checked before allocating: the sizes may be arbitrary.
  if (end > size) return undefined
  const whole = allocate(end - position)
  if (whole === undefined)
    throw damaged(path, `the record at byte ${position} is too large (${end - position} bytes)`)
  if (disk.read(whole, position) < whole.byteLength) return undefined
  try {
    const record = decodeRecord(whole)
    return record === undefined ? undefined : { record, end }
  } catch (error) {
    if (!(error instanceof RecordFault)) throw error
    throw damaged(path, `in the record at byte ${position}, ${error.message}`)
  }
}

/** Undefined if this process cannot hold it: a sparse file may be larger than the disk. */
function allocate(byteLength: number): Uint8Array | undefined {
  if (byteLength > RECORD_BYTES_MAX) return undefined
  try {
    return new Uint8Array(byteLength)
  } catch {
    return undefined
  }
}

/** A record is written as one buffer. Buffers are not larger. */
const RECORD_BYTES_MAX = 2 ** 32

/** An unfinished record is always the last one. If an intact record follows, this one was intact once. */
function hasRecordBehind(disk: Disk, position: number, size: number): boolean {
  const rest = allocate(size - position)
  if (rest === undefined) return true
  disk.read(rest, position)
  const bytes = Buffer.from(rest.buffer)
  let lookedAt = 0
  for (let at = bytes.indexOf(RECORD_MAGIC, 1); at >= 0; at = bytes.indexOf(RECORD_MAGIC, at + 1)) {
    const sizes = decodePrefix(bytes.subarray(at, at + RECORD_PREFIX_BYTES))
    const end = sizes === undefined ? size : at + RECORD_PREFIX_BYTES + sizes.headerBytes + sizes.payloadBytes
    if (end > bytes.byteLength) continue
    // Stop on crafted files: many fake record starts would take hours to check.
    lookedAt += end - at
    if (lookedAt > LOOKED_AT_MAX * bytes.byteLength) return true
    try {
      if (decodeRecord(bytes.subarray(at, end)) !== undefined) return true
    } catch {
      return true
    }
  }
  return false
}

/** How often the rest of a file is scanned. */
const LOOKED_AT_MAX = 8
