/** `.cnt` files that somebody has changed on purpose: every digest and every slot is right, and what they say is not. */
import { createHash } from 'node:crypto'
import {
  encodeFileStart,
  encodeSlot,
  RECORD_MAGIC,
  RECORD_PREFIX_BYTES,
  RECORDS_OFFSET,
  SLOT_OFFSETS,
} from '../../src/journal/cnt-format.ts'

/** A record with the JSON of its header as it stands in the file, tags and all. */
export interface LooseRecord {
  header: Json
  payload: Buffer
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

export function looseRecords(file: Buffer): LooseRecord[] {
  const records: LooseRecord[] = []
  for (let at = RECORDS_OFFSET; at < file.byteLength; ) {
    const headerBytes = file.readUInt32LE(at + 4)
    const payloadBytes = file.readDoubleLE(at + 8)
    const headerAt = at + RECORD_PREFIX_BYTES
    const payloadAt = headerAt + headerBytes
    records.push({
      header: JSON.parse(file.toString('utf8', headerAt, payloadAt)) as Json,
      payload: Buffer.from(file.subarray(payloadAt, payloadAt + payloadBytes)),
    })
    at = payloadAt + payloadBytes
  }
  return records
}

/** The file of these records. @param text of a header, where `JSON.stringify` would not do */
export function craftedFile(
  records: readonly LooseRecord[],
  textOf: (header: Json) => string = (header) => JSON.stringify(header),
): Buffer {
  const pieces = records.map(({ header, payload }) => {
    const text = Buffer.from(textOf(header))
    const prefix = Buffer.alloc(RECORD_PREFIX_BYTES)
    RECORD_MAGIC.copy(prefix)
    prefix.writeUInt32LE(text.byteLength, 4)
    prefix.writeDoubleLE(payload.byteLength, 8)
    createHash('sha1')
      .update(prefix.subarray(0, 16))
      .update(text)
      .update(payload)
      .digest()
      .copy(prefix, 16, 0, 16)
    return Buffer.concat([prefix, text, payload])
  })
  const file = Buffer.concat([encodeFileStart(), ...pieces])
  Buffer.from(encodeSlot({ sequence: records.length - 1, recordEnd: file.byteLength })).copy(
    file,
    SLOT_OFFSETS[0],
  )
  return file
}

/** Draws that are the same for the same seed. */
export class Draws {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to `end`, exclusive. */
  below(end: number): number {
    // Mulberry32.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end
  }

  of<Value>(list: readonly Value[]): Value {
    return list[this.below(list.length)] as Value
  }
}

/** Values that a field should never have, or not that one. */
const STRANGE: readonly (() => Json)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0,
  () => 1,
  () => 0.5,
  () => 2 ** 31,
  () => 2 ** 50,
  () => 2 ** 53,
  () => 1e308,
  () => '',
  () => 'x',
  () => '../../../etc/passwd',
  () => '/etc/passwd',
  () => 'a/b',
  () => 'a\0b',
  () => 'x'.repeat(100_000),
  () => [],
  () => ({}),
  () => [0, 2 ** 31 - 1],
  () => [0, 2 ** 50],
  () => Array.from({ length: 50_000 }, (_, index) => 2 * index),
  () => Array.from({ length: 1000 }, (_, index) => 1000 - index),
  () => ({ $number: 'NaN' }),
  () => ({ $number: '-Infinity' }),
  () => ({ $number: '1e999' }),
  () => ({ $bigint: '18446744073709551616' }),
  () => ({ $bigint: '9'.repeat(500_000) }),
  () => ({ $array: 'Float64Array', base64: 'AAA' }),
  () => ({ $array: 'Uint32Array', base64: Buffer.alloc(4000, 255).toString('base64') }),
  () => ({ $array: 'Function', base64: '' }),
  () => ({ $object: null }),
  () => Object.fromEntries([['__proto__', { isEdit: true }]]) as Json,
  () => nested((inner) => [inner], 1500),
  () => nested((inner) => ({ $object: inner }), 1500),
  () => ({ kind: 'values', values: ['a', 1, true] }),
  () => ({ kind: 'arange', start: 0, step: 1, length: 2 ** 53 - 1 }),
  () => ({ kind: 'linspace', start: 2 ** 52, stop: 2 ** 52 + 9, num: 2 ** 31 - 1 }),
  () => ({ kind: 'logspace', start: 0, stop: 0, num: 2 ** 31 - 1, base: 10 }),
  () => nested((of) => ({ kind: 'repeat', of, count: 2, name: 'x' }), 300),
  () => ({ kind: 'concat', parts: [] }),
  () => ({ kind: 'product', factors: Array.from({ length: 60 }, (_, index) => [column(`x${index}`)]) }),
]

