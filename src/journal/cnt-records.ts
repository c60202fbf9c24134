/** Reads the records of a `.cnt` file, and tells an end that was never finished from damage. */
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
 * Visits every record in order, until one visit answers `stop`.
 *
 * @returns the position behind the last whole record: what follows was never finished
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
    if (position < wholeUntil)
      throw damaged(path, `the record at byte ${position} of ${size} is not what was written`)
    if (position < size && (isSlotBad || hasRecordBehind(disk, position, size))) {
      throw damaged(path, `the record at byte ${position} is bad, and there are records behind it`)
    }
    return position
  } finally {
    disk.close()
  }
}

export function damaged(path: string, found: string): PypetError {
  return new PypetError('PYPET_CNT_DAMAGED', `${path} is damaged: ${found}`, {
    where: path,
    hint: 'Put back copies of it and of its HDF5 file that were made together; or remove it, to take the HDF5 file as it is.',
  })
}

function openCnt(path: string, system: DiskSystem): Disk {
  try {
    return system.open(path, 'read')
  } catch (cause) {
    throw new PypetError('PYPET_CNT_NOT_FOUND', `cannot read ${path}: ${(cause as Error).message}`, {
      where: path,
      hint: 'Name the .cnt file that lies beside the HDF5 file, or the HDF5 file itself.',
      cause,
    })
  }
}

/** What the beginning of the file says: up to where records must be whole. */
function readStart(path: string, disk: Disk): { wholeUntil: number; isSlotBad: boolean } {
  const start = new Uint8Array(RECORDS_OFFSET)
  const count = disk.read(start, 0)
  const version = decodeVersion(start.subarray(0, count))
  if (version === undefined) {
    throw new PypetError('PYPET_CNT_NOT_CNT', `${path} is not a .cnt file of pypet-ts`, {
      where: path,
      hint: 'Name the .cnt file that lies beside the HDF5 file, or the HDF5 file itself.',
    })
  }
  if (version > CNT_VERSION) {
    throw new PypetError(
      'PYPET_CNT_NEWER',
      `${path} was written by a newer pypet-ts: its format is version ${version}, this one reads up to ${CNT_VERSION}`,
      { where: path, hint: 'Update pypet-ts.' },
    )
  }
  if (
    version !== CNT_VERSION ||
    count < RECORDS_OFFSET ||
    start.subarray(12, 16).some((byte) => byte !== 0)
  ) {
    throw damaged(path, 'its beginning is not what was written')
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
 * The record at a position; undefined when there is no whole one.
 *
 * @throws PypetError `PYPET_CNT_DAMAGED` for a whole one that says what cannot be
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
  // Checked before anything is allocated: the sizes may be anybody's.
  if (end > size) return undefined
  const whole = allocate(end - position)
  if (whole === undefined)
    throw damaged(path, `the record at byte ${position} has ${end - position} bytes, which is too many`)
  if (disk.read(whole, position) < whole.byteLength) return undefined
  try {
    const record = decodeRecord(whole)
    return record === undefined ? undefined : { record, end }
  } catch (error) {
    if (!(error instanceof RecordFault)) throw error
    throw damaged(path, `in the record at byte ${position}, ${error.message}`)
  }
}

/** Undefined for more than this process can hold: a file with holes may be larger than the disk. */
function allocate(byteLength: number): Uint8Array | undefined {
  if (byteLength > RECORD_BYTES_MAX) return undefined
  try {
    return new Uint8Array(byteLength)
  } catch {
    return undefined
  }
}

/** A record is written as one buffer, and those are no larger. */
const RECORD_BYTES_MAX = 2 ** 32

/** A record that was never finished is the last one; another whole one behind it shows that this one was whole once. */
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
    // Beginnings of records that are none are written on purpose, and as many as take hours to look at.
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

/** How often the rest of a file is looked at. */
const LOOKED_AT_MAX = 8
