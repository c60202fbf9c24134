/** Packed rows: runs that have stored items of the same names and types, in one frame. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SharedRows } from '../../src/executors/shared-rows.ts'
import { runName } from '../../src/names.ts'
import {
  decodeFramePrefix,
  decodeRunFrame,
  encodeRunFrame,
  FRAME_PREFIX_BYTES,
  type RawRunRecord,
} from '../../src/run/run-frame.ts'
import type { LeafRecord, RunRecord } from '../../src/run/run-record.ts'
import { decodeRows, RowPacker } from '../../src/run/run-rows.ts'
import type { StoredValue } from '../../src/values/stored-value.ts'
import { type StorableValue, toStoredValue } from '../../src/values/value.ts'
import { storedValue, text } from './arbitrary-record.ts'

const ROOM_BYTES = 8192

/** The same record, sent by itself. */
function single(record: RunRecord): RawRunRecord {
  const bytes = Buffer.concat(encodeRunFrame(record))
  const { headerBytes } = decodeFramePrefix(bytes)
  return decodeRunFrame(bytes.subarray(FRAME_PREFIX_BYTES), headerBytes)
}

function unpacked(frame: Uint8Array): RawRunRecord[] {
  const { headerBytes, payloadBytes } = decodeFramePrefix(frame)
  expect(frame.byteLength).toBe(FRAME_PREFIX_BYTES + headerBytes + payloadBytes)
  const rows = decodeRows(frame.subarray(FRAME_PREFIX_BYTES), headerBytes)
  return Array.from({ length: rows?.count ?? 0 }, (_, row) => rows?.record(row) as RawRunRecord)
}

/** Buffers and arrays of bytes alike. */
function plain(record: RawRunRecord): unknown {
  return JSON.parse(
    JSON.stringify(record, (_, value) => {
      if (Object.is(value, -0)) return '-0'
      const bytes = value?.type === 'Buffer' ? Uint8Array.from(value.data) : value
      return ArrayBuffer.isView(bytes) ? [...(bytes as Uint8Array)] : bytes
    }),
  )
}

function record(run: number, values: readonly StoredValue[], change: Partial<RunRecord> = {}): RunRecord {
  const leaves = values.map(
    (value, number): LeafRecord => ({
      location: `results.runs.${runName(run)}.z${number}`,
      kind: 'result',
      comment: '',
      items: [{ name: `z${number}`, value }],
    }),
  )
  return { run, startTimestamp: run + 0.25, finishTimestamp: run + 0.5, leaves, ...change }
}

/** The same run with these annotations of its results. */
function annotated(of: RunRecord, annotations: Readonly<Record<string, StorableValue>>): RunRecord {
  const fields = Object.entries(annotations).map(([name, value]) => ({
    name,
    value: toStoredValue(value, name),
  }))
  return { ...of, leaves: of.leaves.map((leaf) => ({ ...leaf, annotations: fields })) }
}

const float = (value: number): StoredValue => ({ form: 'scalar', dtype: 'float64', value })