function column(name: string): Json {
  return { name, range: { kind: 'arange', start: 0, step: 1, length: 1000 } }
}

function nested(wrap: (inner: Json) => Json, depth: number): Json {
  let value: Json = 1
  for (let level = 0; level < depth; level += 1) value = wrap(value)
  return value
}

/** Changes some of it, in place. Says what was done. */
export function mutate(records: LooseRecord[], draws: Draws): string {
  const way = draws.below(20)
  if (way === 0 && records.length > 1) {
    const [one, other] = [draws.below(records.length), draws.below(records.length)]
    ;[records[one], records[other]] = [records[other] as LooseRecord, records[one] as LooseRecord]
    return `records ${one} and ${other} changed places`
  }
  const at = draws.below(records.length)
  const record = records[at] as LooseRecord
  if (way === 1) {
    records.splice(draws.below(records.length + 1), 0, structuredClone(record))
    return `record ${at} came twice`
  }
  if (way === 2) {
    records.splice(at, 1)
    return `record ${at} left out`
  }
  if (way === 3) {
    record.payload = draws.of([Buffer.alloc(0), record.payload.subarray(1), Buffer.alloc(5000, 1)])
    return `record ${at} with ${record.payload.byteLength} bytes of payload`
  }
  return `record ${at}: ${mutateWithin(record, draws)}`
}

/** Another value of the same type, which may be as right. */
function nearTo(value: Json, draws: Draws): Json | undefined {
  switch (typeof value) {
    case 'number':
      return draws.of([value + 1, value - 1, 2 * value, -value, value * 1e6, value + 0.5])
    case 'boolean':
      return !value
    case 'string':
      return draws.of([value.slice(1), `${value}0`, `${value}_b`, `../${value}`, value.toUpperCase()])
    default:
      return undefined
  }
}

/** Somewhere between the root and the leaves, each level as likely. */
function mutateWithin(record: LooseRecord, draws: Draws): string {
  const root: { header: Json } = record
  let holder = root as unknown as Json[] & Record<string, Json>
  let key = 'header'
  let path = ''
  const depthMax = 1 + draws.below(9)
  for (let depth = 0; depth < depthMax; depth += 1) {
    const inner = holder[key as never] as Json
    if (typeof inner !== 'object' || inner === null) break
    const keys = Object.keys(inner)
    if (keys.length === 0) break
    holder = inner as never
    key = draws.of(keys)
    path += `.${key}`
  }
  switch (draws.below(8)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else delete holder[key]
      return `${path} left out`
    case 1:
      if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)] as Json))
      else (holder as Record<string, Json>)[`${key}_`] = 1
      return `${path} once more`
    case 2: {
      const other = draws.of(Object.keys(holder))
      const kept = holder[key as never] as Json
      ;(holder as Record<string, Json>)[key] = holder[other as never] as Json
      ;(holder as Record<string, Json>)[other] = kept
      return `${path} and ${other} changed places`
    }
    case 3:
    case 4:
    case 5: {
      const value = holder[key as never] as Json
      const near = nearTo(value, draws)
      if (near === undefined) break
      ;(holder as Record<string, Json>)[key] = near
      return `${path}: ${value} becomes ${near}`
    }
  }
  const strange = draws.of(STRANGE)
  ;(holder as Record<string, Json>)[key] = strange()
  return `${path} becomes ${String(strange).slice(6, 90)}`
}