describe('packed rows', () => {
  test('hold what was sent, whatever they take', () => {
    const someText = text().map((value): StoredValue => ({ form: 'scalar', dtype: 'str', value }))
    const values = fc.array(fc.oneof(fc.double().map(float), someText, storedValue()), { maxLength: 4 })
    const batch = fc.tuple(values, fc.array(fc.double(), { maxLength: 5 }), fc.nat({ max: 10 ** 6 }))
    fc.assert(
      fc.property(batch, ([first, numbers, run]) => {
        const packer = new RowPacker(new Uint8Array(ROOM_BYTES))
        const begins = record(run, first)
        const taken: RunRecord[] = []
        if (packer.begin(begins) && packer.add(begins)) taken.push(begins)
        for (const [offset, number] of numbers.entries()) {
          const same = first.map((value) =>
            value.form === 'scalar' && value.dtype === 'float64' ? float(number) : value,
          )
          const next = record(run + offset + 1, same)
          if (taken.length === offset + 1 && packer.add(next)) taken.push(next)
        }
        const arrived = taken.length === 0 ? [] : unpacked(packer.frame())
        expect(arrived.map(plain)).toEqual(taken.map((each) => plain(single(each))))
      }),
    )
  })

  test.each<[string, StoredValue]>([
    ['not a number', float(Number.NaN)],
    ['minus zero', float(-0)],
    ['an int64', { form: 'scalar', dtype: 'int64', value: -(2n ** 63n) }],
    ['a bool', { form: 'scalar', dtype: 'bool', value: true }],
    ['a complex number', { form: 'scalar', dtype: 'complex128', value: { re: 1, im: -2 } }],
    ['an empty text', { form: 'scalar', dtype: 'str', value: '' }],
    ['a text of 63 bytes', { form: 'scalar', dtype: 'str', value: `${'ä'.repeat(31)}x` }],
    ['a short array', { form: 'ndarray', dtype: 'int16', shape: [2, 1], data: Int16Array.of(3, -4) }],
  ])('take %s', (_, value) => {
    const packer = new RowPacker(new Uint8Array(ROOM_BYTES))
    const runs = [record(7, [value]), record(8, [value])]
    expect([packer.begin(runs[0] as RunRecord), ...runs.map((run) => packer.add(run))]).toEqual([
      true,
      true,
      true,
    ])
    expect(unpacked(packer.frame()).map(plain)).toEqual(runs.map((run) => plain(single(run))))
  })

  test('take results with a unit', () => {
    const packer = new RowPacker(new Uint8Array(ROOM_BYTES))
    const runs = [7, 8, 9].map((run) => annotated(record(run, [float(run), float(1)]), { unit: 'mV' }))
    expect(packer.begin(runs[0] as RunRecord)).toBe(true)
    expect(runs.map((run) => packer.add(run))).toEqual([true, true, true])
    expect(packer.add(record(10, [float(10), float(1)]))).toBe(false)
    expect(packer.add(annotated(record(10, [float(10), float(1)]), { unit: 'V' }))).toBe(false)
    expect(packer.add(annotated(record(10, [float(10), float(1)]), { unit: 'mV', n: 1 }))).toBe(false)
    expect(unpacked(packer.frame()).map(plain)).toEqual(runs.map((run) => plain(single(run))))
  })

  test.each([
    ['other annotations', { unit: 'mV', note: 1 }],
    ['a number as unit', { unit: 3 }],
    ['a unit that no column has', { unit: 'x'.repeat(70) }],
    ['no annotation among them', {}],
  ])('are not made of results with %s', (_, annotations) => {
    const packer = new RowPacker(new Uint8Array(ROOM_BYTES))
    expect(packer.begin(annotated(record(7, [float(1)]), annotations))).toBe(false)
  })

  test.each<[string, RunRecord]>([
    ['a later run', record(9, [float(1)])],
    ['another type', record(8, [{ form: 'scalar', dtype: 'bool', value: true }])],
    ['more results', record(8, [float(1), float(2)])],
    ['no result', record(8, [])],
    ['a second attempt', record(8, [float(1)], { attempts: 2 })],
    ['a unit', annotated(record(8, [float(1)]), { unit: 'mV' })],
    ['a returned value', record(8, [float(1)], { returned: Uint8Array.of(1) })],
    ['a link', record(8, [float(1)], { links: [{ location: 'results.a', target: 'results.b' }] })],
    [
      'another comment',
      record(8, [], {
        leaves: [{ ...(record(8, [float(1)]).leaves[0] as LeafRecord), comment: 'of this run' }],
      }),
    ],
    [
      'annotations',
      record(8, [], { leaves: [{ ...(record(8, [float(1)]).leaves[0] as LeafRecord), annotations: [] }] }),
    ],
  ])('leave out %s, and keep what they have', (_, other) => {
    const packer = new RowPacker(new Uint8Array(ROOM_BYTES))
    const first = record(7, [float(1)])
    packer.begin(first)
    packer.add(first)
    expect(packer.add(other)).toBe(false)
    expect(unpacked(packer.frame()).map(plain)).toEqual([plain(single(first))])
    expect(packer.add(record(8, [float(3)]))).toBe(true)
  })

  test.each<[string, StoredValue]>([
    ['a text of 64 bytes', { form: 'scalar', dtype: 'str', value: 'x'.repeat(64) }],
    ['a text with a lone surrogate', { form: 'scalar', dtype: 'str', value: '\ud800' }],
    ['a long array', { form: 'ndarray', dtype: 'float64', shape: [1000], data: new Float64Array(1000) }],
    ['a record', { form: 'record', fields: [] }],
    ['a tuple', { form: 'list', dtype: 'float64', values: [1], isTuple: true }],
  ])('are not made of %s', (_, value) => {
    const packer = new RowPacker(new Uint8Array(ROOM_BYTES))
    const first = record(7, [value])
    expect(packer.begin(first) && packer.add(first)).toBe(false)
  })

  test('end where their memory does', () => {
    const packer = new RowPacker(new Uint8Array(1024))
    packer.begin(record(0, [float(0)]))
    let count = 0
    while (packer.add(record(count, [float(count)]))) count += 1
    expect(count).toBeGreaterThan(10)
    expect(unpacked(packer.frame())).toHaveLength(count)
  })
})

describe('shared rows', () => {
  test('show main each row as soon as it is whole, until they are sent', () => {
    const rows = new SharedRows()
    const packer = new SharedRows(rows.memory).packer()
    expect(rows.unsent()).toBeUndefined()
    for (const run of [20, 21, 22]) expect(packer.add(record(run, [float(run)]), run - 17)).toBe(true)
    const unsent = rows.unsent()
    expect(unsent).toMatchObject({ firstOffset: 3, count: 3 })
    expect(unpacked(unsent?.frame as Uint8Array).map(({ run }) => run)).toEqual([20, 21, 22])
    expect(Buffer.from(packer.frame()).equals(unsent?.frame as Uint8Array)).toBe(true)
    packer.clear()
    expect(rows.unsent()).toBeUndefined()
    expect(packer.add(record(23, [{ form: 'scalar', dtype: 'bool', value: true }]), 6)).toBe(true)
    expect(rows.unsent()).toMatchObject({ firstOffset: 6, count: 1 })
  })

  test('show nothing of a batch that has not begun', () => {
    const rows = new SharedRows()
    const packer = new SharedRows(rows.memory).packer()
    expect(packer.add(record(1, [{ form: 'null' }]), 0)).toBe(false)
    expect(rows.unsent()).toBeUndefined()
  })
})
